import { multiplyRates, type Prices, type Rates } from '../core/models.ts';
import { nativeModels, type Preset } from './preset.ts';

/** At peak hours, which end on weekdays in UTC as in Beijing, everything costs twice as much. */
function peakPrices(rates: Rates): Prices {
  const hours = [
    [1, 4],
    [6, 10],
  ] as const;
  return { ...rates, peak: { hours, days: [1, 2, 3, 4, 5], ...multiplyRates(rates, 2) } };
}

/** Sources: api-docs.deepseek.com (prices, Anthropic API guide, error codes), vercel/ai (message conversion), catwalk deepseek.json. */
export const deepseek = {
  name: 'deepseek',
  title: 'DeepSeek',
  protocol: 'chat',
  baseUrl: 'https://api.deepseek.com',
  hosts: ['api.deepseek.com'],
  keyNames: ['DEEPSEEK_API_KEY'],
  catalogue: 'deepseek',
  tiers: { big: 'deepseek-v4-pro', middle: 'deepseek-flash', small: 'deepseek-flash' },
  models: {
    'deepseek-v4-pro': {
      contextWindow: 1_000_000,
      maxOutput: 131_072,
      prices: peakPrices({ input: 0.66, output: 1.98, cacheRead: 0.022 }),
    },
    'deepseek-flash': {
      contextWindow: 1_000_000,
      maxOutput: 131_072,
      vision: true,
      prices: peakPrices({ input: 0.15, output: 0.6, cacheRead: 0.003 }),
    },
  },
  quirks: {
    vision: false,
    content: 'string',
    localStop: true,
    parallelToolCalls: false,
    // A forced tool is refused while the model reasons.
    forcedTools: 'no_thinking',
    prefill: 'user',
    jsonMode: 'object',
    reasoningStyle: 'thinking',
    efforts: ['low', 'high', 'max'],
    reasoningReplay: 'reasoning_content',
    reasoningRequired: 'empty',
  },
  responses: {
    families: {},
    others: 'chat',
    quirks: {
      efforts: ['none', 'low', 'high', 'max'],
      reasoningReplay: 'reasoning_text',
      reasoningRequired: 'placeholder',
      includeEncrypted: false,
      summary: 'off',
    },
  },
  links: { keys: 'https://platform.deepseek.com/api_keys', docs: 'https://api-docs.deepseek.com' },
  notes: ['Prices double at peak hours, which holidays in China do not have; those are not known here.'],
  checked: '2026-11-29',
} satisfies Preset;

/** Sources: api-docs.deepseek.com (Anthropic API, thinking mode), farion1231/cc-switch (what it answers 400 to). */
export const deepseekAnthropic = {
  name: 'deepseek-anthropic',
  title: 'DeepSeek, Anthropic-compatible API',
  protocol: 'anthropic',
  baseUrl: 'https://api.deepseek.com/anthropic',
  keyHeader: 'x-api-key',
  hosts: ['api.deepseek.com/anthropic'],
  keyNames: deepseek.keyNames,
  catalogue: 'deepseek',
  hostedSearch: 'messages',
  tiers: deepseek.tiers,
  models: nativeModels(deepseek),
  quirks: { vision: false, effortNeedsThinking: true, reasoningRequired: 'empty' },
  links: { ...deepseek.links, docs: 'https://api-docs.deepseek.com/guides/anthropic_api' },
  checked: '2026-11-29',
} satisfies Preset;
