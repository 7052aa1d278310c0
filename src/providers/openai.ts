import { multiplyRates, type Prices, type Rates } from '../core/models.ts';
import type { ModelFacts, ModelFamily, Preset, ResponsesFacts } from './preset.ts';

const limits = { contextWindow: 922_000, maxOutput: 128_000 } as const satisfies ModelFacts;

/** On chat completions, where sampling and stop strings are refused. `max` is an effort of the Responses API alone. */
const gpt6Quirks = {
  dropParams: ['temperature', 'top_p'],
  stopMax: 0,
  minOutput: 16,
  reasoningStyle: 'effort',
  efforts: ['none', 'low', 'medium', 'high', 'xhigh'],
  // Left out it is refused as well as with any other value.
  effortWithTools: 'none',
} as const;

/** Takes tools on chat completions as long as it does not reason. */
const withTools = { ...limits, quirks: gpt6Quirks } as const satisfies ModelFacts;

/** Knows no effort `none`, without which chat completions takes no tools. */
const withoutTools = {
  ...limits,
  quirks: { ...gpt6Quirks, efforts: ['low', 'medium', 'high', 'xhigh'] },
  unusable:
    'takes no tools on chat completions at any effort, and Claude Code always sends tools; it needs the Responses API',
} as const satisfies ModelFacts;

/** Above 272,000 tokens the whole request costs twice as much for input and cache, and half as much again for output. */
function gpt6Prices(rates: Rates): Prices {
  const { output: _double, ...input } = multiplyRates(rates, 2);
  return { ...rates, longInput: { above: 272_000, ...input, output: multiplyRates(rates, 1.5).output } };
}

/** A model that shows itself reasoning of its present turn alone: what a user says begins a new one, so that reminders do not count as that. */
function oneTurnFamily(efforts: readonly string[], phase = false): ModelFamily {
  return { protocol: 'responses', quirks: { efforts, phase, textAfterTools: 'reminders' } };
}

const family = (...efforts: readonly string[]): ModelFamily => ({
  protocol: 'responses',
  quirks: { efforts, phase: true },
});
const allTurnsFamily = family('none', 'low', 'medium', 'high', 'xhigh', 'max');
const alwaysReasons = family('low', 'medium', 'high', 'xhigh', 'max');
const to5Xhigh = ['none', 'low', 'medium', 'high', 'xhigh'];

/** The models that reason go this way with and without tools, as chat completions lets most of them use tools only without reasoning. */
const responses: ResponsesFacts = {
  families: {
    'gpt-4': { protocol: 'chat', quirks: { reasoningStyle: 'none', samplers: 'always' } },
    'chatgpt-4': { protocol: 'chat', quirks: { reasoningStyle: 'none', samplers: 'always' } },
    'gpt-5': oneTurnFamily(['minimal', 'low', 'medium', 'high']),
    'gpt-5.1': oneTurnFamily(['none', 'low', 'medium', 'high']),
    'gpt-5.2': oneTurnFamily(to5Xhigh),
    'gpt-5.3': oneTurnFamily(to5Xhigh, true),
    'gpt-5.4': oneTurnFamily(to5Xhigh, true),
    'gpt-5.5': oneTurnFamily(to5Xhigh, true),
    'gpt-5.6': allTurnsFamily,
    'gpt-6': allTurnsFamily,
    'gpt-6-astra': alwaysReasons,
    'gpt-6.1-sol': alwaysReasons,
    o1: oneTurnFamily(['low', 'medium', 'high']),
    o3: oneTurnFamily(['low', 'medium', 'high']),
    'o4-': oneTurnFamily(['low', 'medium', 'high']),
  },
  others: 'responses',
  quirks: {
    inlineSystem: 'developer',
    reasoningStyle: 'effort',
    samplers: 'without_reasoning',
    obfuscation: false,
  },
};

/**
 * Sources: developers.openai.com model pages (prices, limits), deployment checklist and openai-node's types (Responses API), litellm blog and discussions 42523 (steps, efforts),
 * onyx-dot-app/onyx#15008 and bolna-ai/bolna#1019 (tools), openai error texts quoted there.
 */
