import { glm, glmErrorCodes } from './glm.ts';
import { nativeModels } from './nativeModels.ts';
import type { Preset } from './preset.ts';

/** Sources: docs.z.ai, farion1231/cc-switch (addresses), zai-org/feedback#789 (errors carry the vendor's codes here, too). */
export const glmAnthropic: Preset = {
  name: 'glm-anthropic',
  otherNames: ['zai-anthropic'],
  title: 'GLM (Zhipu, Z.ai), its own Messages API',
  protocol: 'anthropic',
  baseUrl: 'https://api.z.ai/api/anthropic',
  regions: { cn: 'https://open.bigmodel.cn/api/anthropic' },
  hosts: ['api.z.ai/api/anthropic', 'open.bigmodel.cn/api/anthropic'],
  keyNames: glm.keyNames,
  ...(glm.tiers && { tiers: glm.tiers }),
  models: nativeModels(glm),
  quirks: {},
  errorCodes: glmErrorCodes,
  links: glm.links,
  notes: ['Keys of z.ai and of open.bigmodel.cn (REGION=cn) are separate.'],
  checked: '2026-11-20',
};
