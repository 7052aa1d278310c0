import type { Preset } from './preset.ts';

/** Sources: docs.x.ai/developers/grok-4-7 and its guide to the Responses API, vercel/ai xai provider. */
export const xai = {
  name: 'xai',
  otherNames: ['grok'],
  title: 'xAI',
  telemetryName: 'x_ai',
  protocol: 'chat',
  baseUrl: 'https://api.x.ai/v1',
  hosts: ['api.x.ai'],
  keyNames: ['XAI_API_KEY', 'GROK_API_KEY'],
  catalogue: 'xai',
  hostedSearch: 'responses',
  tiers: { big: 'grok-4.7', middle: 'grok-4.7', small: 'grok-4.7' },
  models: {
    // The vendor names no output limit.
    'grok-4.7': {
      contextWindow: 500_000,
      maxOutput: 64_000,
      prices: {
        input: 2,
        output: 6,
        cacheRead: 0.5,
        longInput: { above: 199_999, input: 4, output: 12, cacheRead: 1 },
      },
    },
  },
  quirks: {
    maxTokensField: 'max_completion_tokens',
    stopMax: 0,
    localStop: true,
    efforts: ['low', 'medium', 'high', 'xhigh'],
    thinkingOff: false,
  },
  responses: {
    families: { grok: { protocol: 'responses' } },
    others: 'responses',
    quirks: { inlineSystem: 'developer', toolsMax: 128, cacheKey: true },
  },
  links: { keys: 'https://console.x.ai', docs: 'https://docs.x.ai' },
  notes: [
    'Its models are asked by the Responses API, which the vendor recommends: encrypted reasoning comes back in the next turn, and the prompt cache knows the session. PROTOCOL=chat is for chat completions, which the vendor calls legacy.',
    'There is one model for all tiers; for a cheaper background set SMALL_MODEL.',
  ],
  checked: '2026-11-29',
} satisfies Preset;
