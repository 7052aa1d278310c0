import { isFamilyName, keyOfName } from './keyGroups.ts';
import type { Report } from './report.ts';
import type { Variables } from './variables.ts';

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
