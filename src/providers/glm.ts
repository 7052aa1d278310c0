import type { ErrorCode } from '../core/errorTable.ts';
import { type ModelFacts, nativeModels, type Preset } from './preset.ts';

const glm53 = { maxOutput: 131_072, quirks: { efforts: ['low', 'high', 'max'] } } as const satisfies ModelFacts;
/** Reasoning may be turned off. */
const hybrid = { thinkingOff: true, minOutput: 0 } as const;

/** docs.z.ai/api-reference/api-code; many of them come with status 429, whatever they mean. */
const errorCodes = {
  '1000': 'upstream_unauthenticated',
  '1001': 'upstream_unauthenticated',
  '1002': 'upstream_unauthenticated',
  '1003': 'upstream_unauthenticated',
  '1004': 'upstream_unauthenticated',
  '1112': 'upstream_forbidden',
  '1113': 'billing',
  '1211': 'unknown_model',
  '1220': 'upstream_forbidden',
  '1234': 'overloaded',
  '1261': 'context_overflow',
  '1301': 'upstream_invalid_request',
  '1302': 'rate_limited',
  '1303': 'rate_limited',
  '1305': 'overloaded',
  // Windows of a plan that are used up, some for days; the text says until when.
  '1308': 'billing',
  '1309': 'billing',
  '1310': 'billing',
  '1311': 'upstream_forbidden',
  '1312': 'overloaded',
  '1313': 'upstream_forbidden',
  '1316': 'billing',
  '1317': 'billing',
  '1318': 'billing',
  '1319': 'billing',
  '1320': 'billing',
  '1321': 'billing',
} as const satisfies Record<string, ErrorCode>;

/** Sources: docs.z.ai (thinking mode, streaming, tool stream, error codes), zai-org/z-ai-sdk-python. */
export const glm = {
  name: 'glm',
  otherNames: ['zai', 'zhipu', 'bigmodel'],
  title: 'GLM (Zhipu, Z.ai)',
  protocol: 'chat',
  baseUrl: 'https://api.z.ai/api/paas/v4',
  regions: { cn: 'https://open.bigmodel.cn/api/paas/v4' },
  hosts: ['api.z.ai', 'open.bigmodel.cn'],
  keyNames: ['GLM_API_KEY', 'ZAI_API_KEY', 'ZHIPU_API_KEY', 'ZHIPUAI_API_KEY'],
  port: 8082,
  catalogue: 'zai',
  tiers: { big: 'glm-5.3', middle: 'glm-5.3', small: 'glm-5.3-flash' },
  models: {
    // Served to users of the coding plan alone so far, which has no price by tokens.
    'glm-5.4': { ...glm53, contextWindow: 1_000_000, vision: true },
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
    toolsMax: 128,
    textAfterTools: 'merge',
    temperatureMin: 0.01,
    temperatureMax: 0.99,
    topPMin: 0.01,
    stopMax: 1,
    localStop: true,
    toolChoice: 'auto',
    // Not documented.
    parallelToolCalls: false,
    streamBody: { tool_stream: true },
    jsonMode: 'object',
    reasoningStyle: 'thinking',
    efforts: [],
    thinkingOff: false,
    // Thinking counts into the limit and cannot be turned off: a small one would be used up before the answer.
    minOutput: 2048,
    thinkingKeep: 'clear_false',
    reasoningReplay: 'reasoning_content',
  },
  errorCodes,
  links: { keys: 'https://z.ai/manage-apikey/apikey-list', docs: 'https://docs.z.ai' },
  notes: [
    'Keys of z.ai and of open.bigmodel.cn (REGION=cn) are separate.',
    'With a key of the coding plan set PROVIDER=glm-coding; on the general address it is answered "Insufficient balance".',
    'glm-5.3 does not see images; glm-5.3-flash does.',
  ],
  checked: '2026-11-29',
} satisfies Preset;

/** Sources: docs.z.ai, farion1231/cc-switch (addresses), zai-org/feedback#789 (errors carry the vendor's codes here, too). */
export const glmAnthropic = {
  name: 'glm-anthropic',
  otherNames: ['zai-anthropic'],
  title: 'GLM (Zhipu, Z.ai), Anthropic-compatible API',
  protocol: 'anthropic',
  baseUrl: 'https://api.z.ai/api/anthropic',
  regions: { cn: 'https://open.bigmodel.cn/api/anthropic' },
  hosts: ['api.z.ai/api/anthropic', 'open.bigmodel.cn/api/anthropic'],
  keyNames: glm.keyNames,
  catalogue: 'zai',
  tiers: glm.tiers,
  models: nativeModels(glm),
  quirks: { vision: false },
  errorCodes,
  links: glm.links,
  notes: ['Keys of z.ai and of open.bigmodel.cn (REGION=cn) are separate.'],
  checked: '2026-11-29',
} satisfies Preset;

/** The coding plan of the same vendor: another address, other models for the background, the same words. Sources: docs.z.ai. */
export const glmCoding = {
  name: 'glm-coding',
  otherNames: ['zai-coding', 'zhipu-coding'],
  title: 'GLM Coding Plan (Zhipu, Z.ai)',
  protocol: 'chat',
  baseUrl: 'https://api.z.ai/api/coding/paas/v4',
  regions: { cn: 'https://open.bigmodel.cn/api/coding/paas/v4' },
  hosts: ['api.z.ai/api/coding', 'open.bigmodel.cn/api/coding'],
  keyNames: glm.keyNames,
  catalogue: 'zai',
  tiers: glm.tiers,
  models: glm.models,
  quirks: glm.quirks,
  errorCodes,
  links: { keys: 'https://z.ai/manage-apikey/apikey-list', docs: 'https://docs.z.ai/devpack/overview' },
  notes: [
    'For keys of the coding plan; a key without one is answered "Insufficient balance" here.',
    'Prices are those of the general API; the plan is paid by the month.',
    'glm-5.4 is served to the plan alone so far: BIG_MODEL=glm-5.4. A suffix [1m] may stay; it is not sent on.',
  ],
  checked: '2026-11-29',
} satisfies Preset;
