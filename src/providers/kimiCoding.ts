import { kimi } from './kimi.ts';
import type { ModelFacts, Preset } from './preset.ts';

// No prices: the membership is paid by the month.
const k3 = { vision: true, quirks: { efforts: ['low', 'high', 'max'] } } as const;
const forCoding = { contextWindow: 262_144, maxOutput: 32_768, vision: true } as const satisfies ModelFacts;

/** Sources: MoonshotAI/kimi-code (address, ids), charmbracelet/catwalk kimi.json (limits), kimi.com/code error reference. */
export const kimiCoding: Preset = {
  name: 'kimi-coding',
  otherNames: ['kimi-code'],
  title: 'Kimi Code (membership of Moonshot AI)',
  protocol: 'chat',
  baseUrl: 'https://api.kimi.com/coding/v1',
  hosts: ['api.kimi.com'],
  keyNames: ['KIMI_CODE_API_KEY', 'KIMI_CODING_API_KEY'],
  tiers: { big: 'k3', middle: 'k3', small: 'kimi-for-coding' },
  models: {
    k3: { ...k3, contextWindow: 1_048_576, maxOutput: 131_072 },
    'k3-256k': { ...k3, contextWindow: 262_144, maxOutput: 32_768 },
    'kimi-for-coding': forCoding,
    'kimi-for-coding-highspeed': forCoding,
  },
  quirks: { ...kimi.quirks, thinkingKeep: 'keep_all' },
  links: { keys: 'https://www.kimi.com/code/console', docs: 'https://www.kimi.com/code/docs' },
  notes: [
    'The membership has keys of its own; those of platform.kimi.ai do not work here.',
    'It may answer 403 "currently only available for Coding Agents": the vendor decides which clients it serves.',
  ],
  checked: '2026-11-20',
};
