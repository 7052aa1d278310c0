import type { Preset } from './preset.ts';

/** Sources: ollama/ollama docs (OpenAI compatibility, context length). */
export const ollama: Preset = {
  name: 'ollama',
  title: 'Ollama (on your own machine)',
  protocol: 'chat',
  baseUrl: 'http://localhost:11434/v1',
  keyOptional: true,
  hosts: [],
  keyNames: ['OLLAMA_API_KEY'],
  idsHaveSlash: true,
  models: {},
  quirks: { toolChoice: 'omit', imageUrls: 'data', reasoningStyle: 'none', reasoningReplay: 'reasoning' },
  links: { docs: 'https://docs.ollama.com/api/openai-compatibility' },
  notes: [
    'Set BIG_MODEL to a model that you have pulled, one that can call tools.',
    'Its default context is a few thousand tokens, and what is longer is cut silently: start it with OLLAMA_CONTEXT_LENGTH=64000 or more, and set QUIRK_CONTEXT_WINDOW to the same.',
    'A model that reasons does so by itself; QUIRK_REASONING_STYLE=effort lets Claude Code steer it.',
  ],
  checked: '2026-11-20',
};
