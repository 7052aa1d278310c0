import type { ModelFacts, Preset } from './preset.ts';

const large = { contextWindow: 1_000_000, maxOutput: 128_000, vision: true } as const satisfies ModelFacts;

/** Sources: platform.claude.com/docs (models, errors, token counting), the requests of Claude Code itself. */
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
  tiers: { big: 'claude-opus-5', middle: 'claude-sonnet-5', small: 'claude-haiku-4-5-20251001' },
  models: {
    'claude-opus-5': large,
    'claude-sonnet-5': large,
    'claude-haiku-4-5-20251001': { contextWindow: 200_000, maxOutput: 64_000, vision: true },
  },
  quirks: {},
  links: { keys: 'https://platform.claude.com/settings/keys', docs: 'https://platform.claude.com/docs' },
  notes: [
    'Leave OPENAI_API_KEY empty: what Claude Code sends, the login of a subscription or a key, goes on as it came and is stored nowhere.',
    'Leave ANTHROPIC_API_KEY of the env file empty, too: it would be the token of this instance, which is never sent on.',
    'Names of Claude models pass unchanged; BIG_MODEL, MIDDLE_MODEL and SMALL_MODEL replace those of their tier.',
  ],
  checked: '2026-11-20',
} satisfies Preset;
