import type { Preset } from './preset.ts';

/** Any other server with OpenAI's chat completions: the user gives address and models, and QUIRK_* where it differs. */
export const custom = {
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
} satisfies Preset;

/** Any other server with Anthropic's Messages API: the user gives address and models. */
export const customAnthropic = {
  name: 'custom-anthropic',
  title: 'Any server with a Messages API',
  protocol: 'anthropic',
  baseUrl: '',
  keyHeader: 'x-api-key',
  hosts: [],
  keyNames: [],
  idsHaveSlash: true,
  models: {},
  quirks: {},
  links: {},
  notes: ['Set OPENAI_BASE_URL, to which /v1/messages is appended, and BIG_MODEL. The key goes into x-api-key.'],
  checked: '2026-11-20',
} satisfies Preset;
