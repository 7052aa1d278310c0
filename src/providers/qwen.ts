import { type ModelFacts, nativeModels, type Preset } from './preset.ts';

const common = { contextWindow: 1_000_000, maxOutput: 65_536 } as const satisfies ModelFacts;

/** Sources: vercel/ai alibaba provider, QwenLM issues quoted error texts, charmbracelet/catwalk (limits, prices). */
export const qwen = {
  name: 'qwen',
  otherNames: ['dashscope', 'alibaba'],
  title: 'Qwen (Alibaba DashScope)',
  protocol: 'chat',
  baseUrl: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1',
  regions: { cn: 'https://dashscope.aliyuncs.com/compatible-mode/v1' },
  hosts: ['dashscope-intl.aliyuncs.com', 'dashscope.aliyuncs.com', 'dashscope-us.aliyuncs.com'],
  keyNames: ['DASHSCOPE_API_KEY', 'QWEN_API_KEY'],
  catalogue: 'alibaba',
  tiers: { big: 'qwen3.8-max', middle: 'qwen3.7-plus', small: 'qwen3.8-flash' },
  models: {
    'qwen3.8-max': {
      contextWindow: 1_000_000,
      maxOutput: 131_072,
      vision: true,
      prices: { input: 2, output: 6, cacheRead: 0.25 },
    },
    'qwen3.8-flash': {
      contextWindow: 1_000_000,
      maxOutput: 131_072,
      vision: true,
      prices: { input: 0.15, output: 0.47 },
    },
    'qwen3.7-plus': {
      ...common,
      vision: true,
      prices: { input: 1.2, output: 4.8, cacheRead: 0.12, cacheWrite: 1.5 },
    },
    'qwen3.7-flash': { ...common, vision: true, prices: { input: 0.2, output: 0.8, cacheRead: 0.04 } },
  },
  quirks: {
    content: 'string',
    localStop: true,
    forcedTools: 'no_thinking',
    jsonMode: 'object',
    prefill: 'partial',
    reasoningStyle: 'enable_thinking',
    thinkingNeedsStream: true,
    reasoningReplay: 'reasoning_content',
  },
  errorCodes: { Arrearage: 'billing', invalid_api_key: 'upstream_unauthenticated', model_not_found: 'unknown_model' },
  // Some of its endpoints do not read the field for the system prompt.
  responses: { families: {}, others: 'chat', quirks: { instructions: 'system', includeEncrypted: false } },
  links: {
    keys: 'https://modelstudio.console.alibabacloud.com',
    docs: 'https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope',
  },
  notes: [
    'Keys of the international site and of China (REGION=cn) are separate.',
    'Whether qwen3.7-flash sees images is not confirmed; set QUIRK_VISION where it is wrong.',
    'qwen3.8-max thinks at its deepest unless it is turned off; QUIRK_REASONING_STYLE=effort with QUIRK_EFFORTS=low,medium,xhigh steers it.',
  ],
  checked: '2026-11-29',
} satisfies Preset;

/** Source: farion1231/cc-switch (address); that of China is built alike and was not seen. */
export const qwenAnthropic = {
  name: 'qwen-anthropic',
  otherNames: ['dashscope-anthropic'],
  title: 'Qwen (Alibaba DashScope), Anthropic-compatible API',
  protocol: 'anthropic',
  baseUrl: 'https://dashscope-intl.aliyuncs.com/apps/anthropic',
  regions: { cn: 'https://dashscope.aliyuncs.com/apps/anthropic' },
  hosts: ['dashscope-intl.aliyuncs.com/apps/anthropic', 'dashscope.aliyuncs.com/apps/anthropic'],
  keyNames: qwen.keyNames,
  catalogue: 'alibaba',
  tiers: qwen.tiers,
  models: nativeModels(qwen),
  quirks: {},
  errorCodes: qwen.errorCodes,
  links: qwen.links,
  notes: ['Keys of the international site and of China (REGION=cn) are separate.'],
  checked: '2026-11-29',
} satisfies Preset;
