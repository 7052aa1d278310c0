import { custom } from './custom.ts';
import { demo } from './demo.ts';
import { gemini } from './gemini.ts';
import { glm } from './glm.ts';
import { kimi } from './kimi.ts';
import { minimax } from './minimax.ts';
import { openai } from './openai.ts';
import type { Preset } from './preset.ts';

/** Every provider that is known by name. A new one is one data file and one line here. */
export const presets: readonly Preset[] = [kimi, glm, minimax, gemini, openai, demo, custom];

/** The preset that a value of PROVIDER names, in any case; undefined when there is none. */
export function findPreset(name: string): Preset | undefined {
  const wanted = name.toLowerCase();
  return presets.find((preset) => preset.name === wanted || preset.otherNames?.includes(wanted) === true);
}

/** The preset for an address, by its host; servers that nobody knows get `custom`. */
export function guessPreset(baseUrl: string): Preset {
  const host = URL.parse(baseUrl)?.hostname ?? '';
  return presets.find((preset) => preset.hosts.includes(host)) ?? custom;
}

/** The provider of an env file that has a key and nothing more, as in the earlier systems. */
export const defaultPreset: Preset = openai;
