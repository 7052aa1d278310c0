import { isObject, type Json, type JsonObject } from '../../core/json.ts';
import { nearestName } from '../../core/text.ts';
import type { QuirkSettings } from '../../quirks/settings.ts';
import { type Place, type Report, showText } from '../diagnostics.ts';
import type { LookUp } from '../env/variables.ts';
import { headerFault } from '../headers.ts';
import type { Form } from '../parsers.ts';
import { readQuirk } from '../quirks.ts';
import { expandTexts, type Missing, type ParsedDocument, type Path, showPath } from './document.ts';

/**
 * A field of a file in YAML or JSON. `docs/ENVIRONMENT.md` is generated from the tables of them.
 * - `list`: several texts of one form, or one alone.
 * - `mapping`: names of the user's own with any values; `group`: fields of a table of its own.
 * - `raw`: left as it is written, references and all, for whoever reads it further.
 */
export type FieldRow = { readonly about: string } & (
  | { readonly kind: 'scalar' | 'list'; readonly form: Form<unknown>; readonly secret?: true }
  | { readonly kind: 'mapping' }
  | { readonly kind: 'group'; readonly fields: FieldTable }
  | { readonly kind: 'raw'; readonly form: string }
);

export type FieldTable = Readonly<Record<string, FieldRow>>;

export const scalar = <T>(form: Form<T>, about: string) => ({ kind: 'scalar', form, about }) as const;
export const list = <T>(form: Form<T>, about: string) => ({ kind: 'list', form, about }) as const;
export const mapping = (about: string) => ({ kind: 'mapping', about }) as const;
export const group = <T extends FieldTable>(fields: T, about: string) => ({ kind: 'group', fields, about }) as const;
export const raw = (form: string, about: string) => ({ kind: 'raw', form, about }) as const;

type ValueOf<R> = R extends { readonly kind: 'group'; readonly fields: infer T extends FieldTable }
  ? FieldValues<T>
  : R extends { readonly kind: 'list'; readonly form: Form<infer V> }
    ? readonly V[]
    : R extends { readonly kind: 'scalar'; readonly form: Form<infer V> }
      ? V
      : R extends { readonly kind: 'raw' }
        ? Json
        : JsonObject;

/** The checked values of the fields of a table; those that are not written, or are wrong, are missing. */
export type FieldValues<T extends FieldTable> = { readonly [K in keyof T]?: ValueOf<T[K]> };

/** The row of a field; undefined for a name that is none. */
export function fieldRow(table: FieldTable, name: string): FieldRow | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

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
