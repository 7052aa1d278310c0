import { kimiCoding } from './kimiCoding.ts';
import { nativeModels } from './nativeModels.ts';
import type { Preset } from './preset.ts';

/** Source: MoonshotAI/kimi-code (address, the beta that its own client leaves out). */
export const kimiCodingAnthropic: Preset = {
  name: 'kimi-coding-anthropic',
  otherNames: ['kimi-code-anthropic'],
  title: 'Kimi Code (membership of Moonshot AI), its own Messages API',
  protocol: 'anthropic',
  baseUrl: 'https://api.kimi.com/coding',
  // Its address begins like that of chat completions.
  hosts: [],
  keyNames: kimiCoding.keyNames,
  ...(kimiCoding.tiers && { tiers: kimiCoding.tiers }),
  models: nativeModels(kimiCoding),
  quirks: { dropBetas: ['interleaved-thinking'] },
  links: kimiCoding.links,
  ...(kimiCoding.notes && { notes: kimiCoding.notes }),
  checked: '2026-11-20',
};
