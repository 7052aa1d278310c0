import { presets } from '../providers/index.ts';
import type { Preset } from '../providers/preset.ts';
import type { ModelPrefixes } from './config.ts';

/**
 * The prefixes that are taken off model names, like `openai/gpt-4o`: names of providers, as the earlier systems wrote them. At
 * a provider whose own ids have such a first part it belongs to the name; only `custom/`, which means the models file, never does.
 */
export function modelPrefixes(preset: Preset): ModelPrefixes {
  const namesOf = ({ name, otherNames = [] }: Preset) => [name, ...otherNames];
  const known = preset.idsHaveSlash === true ? ['custom'] : presets.flatMap(namesOf);
  const own = namesOf(preset).filter((name) => known.includes(name));
  return { own, other: [...new Set(known)].filter((name) => !own.includes(name)) };
}
