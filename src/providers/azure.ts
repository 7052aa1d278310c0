import { openai } from './openai.ts';
import type { Preset } from './preset.ts';

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
