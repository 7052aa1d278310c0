import { minimax } from './minimax.ts';
import { nativeModels } from './nativeModels.ts';
import type { Preset } from './preset.ts';

/** Sources: platform.minimax.io (Anthropic API), metacpan Langertha MiniMax.pm (wrapped tool input). */
export const minimaxAnthropic: Preset = {
  name: 'minimax-anthropic',
  title: 'MiniMax, its own Messages API',
  protocol: 'anthropic',
  baseUrl: 'https://api.minimax.io/anthropic',
  regions: { cn: 'https://api.minimaxi.com/anthropic' },
  hosts: ['api.minimax.io/anthropic', 'api.minimaxi.com/anthropic'],
  keyNames: minimax.keyNames,
  ...(minimax.tiers && { tiers: minimax.tiers }),
  models: nativeModels(minimax),
  quirks: { unwrapToolInput: true },
  ...(minimax.errorCodes && { errorCodes: minimax.errorCodes }),
  links: { ...minimax.links, docs: 'https://platform.minimax.io/docs/api-reference/text-anthropic-api' },
  notes: [
    'Keys of minimax.io and of minimaxi.com (China, REGION=cn) are separate.',
    'Several faults of this endpoint are known; PROVIDER=minimax is the safer way.',
  ],
  checked: '2026-11-20',
};
