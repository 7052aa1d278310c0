import { nearestName } from '../../core/text.ts';
import { environmentName, settingTable } from '../../quirks/settings.ts';
import type { Report } from '../diagnostics.ts';
import type { EnvEntry } from './parse.ts';
import { isFamilyName, keyOfName, referencesIn, type Variables } from './variables.ts';

const known = [...keyOfName.keys(), ...Object.keys(settingTable).map(environmentName)];

/**
 * Warns of names that mean nothing here, unless another value refers to them.
 * @param used names that another file asks for
 */
export function warnOfUnknownKeys(
  entries: ReadonlyMap<string, EnvEntry>,
  used: ReadonlySet<string>,
  report: Report,
): void {
  const referred = new Set([...used, ...[...entries.values()].flatMap((entry) => referencesIn(entry.value))]);
  for (const entry of entries.values()) {
    if (keyOfName.has(entry.key) || isFamilyName(entry.key) || referred.has(entry.key)) continue;
    const nearest = nearestName(entry.key, known);
    const hint = nearest === undefined ? 'See docs/ENVIRONMENT.md for the names.' : `Did you mean ${nearest}?`;
    report.warning(entry, 'a name that means nothing here', hint);
  }
}

/** Keys that say something of the env file's own provider only. */
const OWN = new Set(['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'PROTOCOL', 'REGION', 'API_VERSION']);

/**
 * Warns of lines of the env file without effect where all providers stand in the providers file.
 * @param used names of variables that other files ask for
 */
export function warnOfIdleKeys(variables: Variables, used: ReadonlySet<string>, report: Report): void {
  for (const variable of variables.values()) {
    const { key, value, source } = variable;
    if (source !== 'file' || value === '' || used.has(key)) continue;
    if (OWN.has(keyOfName.get(key) ?? '') || isFamilyName(key))
      report.warning(
        variable,
        'a setting of the env file’s own provider, of which there is none beside a providers file without PROVIDER',
        'Set it in the providers file, or name the provider with PROVIDER.',
      );
  }
}
