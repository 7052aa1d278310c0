import { nativeModels, type Preset } from './preset.ts';

/** Sources: openrouter.ai/docs (errors and debugging, reasoning), OpenRouterTeam/ai-sdk-provider, charmbracelet/catwalk. */
export const openrouter = {
  name: 'openrouter',
  title: 'OpenRouter',
  protocol: 'chat',
  baseUrl: 'https://openrouter.ai/api/v1',
  hosts: ['openrouter.ai'],
  keyNames: ['OPENROUTER_API_KEY'],
  idsHaveSlash: true,
  catalogue: 'openrouter',
  tiers: {
    big: 'anthropic/claude-opus-4.7',
    middle: 'anthropic/claude-sonnet-4.6',
    small: 'anthropic/claude-haiku-4.5',
  },
  models: {
    'anthropic/claude-opus-4.7': {
      contextWindow: 1_000_000,
      maxOutput: 64_000,
      prices: { input: 5, output: 25, cacheRead: 0.5, cacheWrite: 6.25 },
      quirks: { cacheControl: true },
    },
    'anthropic/claude-sonnet-4.6': {
      contextWindow: 1_000_000,
      maxOutput: 64_000,
      prices: { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 },
      quirks: { cacheControl: true },
    },
    'anthropic/claude-haiku-4.5': {
      contextWindow: 200_000,
      maxOutput: 32_000,
      prices: { input: 1, output: 5, cacheRead: 0.1, cacheWrite: 1.25 },
      quirks: { cacheControl: true },
    },
  },
  quirks: {
    reasoningStyle: 'reasoning',
    efforts: ['minimal', 'low', 'medium', 'high', 'xhigh'],
    reasoningReplay: 'reasoning_details',
    pdf: true,
  },
  responses: { families: {}, others: 'chat', quirks: { inlineSystem: 'developer' } },
  links: { keys: 'https://openrouter.ai/settings/keys', docs: 'https://openrouter.ai/docs' },
  notes: ['Any model of openrouter.ai/models works: set BIG_MODEL, MIDDLE_MODEL and SMALL_MODEL to its name.'],
  checked: '2026-11-20',
} satisfies Preset;

/** Source: farion1231/cc-switch (address; the key is a bearer token). */
export const openrouterAnthropic = {
  name: 'openrouter-anthropic',
  title: 'OpenRouter, Anthropic-compatible API',
  protocol: 'anthropic',
  baseUrl: 'https://openrouter.ai/api',
  // Its address begins like that of chat completions.
  hosts: [],
  keyNames: openrouter.keyNames,
  idsHaveSlash: true,
  catalogue: 'openrouter',
  tiers: openrouter.tiers,
  models: nativeModels(openrouter),
  quirks: {},
  links: openrouter.links,
  notes: openrouter.notes,
  checked: '2026-11-20',
} satisfies Preset;
