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
