import type { ModelFacts, Preset } from './preset.ts';

/** Reasons when asked to, either fully or not at all. */
const reasons = { quirks: { reasoningStyle: 'effort', efforts: ['none', 'high'] } } as const satisfies ModelFacts;

/** Sources: docs.mistral.ai (prices), models.dev mistral (efforts), charmbracelet/catwalk mistral.json (limits). */
export const mistral = {
  name: 'mistral',
  title: 'Mistral',
  telemetryName: 'mistral_ai',
  protocol: 'chat',
  baseUrl: 'https://api.mistral.ai/v1',
  hosts: ['api.mistral.ai'],
  keyNames: ['MISTRAL_API_KEY'],
  catalogue: 'mistral',
  tiers: { big: 'mistral-medium-3.5', middle: 'mistral-medium-3.5', small: 'mistral-small-2603' },
  models: {
    'mistral-medium-3.5': {
      ...reasons,
      contextWindow: 256_000,
      maxOutput: 32_768,
      vision: true,
      prices: { input: 1.5, output: 7.5, cacheRead: 0.15 },
    },
    'mistral-small-2603': {
      ...reasons,
      contextWindow: 128_000,
      maxOutput: 16_384,
      vision: true,
      prices: { input: 0.1, output: 0.3 },
    },
    'devstral-2512': { contextWindow: 256_000, maxOutput: 32_768, prices: { input: 0.4, output: 2 } },
  },
  quirks: {
    vision: false,
    toolId: 'nine',
    toolsMax: 128,
    // After a tool message the server takes no user message, and it refuses fields that it does not know.
    textAfterTools: 'merge',
    toolImages: 'inline',
    streamUsage: false,
    prefill: 'prefix',
    reasoningStyle: 'none',
  },
  links: { keys: 'https://console.mistral.ai/api-keys', docs: 'https://docs.mistral.ai' },
  checked: '2026-11-20',
} satisfies Preset;
