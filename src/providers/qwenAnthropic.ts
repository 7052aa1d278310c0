import { nativeModels } from './nativeModels.ts';
import type { Preset } from './preset.ts';
import { qwen } from './qwen.ts';

/** Source: farion1231/cc-switch (address); that of China is built alike and was not seen. */
export const qwenAnthropic: Preset = {
  name: 'qwen-anthropic',
  otherNames: ['dashscope-anthropic'],
  title: 'Qwen (Alibaba DashScope), its own Messages API',
  protocol: 'anthropic',
  baseUrl: 'https://dashscope-intl.aliyuncs.com/apps/anthropic',
  regions: { cn: 'https://dashscope.aliyuncs.com/apps/anthropic' },
  hosts: ['dashscope-intl.aliyuncs.com/apps/anthropic', 'dashscope.aliyuncs.com/apps/anthropic'],
  keyNames: qwen.keyNames,
  ...(qwen.tiers && { tiers: qwen.tiers }),
  models: nativeModels(qwen),
  quirks: {},
  ...(qwen.errorCodes && { errorCodes: qwen.errorCodes }),
  links: qwen.links,
  notes: ['Keys of the international site and of China (REGION=cn) are separate.'],
  checked: '2026-11-20',
};
