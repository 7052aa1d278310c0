import { type ModelFacts, nativeModels, type Preset } from './preset.ts';

const large = { contextWindow: 1_048_576, maxOutput: 131_072, vision: true } as const satisfies ModelFacts;
const medium = { contextWindow: 262_144, maxOutput: 32_768, vision: true } as const satisfies ModelFacts;

/** Models that keep the reasoning of earlier turns; older ones answer 400 to `thinking.keep`. */
const keepsReasoning = { thinkingKeep: 'keep_all' } as const;
/** Always reasons; the depth goes into `thinking.effort`, as Moonshot's own command line client sends it. */
const alwaysReasons = { efforts: ['low', 'high', 'max'] } as const;
const k3Quirks = { ...keepsReasoning, ...alwaysReasons } as const;

/** Sources: platform.kimi.ai docs (models overview, errors), MoonshotAI/kimi-code, MoonshotAI/walle (schema dialect). */
export const kimi = {
  name: 'kimi',
  otherNames: ['moonshot'],
  title: 'Kimi (Moonshot AI)',
  protocol: 'chat',
  baseUrl: 'https://api.moonshot.ai/v1',
  regions: { cn: 'https://api.moonshot.cn/v1' },
  hosts: ['api.moonshot.ai', 'api.moonshot.cn'],
  keyNames: ['KIMI_API_KEY', 'MOONSHOT_API_KEY'],
  port: 8081,
  catalogue: 'moonshotai',
  // Small is the one model whose thinking can be turned off, which is what titles and summaries ask for.
  tiers: { big: 'kimi-k3.1-pro', middle: 'kimi-k3.1-pro', small: 'kimi-k2.6' },
  models: {
    'kimi-k3.1-pro': { ...large, prices: { input: 2, output: 10, cacheRead: 0.2 }, quirks: k3Quirks },
    'kimi-k3.1-pro-highspeed': { ...large, prices: { input: 4, output: 20 }, quirks: k3Quirks },
    'kimi-k3': { ...large, prices: { input: 3, output: 15, cacheRead: 0.3 }, quirks: k3Quirks },
    'kimi-k2.7-code': { ...medium, prices: { input: 0.95, output: 4, cacheRead: 0.19 }, quirks: keepsReasoning },
    'kimi-k2.7-code-highspeed': {
      ...medium,
      prices: { input: 1.9, output: 8, cacheRead: 0.38 },
      quirks: keepsReasoning,
    },
    'kimi-k2.6': {
      ...medium,
      prices: { input: 0.95, output: 4, cacheRead: 0.16 },
      // Without reasoning it takes a forced tool, too.
      quirks: { ...keepsReasoning, thinkingOff: true, minOutput: 0, toolChoice: 'full', forcedTools: 'no_thinking' },
    },
  },
  quirks: {
    maxTokensField: 'max_completion_tokens',
    clampOutput: true,
    dropParams: ['temperature', 'top_p'],
    toolsMax: 128,
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
    'The K2 models may end with December 2026: set SMALL_MODEL=kimi-k3.1-pro where they are refused.',
  ],
  checked: '2026-11-29',
} satisfies Preset;

/** At the Messages API the depth stands in `output_config.effort`; these models take no `thinking` beside it. */
const withoutThinking = { dropParams: ['thinking'] };

/** Sources: farion1231/cc-switch (addresses), metacpan Langertha 0.504 (thinking of k3), platform.kimi.ai docs. */
export const kimiAnthropic = {
  name: 'kimi-anthropic',
  title: 'Kimi (Moonshot AI), Anthropic-compatible API',
  protocol: 'anthropic',
  baseUrl: 'https://api.moonshot.ai/anthropic',
  regions: { cn: 'https://api.moonshot.cn/anthropic' },
  hosts: ['api.moonshot.ai/anthropic', 'api.moonshot.cn/anthropic'],
  keyNames: kimi.keyNames,
  catalogue: 'moonshotai',
  tiers: kimi.tiers,
  models: nativeModels(kimi, {
    'kimi-k3.1-pro': withoutThinking,
    'kimi-k3.1-pro-highspeed': withoutThinking,
    'kimi-k3': withoutThinking,
  }),
  quirks: {},
  links: kimi.links,
  notes: ['Keys of platform.kimi.ai (international) and platform.kimi.com (China, REGION=cn) are separate.'],
  checked: '2026-11-29',
} satisfies Preset;

/** Sources: MoonshotAI/kimi-code (address, ids), charmbracelet/catwalk kimi.json (limits), kimi.com/code error reference. */
export const kimiCoding = {
  name: 'kimi-coding',
  otherNames: ['kimi-code'],
  title: 'Kimi Code (membership of Moonshot AI)',
  protocol: 'chat',
  baseUrl: 'https://api.kimi.com/coding/v1',
  hosts: ['api.kimi.com'],
  keyNames: ['KIMI_CODE_API_KEY', 'KIMI_CODING_API_KEY'],
  tiers: { big: 'k3', middle: 'k3', small: 'kimi-for-coding' },
  // No prices: the membership is paid by the month.
  models: {
    'k3.1-pro': { ...large, quirks: alwaysReasons },
    k3: { ...large, quirks: alwaysReasons },
    'k3-256k': { ...medium, quirks: alwaysReasons },
    'kimi-for-coding': medium,
    'kimi-for-coding-highspeed': medium,
  },
  quirks: { ...kimi.quirks, thinkingKeep: 'keep_all' },
  links: { keys: 'https://www.kimi.com/code/console', docs: 'https://www.kimi.com/code/docs' },
  notes: [
    'The membership has keys of its own; those of platform.kimi.ai do not work here.',
    'The newest model of the plan is k3.1-pro: BIG_MODEL=k3.1-pro. It thinks as long as it can where the client asks for no effort.',
    'It may answer 403 "currently only available for Coding Agents": the vendor decides which clients it serves.',
  ],
  checked: '2026-11-29',
} satisfies Preset;

/** Source: MoonshotAI/kimi-code (address, the beta that its own client leaves out). */
export const kimiCodingAnthropic = {
  name: 'kimi-coding-anthropic',
  otherNames: ['kimi-code-anthropic'],
  title: 'Kimi Code (membership of Moonshot AI), Anthropic-compatible API',
  protocol: 'anthropic',
  baseUrl: 'https://api.kimi.com/coding',
  // Its address begins like that of chat completions.
  hosts: [],
  keyNames: kimiCoding.keyNames,
  tiers: kimiCoding.tiers,
  models: nativeModels(kimiCoding),
  quirks: { dropBetas: ['interleaved-thinking'] },
  links: kimiCoding.links,
  notes: kimiCoding.notes,
  checked: '2026-11-29',
} satisfies Preset;
