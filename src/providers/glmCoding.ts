import { glm, glmErrorCodes } from './glm.ts';
import type { Preset } from './preset.ts';

/** The coding plan of the same vendor: another address, other models for the background, the same words. Sources: docs.z.ai. */
export const glmCoding: Preset = {
  name: 'glm-coding',
  otherNames: ['zai-coding', 'zhipu-coding'],
  title: 'GLM Coding Plan (Zhipu, Z.ai)',
  protocol: 'chat',
  baseUrl: 'https://api.z.ai/api/coding/paas/v4',
  regions: { cn: 'https://open.bigmodel.cn/api/coding/paas/v4' },
  hosts: ['api.z.ai/api/coding', 'open.bigmodel.cn/api/coding'],
  keyNames: glm.keyNames,
  tiers: { big: 'glm-5.3', middle: 'glm-5.3', small: 'glm-5-turbo' },
  models: glm.models,
  quirks: glm.quirks,
  errorCodes: glmErrorCodes,
  links: { keys: 'https://z.ai/manage-apikey/apikey-list', docs: 'https://docs.z.ai/devpack/overview' },
  notes: [
    'For keys of the coding plan; a key without one is answered "Insufficient balance" here.',
    'Prices are those of the general API; the plan is paid by the month.',
  ],
  checked: '2026-11-20',
};
