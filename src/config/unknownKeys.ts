import { nearestName } from '../core/text.ts';
import { environmentName, settingTable } from '../quirks/settings.ts';
import { referencesIn } from './expand.ts';
import { isFamilyName, keyOfName } from './keyGroups.ts';
import type { EnvEntry } from './parseEnvText.ts';
import type { Report } from './report.ts';

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