export const openai = {
  name: 'openai',
  title: 'OpenAI',
  protocol: 'chat',
  baseUrl: 'https://api.openai.com/v1',
  hosts: ['api.openai.com'],
  keyNames: [],
  catalogue: 'openai',
  hostedSearch: 'responses',
  tiers: { big: 'gpt-6.1-sol', middle: 'gpt-6.1-terra', small: 'gpt-6-luna' },
  chatTiers: { big: 'gpt-6-sol', middle: 'gpt-6.1-terra', small: 'gpt-6-luna' },
  models: {
    'gpt-6-sol': {
      ...withTools,
      prices: gpt6Prices({ input: 2, output: 10, cacheRead: 0.2, cacheWrite: 2.5 }),
    },
    'gpt-6.1-terra': {
      ...withTools,
      prices: gpt6Prices({ input: 1, output: 5, cacheRead: 0.05, cacheWrite: 1.25 }),
    },
    'gpt-6-luna': {
      ...withTools,
      prices: gpt6Prices({ input: 0.1, output: 0.5, cacheRead: 0.01, cacheWrite: 0.125 }),
    },
    'gpt-6.1-sol': {
      ...withoutTools,
      prices: gpt6Prices({ input: 2, output: 10, cacheRead: 0.1, cacheWrite: 2.5 }),
    },
    'gpt-6-astra': {
      ...withoutTools,
      prices: gpt6Prices({ input: 10, output: 50, cacheRead: 1, cacheWrite: 12.5 }),
    },
    'gpt-4.1': { contextWindow: 1_047_576, maxOutput: 32_768, prices: { input: 2, output: 8, cacheRead: 0.5 } },
    'gpt-4.1-mini': {
      contextWindow: 1_047_576,
      maxOutput: 32_768,
      prices: { input: 0.4, output: 1.6, cacheRead: 0.1 },
    },
    'gpt-4o': { contextWindow: 128_000, maxOutput: 16_384, prices: { input: 2.5, output: 10, cacheRead: 1.25 } },
    'gpt-4o-mini': {
      contextWindow: 128_000,
      maxOutput: 16_384,
      prices: { input: 0.15, output: 0.6, cacheRead: 0.075 },
    },
  },
  // What holds for every model of this provider, also for the older ones that know nothing of reasoning.
  quirks: {
    maxTokensField: 'max_completion_tokens',
    localStop: true,
    toolsMax: 128,
    reasoningStyle: 'none',
    cacheKey: true,
    pdf: true,
  },
  responses,
  links: { keys: 'https://platform.openai.com/api-keys', docs: 'https://platform.openai.com/docs' },
  notes: [
    'Its models that reason are asked by the Responses API, so that they think and use tools at the same time; gpt-4 models by chat completions.',
    'WEB_SEARCH=provider lets OpenAI search the web for Claude Code; each search costs extra. Domains cannot be blocked there: such a search is refused.',
    'With PROTOCOL=chat they take no reasoning together with tools, so that they answer without thinking; gpt-6.1-sol and gpt-6-astra then cannot serve at all.',
  ],
  checked: '2026-11-29',
} satisfies Preset;

/** Sources: openai/openai-node docs/azure.md (both forms of the address), learn.microsoft.com (API version lifecycle). */
export const azure = {
  name: 'azure',
  telemetryName: 'azure.ai.openai',
  title: 'Azure OpenAI',
  protocol: 'chat',
  baseUrl: '',
  endpoints: {
    root: '/openai',
    plain: '/openai/v1/chat/completions',
    responses: '/openai/v1/responses',
    versioned: '/openai/deployments/{model}/chat/completions?api-version={version}',
  },
  keyHeader: 'api-key',
  hosts: ['.openai.azure.com', '.services.ai.azure.com', '.cognitiveservices.azure.com'],
  keyNames: ['AZURE_OPENAI_API_KEY', 'AZURE_API_KEY'],
  catalogue: 'openai',
  // Deployments have names of the user's own; one that is called like its model gets the model's facts.
  models: openai.models,
  quirks: openai.quirks,
  responses: { ...responses, others: 'chat' },
  errorCodes: { DeploymentNotFound: 'unknown_model' },
  links: {
    keys: 'https://ai.azure.com',
    docs: 'https://learn.microsoft.com/azure/ai-services/openai/reference',
  },
  notes: [
    'Set OPENAI_BASE_URL=https://<resource>.openai.azure.com, and BIG_MODEL, MIDDLE_MODEL and SMALL_MODEL to names of deployments.',
    'A deployment that is called like its model goes by the Responses API where the model reasons; for any other name set PROTOCOL=responses.',
    'By the Responses API models think and use tools at the same time. What they thought comes back in the next turn encrypted, and only the same resource and region can read it.',
    'With API_VERSION or AZURE_API_VERSION (like 2024-10-21) the deployment stands in the path, as older resources want it; without one the /openai/v1 form is used.',
  ],
  checked: '2026-11-29',
} satisfies Preset;
