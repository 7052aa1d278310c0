import { anthropic } from './anthropic.ts';
import { deepseek, deepseekAnthropic } from './deepseek.ts';
import { gemini } from './gemini.ts';
import { custom, customAnthropic, demo } from './generic.ts';
import { glm, glmAnthropic, glmCoding } from './glm.ts';
import { groq } from './groq.ts';
import { kimi, kimiAnthropic, kimiCoding, kimiCodingAnthropic } from './kimi.ts';
import { llamacpp, lmstudio, ollama, ollamaAnthropic, vllm } from './local.ts';
import { minimax, minimaxAnthropic } from './minimax.ts';
import { mistral } from './mistral.ts';
import { azure, openai } from './openai.ts';
import { openrouter, openrouterAnthropic } from './openrouter.ts';
import type { Preset } from './preset.ts';
import { qwen, qwenAnthropic } from './qwen.ts';
import { xai } from './xai.ts';

/** Every provider that is known by name. A new one is one data file and one line here. */
export const presets: readonly Preset[] = [
  kimi,
  kimiCoding,
  glmCoding,
  glm,
  minimax,
  gemini,
  deepseek,
  qwen,
  openai,
  azure,
  openrouter,
  xai,
  groq,
  mistral,
  ollama,
  vllm,
  llamacpp,
  lmstudio,
  anthropic,
  kimiAnthropic,
  kimiCodingAnthropic,
  glmAnthropic,
  minimaxAnthropic,
  deepseekAnthropic,
  qwenAnthropic,
  openrouterAnthropic,
  ollamaAnthropic,
  demo,
  custom,
  customAnthropic,
];

/** Those that most users come for, in the order in which they are offered. */
export const commonPresets: readonly Preset[] = [
  kimi,
  kimiCoding,
  glm,
  glmCoding,
  minimax,
  gemini,
  openai,
  openrouter,
  ollama,
  custom,
];

/** The preset that a value of PROVIDER names, in any case; undefined when there is none. */
export function findPreset(name: string): Preset | undefined {
  const wanted = name.toLowerCase();
  return presets.find((preset) => preset.name === wanted || preset.otherNames?.includes(wanted) === true);
}

/** What the names of presets of native endpoints end in: `kimi-anthropic` is the one of `kimi`. */
const NATIVE = /-anthropic$/;

/** The preset of the same provider that speaks the other protocol; undefined when the provider does not. */
export function findSibling({ name }: Preset, protocol: 'chat' | 'anthropic'): Preset | undefined {
  const sibling = findPreset(protocol === 'chat' ? name.replace(NATIVE, '') : `${name}-anthropic`);
  return sibling?.protocol === protocol ? sibling : undefined;
}

/** The preset for an address, by its host; servers that nobody knows get `custom`. */
export function guessPreset(baseUrl: string): Preset {
  const { hostname = '', pathname = '' } = URL.parse(baseUrl) ?? {};
  const isAt = (place: string) =>
    place.startsWith('.') ? hostname.endsWith(place) : `${hostname}${pathname}/`.startsWith(`${place}/`);
  const fitting = presets.flatMap((preset) => preset.hosts.filter(isAt).map((place) => ({ preset, place })));
  return fitting.sort((one, other) => other.place.length - one.place.length)[0]?.preset ?? custom;
}

/** The provider of an env file that has a key and nothing more, as in the earlier systems. */
export const defaultPreset: Preset = openai;

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
  const places = [preset, guessPreset(baseUrl)].map(({ name }) => name.replace(NATIVE, ''));
  if (places.some((name) => known.presets.includes(name))) return undefined;
  const isUnknownServer = places.every((name) => name === 'custom');
  return isUnknownServer && known.presets.length === 0 ? undefined : known.vendor;
}
