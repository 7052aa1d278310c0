import { isObject, type Json, type JsonObject } from '../../core/json.ts';
import { nearestName } from '../../core/text.ts';
import type { Place, Report } from '../report.ts';
import { showText } from '../showText.ts';
import type { LookUp } from '../variables.ts';
import { expandTexts, type Missing } from './expandTexts.ts';
import { type FieldRow, type FieldTable, type FieldValues, fieldRow } from './fieldTable.ts';
import { type ParsedDocument, type Path, showPath } from './parseDocumentText.ts';

/** What is needed to read any part of a file. */
export interface Reading {
  readonly document: ParsedDocument;
  readonly lookUp: LookUp;
  readonly report: Report;
}

/** What stands in one mapping of a file. */
export interface Fields<T extends FieldTable> {
  readonly values: FieldValues<T>;
  /** References without a value; the fields they stand in are missing from the values. */
  readonly missing: readonly Missing[];
  /** Where a field, or something in it, stands or should stand. */
  readonly place: (field: keyof T & string, ...steps: Path) => Place;
}

/** Where something of a file stands, for problems. */
export function placeAt(document: ParsedDocument, path: Path): Place {
  return { key: showPath(path), line: document.lineOf(path) };
}

/** Tells of a field that means nothing, with the nearest that means something. */
export function warnOfUnknownField(name: string, known: readonly string[], place: Place, report: Report): void {
  const nearest = nearestName(name, known);
  const hint = nearest === undefined ? 'See docs/ENVIRONMENT.md for the fields.' : `Did you mean ${nearest}?`;
  report.warning(place, 'a field that means nothing here', hint);
}

/** Reads the fields of one mapping by their table. Everything wrong in it is told but the missing variables. */
export function readFields<T extends FieldTable>(table: T, item: JsonObject, path: Path, reading: Reading): Fields<T> {
  const { document, lookUp, report } = reading;
  const values: [string, unknown][] = [];
  const missing: Missing[] = [];
  for (const [name, written] of Object.entries(item)) {
    const row = fieldRow(table, name);
    const here = [...path, name];
    const place = placeAt(document, here);
    if (row === undefined) warnOfUnknownField(name, Object.keys(table), place, report);
    else if (written === null || written === undefined) continue;
    else if (row.kind === 'raw') values.push([name, written]);
    else if (row.kind === 'group' && isObject(written)) {
      const inner = readFields(row.fields, written, here, reading);
      values.push([name, inner.values]);
      missing.push(...inner.missing);
    } else {
      const expanded = expandTexts(written, lookUp, place, report);
      missing.push(...expanded.missing);
      if (expanded.missing.length === 0) values.push([name, readValue(row, expanded.value, written, here, reading)]);
    }
  }
  return {
    values: Object.fromEntries(values.filter(([, value]) => value !== undefined)) as FieldValues<T>,
    missing,
    place: (field, ...steps) => placeAt(document, [...path, field, ...steps]),
  };
}

function readValue(
  row: Exclude<FieldRow, { kind: 'raw' }>,
  value: Json,
  written: Json,
  path: Path,
  { document, report }: Reading,
): unknown {
  const place = placeAt(document, path);
  if (row.kind === 'mapping' || row.kind === 'group') {
    if (!isObject(value)) report.error(place, 'no mapping', 'Write name: value pairs below it, indented.');
    return isObject(value) ? value : undefined;
  }
  const readScalar = (one: Json, asWritten: Json, at: Place): unknown => {
    if (typeof one === 'object' && one !== null) {
      report.error(at, 'several values', `Set ${row.form.form}.`);
      return undefined;
    }
    const parsed = row.form.parse(String(one ?? '').trim());
    if (parsed === undefined)
      report.error(at, showText(String(asWritten), row.secret === true), `Set ${row.form.form}.`);
    return parsed;
  };
  if (row.kind === 'scalar') return readScalar(value, written, place);
  const [all, source] = [value, written].map((one) => (Array.isArray(one) ? one : [one]));
  return (all ?? [])
    .map((one, index) =>
      readScalar(one, source?.[index] ?? null, Array.isArray(value) ? placeAt(document, [...path, index]) : place),
    )
    .filter((one) => one !== undefined);
}
