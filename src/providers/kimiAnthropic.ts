import { kimi } from './kimi.ts';
import { nativeModels } from './nativeModels.ts';
import type { Preset } from './preset.ts';

/** How deep it thinks stands in `output_config.effort`; it takes no `thinking` beside. */
const k3 = { dropParams: ['thinking'] };

/** Sources: farion1231/cc-switch (addresses), metacpan Langertha 0.504 (thinking of k3), platform.kimi.ai docs. */
export const kimiAnthropic: Preset = {
  name: 'kimi-anthropic',
  title: 'Kimi (Moonshot AI), its own Messages API',
  protocol: 'anthropic',
  baseUrl: 'https://api.moonshot.ai/anthropic',
  regions: { cn: 'https://api.moonshot.cn/anthropic' },
  hosts: ['api.moonshot.ai/anthropic', 'api.moonshot.cn/anthropic'],
  keyNames: kimi.keyNames,
  ...(kimi.tiers && { tiers: kimi.tiers }),
  models: nativeModels(kimi, { 'kimi-k3.1-pro': k3, 'kimi-k3.1-pro-highspeed': k3, 'kimi-k3': k3 }),
  quirks: {},
  links: kimi.links,
  notes: ['Keys of platform.kimi.ai (international) and platform.kimi.com (China, REGION=cn) are separate.'],
  checked: '2026-11-20',
};
