import type { ModelFacts, Preset } from './preset.ts';

/** Tools need an explicit `reasoning_effort: none` on chat completions; sampling and stop strings are refused. */
const gpt6 = {
  contextWindow: 922_000,
  maxOutput: 128_000,
  quirks: {
    dropParams: ['temperature', 'top_p'],
    stopMax: 0,
    minOutput: 16,
    reasoningStyle: 'effort',
    efforts: ['none', 'low', 'medium', 'high', 'xhigh', 'max'],
    effortWithTools: 'none',
  },
} as const satisfies ModelFacts;

/** Sources: developers.openai.com model pages as quoted by gateways; the gpt-6 ids are second-hand. */
export const openai = {
  name: 'openai',
  title: 'OpenAI',
  protocol: 'chat',
  baseUrl: 'https://api.openai.com/v1',
  hosts: ['api.openai.com'],
  keyNames: [],
  tiers: { big: 'gpt-6.1-sol', middle: 'gpt-6.1-terra', small: 'gpt-6-luna' },
  models: {
    'gpt-6-astra': { ...gpt6, prices: { input: 10, output: 50 } },
    'gpt-6.1-sol': { ...gpt6, prices: { input: 2, output: 10 } },
    'gpt-6.1-terra': { ...gpt6, prices: { input: 1, output: 5 } },
    'gpt-6-luna': { ...gpt6, prices: { input: 0.1, output: 0.5 } },
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
    reasoningStyle: 'none',
    cacheKey: true,
    pdf: true,
  },
  links: { keys: 'https://platform.openai.com/api-keys', docs: 'https://platform.openai.com/docs' },
  notes: [
    'This provider takes no reasoning together with tools on chat completions, so that its models answer without thinking here.',
  ],
  checked: '2026-11-20',
} satisfies Preset;

/** Sources: openai/openai-node docs/azure.md (both forms of the address), learn.microsoft.com (API version lifecycle). */
export const azure = {
  name: 'azure',
  title: 'Azure OpenAI',
  protocol: 'chat',
  baseUrl: '',
  endpoints: {
    root: '/openai',
    plain: '/openai/v1/chat/completions',
    versioned: '/openai/deployments/{model}/chat/completions?api-version={version}',
  },
  keyHeader: 'api-key',
  hosts: ['.openai.azure.com', '.services.ai.azure.com', '.cognitiveservices.azure.com'],
  keyNames: ['AZURE_OPENAI_API_KEY', 'AZURE_API_KEY'],
  // Deployments have names of the user's own; one that is called like its model gets the model's facts.
  models: openai.models,
  quirks: openai.quirks,
  errorCodes: { DeploymentNotFound: 'unknown_model' },
  links: {
    keys: 'https://ai.azure.com',
    docs: 'https://learn.microsoft.com/azure/ai-services/openai/reference',
  },
  notes: [
    'Set OPENAI_BASE_URL=https://<resource>.openai.azure.com, and BIG_MODEL, MIDDLE_MODEL and SMALL_MODEL to names of deployments.',
    'With API_VERSION or AZURE_API_VERSION (like 2024-10-21) the deployment stands in the path, as older resources want it; without one the /openai/v1 form is used.',
  ],
  checked: '2026-11-20',
} satisfies Preset;
