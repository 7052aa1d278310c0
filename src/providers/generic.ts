import type { ModelFacts, Preset } from './preset.ts';

// Presets of no vendor: any other server, and the built-in demo.

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
  notes: [
    'OPENAI_BASE_URL, BIG_MODEL and QUIRK_CONTEXT_WINDOW describe the server; where it differs from OpenAI, other QUIRK_* do: ./manage test NAME --full names them.',
  ],
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
  notes: ['OPENAI_BASE_URL is the address to which /v1/messages is appended. The key goes into x-api-key.'],
  checked: '2026-11-20',
} satisfies Preset;

const scripted = {
  contextWindow: 200_000,
  maxOutput: 32_000,
  vision: false,
  prices: { input: 0, output: 0 },
} as const satisfies ModelFacts;

/** The built-in scripted provider: no network, no key, so that a newcomer sees the whole thing work (decision 0006). */
export const demo = {
  name: 'demo',
  title: 'Demo (built in, offline)',
  protocol: 'demo',
  baseUrl: '',
  hosts: [],
  keyNames: [],
  port: 8080,
  tiers: { big: 'demo-big', middle: 'demo-middle', small: 'demo-small' },
  models: { 'demo-big': scripted, 'demo-middle': scripted, 'demo-small': scripted },
  quirks: {},
  links: {},
  notes: ['Answers come from a script: it replies in words and can make a tool call. It needs no key and no network.'],
  checked: '2026-11-20',
} satisfies Preset;
