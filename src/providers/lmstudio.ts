import type { Preset } from './preset.ts';

/** Source: lmstudio.ai/docs (OpenAI compatibility, tool use). */
export const lmstudio: Preset = {
  name: 'lmstudio',
  otherNames: ['lm-studio'],
  title: 'LM Studio (on your own machine)',
  protocol: 'chat',
  baseUrl: 'http://localhost:1234/v1',
  keyOptional: true,
  hosts: [],
  keyNames: [],
  idsHaveSlash: true,
  models: {},
  quirks: { topK: true, toolChoice: 'auto_none', imageUrls: 'data', reasoningStyle: 'none' },
  links: { docs: 'https://lmstudio.ai/docs/developer/openai-compat' },
  notes: [
    'Set BIG_MODEL to the identifier of the loaded model, and QUIRK_CONTEXT_WINDOW to the context it was loaded with.',
  ],
  checked: '2026-11-20',
};
