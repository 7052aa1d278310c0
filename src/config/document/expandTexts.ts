import { isObject, type Json } from '../../core/json.ts';
import { replaceReferences } from '../expand.ts';
import type { Place, Report } from '../report.ts';
import type { LookUp } from '../variables.ts';

/** A reference to a variable that has no value, and where it stands. */
export interface Missing {
  readonly variable: string;
  readonly place: Place;
}

/** The value with the references in all its texts replaced, and the names that have no value. */
export function expandTexts(
  written: Json,
  lookUp: LookUp,
  place: Place,
  report: Report,
): { readonly value: Json; readonly missing: readonly Missing[] } {
  const missing = new Set<string>();
  const expand = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(expand);
    if (isObject(value))
      return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, expand(inner ?? null)]));
    if (typeof value !== 'string') return value;
    const replaced = replaceReferences(value, lookUp);
    for (const name of replaced.missing) missing.add(name);
    if (replaced.malformed)
      report.error(place, 'a reference that is not of the form ${NAME} or ${NAME:-default}', 'Write it so.');
    return replaced.text;
  };
  return { value: expand(written), missing: [...missing].map((variable) => ({ variable, place })) };
}

/** Tells of a reference without a value, for the sake of which something is left out. */
export function warnOfMissing({ variable, place }: Missing, what: string, report: Report): void {
  report.warning(
    place,
    `\${${variable}}, which is set neither in the env file nor in the environment`,
    `Set ${variable} in the env file; ${what} is left out until then.`,
  );
}
