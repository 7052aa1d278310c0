import type { Prices } from '../core/models.ts';
import type { ModelFacts, Preset } from './preset.ts';

const common = { contextWindow: 1_048_576, maxOutput: 65_536, vision: true } as const satisfies ModelFacts;
/** The smaller models can nearly do without reasoning, the large ones cannot. */
const minimal = { efforts: ['minimal', 'low', 'medium', 'high'] } as const;
const xhigh = { efforts: ['low', 'medium', 'high', 'xhigh'] } as const;

/** An introductory price until 2026-11-30. */
const gemini4Prices = {
  input: 2,
  output: 10,
  cacheRead: 0.1,
  changes: [{ from: '2026-12-01', input: 4, output: 20, cacheRead: 0.2 }],
} as const satisfies Prices;

/** Models before 3.6 still take sampling parameters. */
const samples = { dropParams: [] } as const;

/** Sources: ai.google.dev (OpenAI compatibility, changelog, deprecations, pricing). */
export const gemini = {
  name: 'gemini',
  otherNames: ['google'],
  title: 'Gemini (Google)',
  telemetryName: 'gcp.gemini',
  protocol: 'chat',
  baseUrl: 'https://generativelanguage.googleapis.com/v1beta/openai',
  hosts: ['generativelanguage.googleapis.com'],
  keyNames: ['GEMINI_API_KEY', 'GOOGLE_API_KEY'],
  port: 8084,
  catalogue: 'google',
  tiers: { big: 'gemini-4-argon', middle: 'gemini-3.8-flash', small: 'gemini-3.5-flash-lite' },
  models: {
    'gemini-4-argon': { ...common, prices: gemini4Prices },
    'gemini-4-carbon': { ...common, prices: gemini4Prices },
    'gemini-4-neon': { ...common, prices: { input: 3, output: 15, cacheRead: 0.15 }, quirks: xhigh },
    'gemini-4-hydrogen': { ...common, prices: { input: 1.5, output: 7.5, cacheRead: 0.075 }, quirks: xhigh },
    'gemini-3.8-flash': {
      ...common,
      prices: {
        input: 0.75,
        output: 3.75,
        cacheRead: 0.075,
        changes: [{ from: '2027-01-01', input: 1.5, output: 7.5, cacheRead: 0.15 }],
      },
      quirks: minimal,
    },
    'gemini-3.6-flash': { ...common, prices: { input: 1.5, output: 7.5, cacheRead: 0.15 }, quirks: minimal },
    'gemini-3.5-flash-lite': { ...common, prices: { input: 0.3, output: 2.5, cacheRead: 0.03 }, quirks: minimal },
    'gemini-3.1-flash-lite': {
      ...common,
      prices: { input: 0.25, output: 1.5, cacheRead: 0.025 },
      quirks: { ...samples, ...minimal },
    },
    'gemini-3.1-pro-preview': {
      ...common,
      prices: {
        input: 2,
        output: 12,
        cacheRead: 0.2,
        longInput: { above: 200_000, input: 4, output: 18, cacheRead: 0.4 },
      },
      quirks: samples,
    },
  },
  quirks: {
    dropParams: ['temperature', 'top_p'],
    localStop: true,
    // Thinking counts into the limit and is hard to turn off: a small one would be used up before the answer.
    minOutput: 2048,
    schema: 'openapi',
    toolResultName: true,
    thoughtSignature: true,
    // Calls come whole, and their signature may come in a chunk of its own.
    toolArgs: 'buffer',
    parallelToolCalls: false,
    prefill: 'user',
    imageUrls: 'data',
  },
  // "You exceeded your current quota" is said of limits per minute, too.
  errorCodes: { RESOURCE_EXHAUSTED: 'rate_limited' },
  links: { keys: 'https://aistudio.google.com/apikey', docs: 'https://ai.google.dev/gemini-api/docs/openai' },
  notes: [
    'gemini-4-argon, -carbon and -neon are not part of the free tier; with a free key set BIG_MODEL=gemini-3.8-flash.',
    'gemini-4-argon and -carbon cost twice as much from 2026-12-01, gemini-3.8-flash from 2027-01-01.',
  ],
  checked: '2026-11-29',
} satisfies Preset;
