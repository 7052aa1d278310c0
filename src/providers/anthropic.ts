import type { ModelFacts, Preset } from './preset.ts';

const large = { contextWindow: 1_000_000, maxOutput: 128_000, vision: true } as const satisfies ModelFacts;

/** Sources: platform.claude.com/docs (models, prices, errors, token counting), the requests of Claude Code itself. */
export const anthropic = {
  name: 'anthropic',
  otherNames: ['claude'],
  title: 'Anthropic',
  protocol: 'anthropic',
  baseUrl: 'https://api.anthropic.com',
  keyHeader: 'x-api-key',
  hosts: ['api.anthropic.com'],
  keyNames: [],
  servesClaude: true,
  countsTokens: true,
  catalogue: 'anthropic',
  tiers: { big: 'claude-opus-5-5', middle: 'claude-sonnet-5-5', small: 'claude-haiku-5-5' },
  // Writing to the cache is priced for its five minutes, which is what Claude Code asks for.
  models: {
    'claude-opus-5-5': { ...large, prices: { input: 4, output: 20, cacheRead: 0.2, cacheWrite: 5 } },
    'claude-sonnet-5-5': {
      ...large,
      prices: {
        input: 2,
        output: 10,
        cacheRead: 0.2,
        cacheWrite: 2.5,
        changes: [{ from: '2026-10-07', input: 2, output: 10, cacheRead: 0.1, cacheWrite: 2.5 }],
      },
    },
    'claude-haiku-5-5': {
      ...large,
      prices: {
        input: 0.1,
        output: 0.5,
        cacheRead: 0.01,
        cacheWrite: 0.125,
        longInput: { above: 100_000, input: 0.5, output: 2.5, cacheRead: 0.05, cacheWrite: 0.625 },
      },
    },
    'claude-fable-5-1': { ...large, prices: { input: 10, output: 50 } },
    'claude-opus-5': { ...large, prices: { input: 5, output: 25, cacheRead: 0.5, cacheWrite: 6.25 } },
    'claude-sonnet-5': { ...large, prices: { input: 2, output: 10, cacheRead: 0.2, cacheWrite: 2.5 } },
    'claude-haiku-4-5-20251001': {
      contextWindow: 200_000,
      maxOutput: 64_000,
      vision: true,
      prices: { input: 1, output: 5, cacheRead: 0.1, cacheWrite: 1.25 },
    },
  },
  quirks: { verifiesSignatures: true },
  links: { keys: 'https://platform.claude.com/settings/keys', docs: 'https://platform.claude.com/docs' },
  notes: [
    'Leave OPENAI_API_KEY empty: what Claude Code sends, the login of a subscription or a key, goes on as it came and is stored nowhere.',
    'Leave ANTHROPIC_API_KEY of the env file empty, too: it would be the token of this instance, which is never sent on.',
    'Names of Claude models pass unchanged; BIG_MODEL, MIDDLE_MODEL and SMALL_MODEL replace those of their tier.',
  ],
  checked: '2026-11-29',
} satisfies Preset;
