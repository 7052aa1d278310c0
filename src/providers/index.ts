import { azure } from './azure.ts';
import { custom } from './custom.ts';
import { deepseek } from './deepseek.ts';
import { demo } from './demo.ts';
import { gemini } from './gemini.ts';
import { glm } from './glm.ts';
import { glmCoding } from './glmCoding.ts';
import { groq } from './groq.ts';
import { kimi } from './kimi.ts';
import { kimiCoding } from './kimiCoding.ts';
import { llamacpp } from './llamacpp.ts';
import { lmstudio } from './lmstudio.ts';
import { minimax } from './minimax.ts';
import { mistral } from './mistral.ts';
import { ollama } from './ollama.ts';
import { openai } from './openai.ts';
import { openrouter } from './openrouter.ts';
import type { Preset } from './preset.ts';
import { qwen } from './qwen.ts';
import { vllm } from './vllm.ts';
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
  demo,
  custom,
];

/** The preset that a value of PROVIDER names, in any case; undefined when there is none. */
export function findPreset(name: string): Preset | undefined {
  const wanted = name.toLowerCase();
  return presets.find((preset) => preset.name === wanted || preset.otherNames?.includes(wanted) === true);
}

/** The preset for an address, by its host; servers that nobody knows get `custom`. */
export function guessPreset(baseUrl: string): Preset {
  const { hostname = '', pathname = '' } = URL.parse(baseUrl) ?? {};
  const isAt = (place: string) =>
    place.startsWith('.') ? hostname.endsWith(place) : `${hostname}${pathname}/`.startsWith(`${place}/`);
  return presets.find((preset) => preset.hosts.some(isAt)) ?? custom;
}

/** The provider of an env file that has a key and nothing more, as in the earlier systems. */
export const defaultPreset: Preset = openai;
