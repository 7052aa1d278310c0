import { isObject, type JsonObject } from '../../core/json.ts';
import type { QuirkSettings } from '../../quirks/settings.ts';
import { headerFault } from '../customHeaders.ts';
import { readQuirk } from '../quirks.ts';
import type { Place, Report } from '../report.ts';

/** Headers as a file has them: lower-case names, and none that is empty. */
export function readHeaderMapping(
  headers: JsonObject | undefined,
  placeOf: (name: string) => Place,
  report: Report,
): Readonly<Record<string, string>> {
  const read: [string, string][] = [];
  for (const [written, value] of Object.entries(headers ?? {})) {
    const name = written.toLowerCase();
    const text = String(value ?? '').trim();
    const fault = headerFault(name, text);
    if (fault !== undefined) report.error(placeOf(written), fault.found, fault.fix);
    else if (text !== '') read.push([name, text]);
  }
  return Object.fromEntries(read);
}

/** Settings as a file has them, under the names of QUIRK_* without that prefix. */
export function readQuirkMapping(
  quirks: JsonObject | undefined,
  placeOf: (name: string) => Place,
  report: Report,
): Partial<QuirkSettings> {
  const settings = Object.entries(quirks ?? {}).map(([name, value]) => {
    const text = isObject(value) ? JSON.stringify(value) : String(value ?? '').trim();
    return readQuirk(`QUIRK_${name.toUpperCase()}`, text, placeOf(name), report);
  });
  return Object.assign({}, ...settings);
}
