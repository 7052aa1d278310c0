import { guessPreset } from './index.ts';
import type { Preset } from './preset.ts';

/** How the keys of a vendor begin, where no other vendor's do. */
export interface KeyPrefix {
  readonly prefix: string;
  /** Whose keys they are, for messages. */
  readonly vendor: string;
  /** The presets that take such a key, without `-anthropic`; none for a vendor that has no preset. */
  readonly presets: readonly string[];
}

/**
 * Sources: the vendors' pages for keys and the rules of secret scanners, as of 2026-11-30. Left out is what several vendors share, as
 * `sk-` with nothing behind it.
 */
export const keyPrefixes: readonly KeyPrefix[] = [
  { prefix: 'sk-ant-', vendor: 'Anthropic', presets: ['anthropic'] },
  { prefix: 'sk-proj-', vendor: 'OpenAI', presets: ['openai'] },
  { prefix: 'sk-svcacct-', vendor: 'OpenAI', presets: ['openai'] },
  { prefix: 'sk-admin-', vendor: 'OpenAI', presets: ['openai'] },
  { prefix: 'AIza', vendor: 'Google', presets: ['gemini'] },
  { prefix: 'gsk_', vendor: 'Groq', presets: ['groq'] },
  { prefix: 'xai-', vendor: 'xAI', presets: ['xai'] },
  { prefix: 'sk-or-', vendor: 'OpenRouter', presets: ['openrouter'] },
  { prefix: 'sk-kimi-', vendor: 'Kimi Code', presets: ['kimi-coding'] },
  { prefix: 'sk-cp-', vendor: 'MiniMax', presets: ['minimax'] },
  { prefix: 'csk-', vendor: 'Cerebras', presets: [] },
  { prefix: 'pplx-', vendor: 'Perplexity', presets: [] },
  { prefix: 'nvapi-', vendor: 'NVIDIA', presets: [] },
  { prefix: 'hf_', vendor: 'Hugging Face', presets: [] },
  { prefix: 'ghp_', vendor: 'GitHub', presets: [] },
  { prefix: 'github_pat_', vendor: 'GitHub', presets: [] },
];

/** A shorter text is a word of a test or an example, and no key. */
const SHORTEST_KEY = 16;

/**
 * The vendor whose key this is by its beginning, where the provider is another one; undefined where it may well be the provider's.
 * A server that nobody knows counts as another one, unless the vendor has no preset: it is reached by its bare address then.
 * @param baseUrl whose host says more than the preset, as with `custom`
 */
export function foreignVendor(key: string, preset: Preset, baseUrl: string): string | undefined {
  if (key.length < SHORTEST_KEY) return undefined;
  const known = keyPrefixes.find(({ prefix }) => key.startsWith(prefix));
  if (known === undefined) return undefined;
  const places = [preset, guessPreset(baseUrl)].map(({ name }) => name.replace(/-anthropic$/, ''));
  if (places.some((name) => known.presets.includes(name))) return undefined;
  const isUnknownServer = places.every((name) => name === 'custom');
  return isUnknownServer && known.presets.length === 0 ? undefined : known.vendor;
}
