import { nativeModels } from './nativeModels.ts';
import { openrouter } from './openrouter.ts';
import type { Preset } from './preset.ts';

/** Source: farion1231/cc-switch (address; the key is a bearer token). */
export const openrouterAnthropic: Preset = {
  name: 'openrouter-anthropic',
  title: 'OpenRouter, its own Messages API',
  protocol: 'anthropic',
  baseUrl: 'https://openrouter.ai/api',
  // Its address begins like that of chat completions.
  hosts: [],
  keyNames: openrouter.keyNames,
  idsHaveSlash: true,
  ...(openrouter.tiers && { tiers: openrouter.tiers }),
  models: nativeModels(openrouter),
  quirks: {},
  links: openrouter.links,
  ...(openrouter.notes && { notes: openrouter.notes }),
  checked: '2026-11-20',
};
