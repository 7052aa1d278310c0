import { nearestName } from '../core/nearestName.ts';
import { defaultPreset, findPreset, guessPreset, presets } from '../providers/index.ts';
import type { Preset } from '../providers/preset.ts';
import type { Choices } from './chooseValues.ts';
import { secretFileName } from './keyGroups.ts';
import type { Report } from './report.ts';
import type { Variables } from './variables.ts';

/** The preset of an instance: the one that PROVIDER names, else by the address, else OpenAI's where only a key is given. */
export function choosePreset(choices: Choices, variables: Variables, report: Report): Preset | undefined {
  const names = presets.map((preset) => preset.name);
  const named = choices.get('PROVIDER');
  const address = choices.get('OPENAI_BASE_URL');
  if (named !== undefined) {
    const preset = findPreset(named.value);
    if (preset === undefined) {
      const nearest = nearestName(named.value, names);
      const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`;
      report.error(named, JSON.stringify(named.value), `Set one of ${names.join(', ')}.${hint}`);
    }
    return preset;
  }
  if (address !== undefined) return guessPreset(address.value);
  if (['OPENAI_API_KEY', secretFileName('OPENAI_API_KEY')].some((name) => (variables.get(name)?.value ?? '') !== ''))
    return defaultPreset;
  report.error({ key: 'PROVIDER' }, 'nothing', `Set one of ${names.join(', ')}.`);
  return undefined;
}
