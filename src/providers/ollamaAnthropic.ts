import { ollama } from './ollama.ts';
import type { Preset } from './preset.ts';

/** Source: ollama/ollama docs (Anthropic compatibility). */
export const ollamaAnthropic: Preset = {
  name: 'ollama-anthropic',
  title: 'Ollama (on your own machine), its own Messages API',
  protocol: 'anthropic',
  baseUrl: 'http://localhost:11434',
  keyOptional: true,
  hosts: [],
  keyNames: ollama.keyNames,
  idsHaveSlash: true,
  models: {},
  quirks: { dropParams: ['tool_choice'], dropCacheControl: true },
  links: { docs: 'https://docs.ollama.com/api/anthropic-compatibility' },
  notes: [
    'Set BIG_MODEL to a model that you have pulled, one that can call tools.',
    'Its default context is a few thousand tokens, and what is longer is cut silently: start it with OLLAMA_CONTEXT_LENGTH=64000 or more, and set QUIRK_CONTEXT_WINDOW to the same.',
  ],
  checked: '2026-11-20',
};
