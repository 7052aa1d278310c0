import type { ModelFacts, Preset } from './preset.ts';

const reasons = { quirks: { reasoningStyle: 'effort', thinkingOff: false } } as const satisfies ModelFacts;

/** Sources: console.groq.com/docs/models (limits, prices), docs.getbifrost.ai (parameters). */
export const groq = {
  name: 'groq',
  title: 'Groq',
  protocol: 'chat',
  baseUrl: 'https://api.groq.com/openai/v1',
  hosts: ['api.groq.com'],
  keyNames: ['GROQ_API_KEY'],
  idsHaveSlash: true,
  catalogue: 'groq',
  tiers: { big: 'openai/gpt-oss-120b', middle: 'openai/gpt-oss-120b', small: 'openai/gpt-oss-20b' },
  models: {
    'openai/gpt-oss-120b': {
      ...reasons,
      contextWindow: 131_072,
      maxOutput: 65_536,
      prices: { input: 0.15, output: 0.6 },
    },
    'openai/gpt-oss-20b': {
      ...reasons,
      contextWindow: 131_072,
      maxOutput: 65_536,
      prices: { input: 0.075, output: 0.3 },
    },
    'llama-3.3-70b-versatile': {
      contextWindow: 131_072,
      maxOutput: 32_768,
      prices: { input: 0.59, output: 0.79 },
    },
    'qwen/qwen3.6-27b': {
      contextWindow: 131_072,
      maxOutput: 16_384,
      vision: true,
      prices: { input: 0.6, output: 3 },
    },
  },
  quirks: {
    vision: false,
    maxTokensField: 'max_completion_tokens',
    toolsMax: 128,
    reasoningStyle: 'none',
    reasoningReplay: 'reasoning',
  },
  links: { keys: 'https://console.groq.com/keys', docs: 'https://console.groq.com/docs' },
  notes: [
    'The free plan allows so few tokens a minute that one request of Claude Code is more: lower QUIRK_MAX_OUTPUT or use a paid plan.',
  ],
  checked: '2026-11-20',
} satisfies Preset;
