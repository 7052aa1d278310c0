import type { ModelFacts, Preset } from './preset.ts';

const scripted = {
  contextWindow: 200_000,
  maxOutput: 32_000,
  vision: false,
  prices: { input: 0, output: 0 },
} as const satisfies ModelFacts;

/** The built-in scripted provider: no network, no key, so that a newcomer sees the whole thing work (decision 0006). */
export const demo: Preset = {
  name: 'demo',
  title: 'Demo (built in, offline)',
  protocol: 'demo',
  baseUrl: '',
  hosts: [],
  keyNames: [],
  port: 8080,
  tiers: { big: 'demo-big', middle: 'demo-middle', small: 'demo-small' },
  models: { 'demo-big': scripted, 'demo-middle': scripted, 'demo-small': scripted },
  quirks: {},
  links: {},
  notes: ['Answers come from a script: it replies in words and can make a tool call. It needs no key and no network.'],
  checked: '2026-11-20',
};
