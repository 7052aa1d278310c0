import type { ErrorCode } from '../core/errorTable.ts';
import { type ModelFacts, nativeModels, type Preset } from './preset.ts';

const m3 = { contextWindow: 1_000_000, maxOutput: 131_072, vision: true } as const satisfies ModelFacts;
const m2 = {
  contextWindow: 204_800,
  maxOutput: 131_072,
  vision: false,
  prices: { input: 0.3, output: 1.2, cacheRead: 0.03 },
} as const satisfies ModelFacts;

/**
 * platform.minimax.io error codes. Not among them: 2013, which stands for every kind of bad request, an overflow too, and is
 * classified by its words.
 */
const errorCodes = {
  '1000': 'overloaded',
  '1001': 'overloaded',
  '1002': 'rate_limited',
  '1004': 'upstream_unauthenticated',
  '1008': 'billing',
  '1024': 'overloaded',
  '1026': 'upstream_invalid_request',
  '1027': 'upstream_invalid_request',
  '1033': 'overloaded',
  '2049': 'upstream_unauthenticated',
  '2056': 'billing',
  '2061': 'upstream_forbidden',
} as const satisfies Record<string, ErrorCode>;

/** Sources: platform.minimax.io (OpenAI API, text generation, error codes), MiniMax-AI/Mini-Agent. */
export const minimax = {
  name: 'minimax',
  title: 'MiniMax',
  protocol: 'chat',
  baseUrl: 'https://api.minimax.io/v1',
  regions: { cn: 'https://api.minimaxi.com/v1' },
  hosts: ['api.minimax.io', 'api.minimaxi.com', 'api.minimax.chat'],
  keyNames: ['MINIMAX_API_KEY'],
  port: 8083,
  catalogue: 'minimax',
  tiers: { big: 'MiniMax-M3', middle: 'MiniMax-M3.1-Flash', small: 'MiniMax-M3.1-Flash' },
  models: {
    'MiniMax-M3': {
      ...m3,
      prices: {
        input: 0.3,
        output: 1.2,
        cacheRead: 0.06,
        longInput: { above: 512_000, input: 0.6, output: 2.4, cacheRead: 0.12 },
      },
      quirks: { thinkingOff: true, minOutput: 0 },
    },
    'MiniMax-M3.1-Flash': {
      ...m3,
      prices: { input: 0.15, output: 0.6, cacheRead: 0.015 },
      // The vendor's default is `max`, about ten times the tokens of `low`.
      quirks: { efforts: ['low', 'medium', 'high', 'xhigh', 'max'], defaultEffort: 'high' },
    },
    'MiniMax-M2.1': m2,
    'MiniMax-M2': m2,
  },
  quirks: {
    content: 'string',
    maxTokensField: 'max_completion_tokens',
    temperatureMin: 0.01,
    temperatureMax: 1,
    topPMin: 0.01,
    stopMax: 0,
    localStop: true,
    toolChoice: 'omit',
    parallelToolCalls: false,
    textAfterTools: 'merge',
    jsonMode: 'object',
    extraBody: { reasoning_split: true },
    reasoningStyle: 'thinking',
    thinkingOn: 'adaptive',
    thinkingOff: false,
    // Thinking counts into the limit and cannot be turned off: a small one would be used up before the answer.
    minOutput: 2048,
    efforts: [],
    reasoningReplay: 'reasoning_details',
    // The vendor's sample reads the deltas as cumulative, captured answers are incremental.
    reasoningCumulative: true,
  },
  errorCodes,
  links: {
    keys: 'https://platform.minimax.io/user-center/basic-information/interface-key',
    docs: 'https://platform.minimax.io/docs',
  },
  notes: [
    'Keys of minimax.io and of minimaxi.com (China, REGION=cn) are separate.',
    'The quality of MiniMax-M3 falls off beyond about 256000 tokens of context.',
  ],
  checked: '2026-11-29',
} satisfies Preset;

/** Sources: platform.minimax.io (Anthropic API), metacpan Langertha MiniMax.pm (wrapped tool input). */
export const minimaxAnthropic = {
  name: 'minimax-anthropic',
  title: 'MiniMax, Anthropic-compatible API',
  protocol: 'anthropic',
  baseUrl: 'https://api.minimax.io/anthropic',
  regions: { cn: 'https://api.minimaxi.com/anthropic' },
  hosts: ['api.minimax.io/anthropic', 'api.minimaxi.com/anthropic'],
  keyNames: minimax.keyNames,
  catalogue: 'minimax',
  tiers: minimax.tiers,
  models: nativeModels(minimax),
  quirks: { unwrapToolInput: true },
  errorCodes: minimax.errorCodes,
  links: { ...minimax.links, docs: 'https://platform.minimax.io/docs/api-reference/text-anthropic-api' },
  notes: [
    'Keys of minimax.io and of minimaxi.com (China, REGION=cn) are separate.',
    'Several faults of this endpoint are known; PROVIDER=minimax is the safer way.',
  ],
  checked: '2026-11-29',
} satisfies Preset;
