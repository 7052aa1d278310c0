import { nearestName } from '../core/text.ts';
import { defaultPreset, findPreset, findSibling, guessPreset, presets } from '../providers/index.ts';
import type { Preset } from '../providers/preset.ts';
import type { Choices } from './chooseValues.ts';
import { secretFileName } from './keyGroups.ts';
import { isPlaceholder } from './placeholder.ts';
import type { Report, Written } from './report.ts';
import type { Variables } from './variables.ts';

const names = presets.map((preset) => preset.name);

/** The preset of an instance: its provider's, in the protocol that PROTOCOL names where it has more than one. */
export function choosePreset(
  choices: Choices,
  variables: Variables,
  used: ReadonlySet<string>,
  report: Report,
): Preset | undefined {
  const preset = chooseProvider(choices, variables, used, report);
  return preset && inProtocol(preset, choices.get('PROTOCOL'), report);
}

/** The preset of the same provider for the protocol that is asked for; undefined when it has none, which is told. */
export function inProtocol(preset: Preset, protocol: Written | undefined, report: Report): Preset | undefined {
  const wanted = protocol?.value.toLowerCase();
  if (protocol === undefined || wanted === preset.protocol) return preset;
  // Another word is told as a wrong value.
  if (wanted !== 'anthropic' && wanted !== 'chat') return preset;
  const sibling = findSibling(preset, wanted);
  if (sibling === undefined)
    report.error(protocol, JSON.stringify(protocol.value), `Remove it: ${preset.name} speaks ${preset.protocol} only.`);
  return sibling;
}

/** The preset of this name; undefined when there is none, which is told. */
export function presetNamed(name: Written, report: Report): Preset | undefined {
  const preset = findPreset(name.value);
  if (preset === undefined) {
    const nearest = nearestName(name.value, names);
    const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`;
    report.error(name, JSON.stringify(name.value), `Set one of ${names.join(', ')}.${hint}`);
  }
  return preset;
}

/**
 * The preset that the keys of an env file tell, as in the earlier systems: of the one provider whose own key is there, else
 * OpenAI's where OPENAI_API_KEY is.
 * @param used names of keys that other files ask for, which tell nothing
 */
export function presetOfKeys(variables: Variables, used: ReadonlySet<string>): Preset | undefined {
  const isSet = (name: string) =>
    !used.has(name) && [name, secretFileName(name)].some((one) => (variables.get(one)?.value ?? '') !== '');
  const isOwn = (name: string) => isSet(name) && !isPlaceholder(variables.get(name)?.value ?? '');
  const owners = presets.filter((preset) => preset.protocol === 'chat' && preset.keyNames.some(isOwn));
  if (owners.length === 1) return owners[0];
  return isSet('OPENAI_API_KEY') ? defaultPreset : undefined;
}

/** The one that PROVIDER names, else by the address, else by the keys that are given. */
function chooseProvider(
  choices: Choices,
  variables: Variables,
  used: ReadonlySet<string>,
  report: Report,
): Preset | undefined {
  const named = choices.get('PROVIDER');
  if (named !== undefined) return presetNamed(named, report);
  const address = choices.get('OPENAI_BASE_URL');
  if (address !== undefined) return guessPreset(address.value);
  const keyed = presetOfKeys(variables, used);
  if (keyed !== undefined) return keyed;
  report.error({ key: 'PROVIDER' }, 'nothing', `Set one of ${names.join(', ')}.`);
  return undefined;
}
