import type { ModelFacts, Preset } from './preset.ts';

const glm53 = { maxOutput: 131_072, quirks: { efforts: ['low', 'high', 'max'] } } as const satisfies ModelFacts;
/** Reasoning may be turned off. */
const hybrid = { thinkingOff: true } as const;

/** Sources: docs.z.ai (thinking mode, streaming, tool stream, error codes), zai-org/z-ai-sdk-python. */
export const glm: Preset = {
  name: 'glm',
  otherNames: ['zai', 'zhipu', 'bigmodel'],
  title: 'GLM (Zhipu, Z.ai)',
  protocol: 'chat',
  baseUrl: 'https://api.z.ai/api/paas/v4',
  regions: { cn: 'https://open.bigmodel.cn/api/paas/v4' },
  hosts: ['api.z.ai', 'open.bigmodel.cn'],
  keyNames: ['GLM_API_KEY', 'ZAI_API_KEY', 'ZHIPU_API_KEY', 'ZHIPUAI_API_KEY'],
  port: 8082,
  tiers: { big: 'glm-5.3', middle: 'glm-5.3', small: 'glm-5.3-flash' },
  models: {
    'glm-5.3': { ...glm53, contextWindow: 1_000_000, prices: { input: 1.4, output: 4.4, cacheRead: 0.26 } },
    'glm-5.3-flash': {
      ...glm53,
      contextWindow: 1_000_000,
      vision: true,
      prices: { input: 0.15, output: 0.5, cacheRead: 0.03 },
    },
    'glm-5.3-flashx': { ...glm53, contextWindow: 1_000_000, vision: true, prices: { input: 0.37, output: 1.25 } },
    'glm-5.2': {
      contextWindow: 1_000_000,
      maxOutput: 131_072,
      prices: { input: 1.4, output: 4.4, cacheRead: 0.26 },
      quirks: { ...hybrid, efforts: ['low', 'medium', 'high', 'max'] },
    },
    'glm-5-turbo': {
      contextWindow: 200_000,
      maxOutput: 131_072,
      prices: { input: 1.2, output: 4, cacheRead: 0.24 },
      quirks: hybrid,
    },
    'glm-4.7': {
      contextWindow: 204_800,
      maxOutput: 131_072,
      prices: { input: 0.6, output: 2.2, cacheRead: 0.11 },
      quirks: hybrid,
    },
    'glm-4.5-air': {
      contextWindow: 131_072,
      maxOutput: 98_304,
      prices: { input: 0.2, output: 1.1, cacheRead: 0.03 },
      quirks: hybrid,
    },
  },
  quirks: {
    vision: false,
    content: 'string',
    needsUser: true,
    textAfterTools: 'merge',
    temperatureMin: 0.01,
    temperatureMax: 0.99,
    topPMin: 0.01,
    stopMax: 1,
    localStop: true,
    toolChoice: 'auto',
    forcedTools: 'auto',
    streamBody: { tool_stream: true },
    jsonMode: 'object',
    reasoningStyle: 'thinking',
    efforts: [],
    thinkingOff: false,
    thinkingKeep: 'clear_false',
    reasoningReplay: 'reasoning_content',
  },
  links: { keys: 'https://z.ai/manage-apikey/apikey-list', docs: 'https://docs.z.ai' },
  notes: [
    'Keys of z.ai and of open.bigmodel.cn (REGION=cn) are separate.',
    'With a key of the coding plan set OPENAI_BASE_URL=https://api.z.ai/api/coding/paas/v4; on the general address it answers "Insufficient balance".',
    'glm-5.3 does not see images; glm-5.3-flash does.',
  ],
  checked: '2026-11-20',
};
