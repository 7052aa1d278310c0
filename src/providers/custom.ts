import type { Preset } from './preset.ts';

/** Any other server with OpenAI's chat completions: the user gives address and models, and QUIRK_* where it differs. */
export const custom: Preset = {
  name: 'custom',
  title: 'Any OpenAI-compatible server',
  protocol: 'chat',
  baseUrl: '',
  hosts: [],
  keyNames: [],
  idsHaveSlash: true,
  models: {},
  quirks: {},
  links: {},
  notes: ['Set OPENAI_BASE_URL and BIG_MODEL; where the server differs from OpenAI, set QUIRK_*.'],
  checked: '2026-11-20',
};
