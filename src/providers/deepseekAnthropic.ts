import { deepseek } from './deepseek.ts';
import { nativeModels } from './nativeModels.ts';
import type { Preset } from './preset.ts';

/** Sources: api-docs.deepseek.com (Anthropic API, thinking mode), farion1231/cc-switch (what it answers 400 to). */
export const deepseekAnthropic: Preset = {
  name: 'deepseek-anthropic',
  title: 'DeepSeek, its own Messages API',
  protocol: 'anthropic',
  baseUrl: 'https://api.deepseek.com/anthropic',
  keyHeader: 'x-api-key',
  hosts: ['api.deepseek.com/anthropic'],
  keyNames: deepseek.keyNames,
  ...(deepseek.tiers && { tiers: deepseek.tiers }),
  models: nativeModels(deepseek),
  quirks: { effortNeedsThinking: true, reasoningRequired: 'empty' },
  links: { ...deepseek.links, docs: 'https://api-docs.deepseek.com/guides/anthropic_api' },
  checked: '2026-11-20',
};
