import type { ModelFacts, Preset } from './preset.ts';

/** Models that keep the reasoning of earlier turns; older ones answer 400 to `thinking.keep`. */
const keepsReasoning = { thinkingKeep: 'keep_all' } as const;
/** Always reasons; the depth goes into `thinking.effort`, as Moonshot's own command line client sends it. */
const k3 = { contextWindow: 1_048_576, maxOutput: 131_072, vision: true } as const satisfies ModelFacts;
const k3Quirks = { ...keepsReasoning, efforts: ['low', 'high', 'max'] } as const;
const k2 = { contextWindow: 262_144, maxOutput: 32_768, vision: true } as const satisfies ModelFacts;

/** Sources: platform.kimi.ai docs (models overview, errors), MoonshotAI/kimi-code, MoonshotAI/walle (schema dialect). */
export const kimi: Preset = {
  name: 'kimi',
  otherNames: ['moonshot'],
  title: 'Kimi (Moonshot AI)',
  protocol: 'chat',
  baseUrl: 'https://api.moonshot.ai/v1',
  regions: { cn: 'https://api.moonshot.cn/v1' },
  hosts: ['api.moonshot.ai', 'api.moonshot.cn'],
  keyNames: ['KIMI_API_KEY', 'MOONSHOT_API_KEY'],
  port: 8081,
  // Small is the one model whose thinking can be turned off, which is what titles and summaries ask for.
  tiers: { big: 'kimi-k3.1-pro', middle: 'kimi-k3.1-pro', small: 'kimi-k2.6' },
  models: {
    'kimi-k3.1-pro': { ...k3, prices: { input: 2, output: 10, cacheRead: 0.2 }, quirks: k3Quirks },
    'kimi-k3.1-pro-highspeed': { ...k3, prices: { input: 4, output: 20 }, quirks: k3Quirks },
    'kimi-k3': { ...k3, prices: { input: 3, output: 15, cacheRead: 0.3 }, quirks: k3Quirks },
    'kimi-k2.7-code': { ...k2, prices: { input: 0.95, output: 4, cacheRead: 0.19 }, quirks: keepsReasoning },
    'kimi-k2.7-code-highspeed': { ...k2, prices: { input: 1.9, output: 8, cacheRead: 0.38 }, quirks: keepsReasoning },
    'kimi-k2.6': {
      ...k2,
      prices: { input: 0.95, output: 4, cacheRead: 0.16 },
      // Without reasoning it takes a forced tool, too.
      quirks: { ...keepsReasoning, thinkingOff: true, minOutput: 0, toolChoice: 'full', forcedTools: 'no_thinking' },
    },
  },
  quirks: {
    maxTokensField: 'max_completion_tokens',
    clampOutput: true,
    dropParams: ['temperature', 'top_p'],
    stopMax: 5,
    stopBytes: 32,
    localStop: true,
    toolChoice: 'auto_none',
    parallelToolCalls: false,
    schema: 'mfjs',
    imageUrls: 'data',
    emptyContent: 'omit',
    prefill: 'partial',
    cacheKey: true,
    reasoningStyle: 'thinking',
    effortField: 'thinking.effort',
    efforts: [],
    thinkingOff: false,
    // Thinking counts into the limit and cannot be turned off: a small one would be used up before the answer.
    minOutput: 2048,
    reasoningReplay: 'reasoning_content',
  },
  links: { keys: 'https://platform.kimi.ai/console/api-keys', docs: 'https://platform.kimi.ai/docs' },
  notes: [
    'Keys of platform.kimi.ai (international) and platform.kimi.com (China, REGION=cn) are separate; the wrong one answers 401.',
    'A cheaper or faster choice for any tier: kimi-k2.7-code, kimi-k3.1-pro-highspeed.',
  ],
  checked: '2026-11-20',
};
