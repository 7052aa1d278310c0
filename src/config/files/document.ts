import { isObject, type Json, type JsonObject } from '../../core/json.ts';
import { nearestName } from '../../core/text.ts';
import { type Diagnostics, type SourceLocation, showValue } from '../diagnostics.ts';
import { type LookUp, replaceReferences } from '../env/variables.ts';
import type { Form } from '../parsers.ts';
import loadYaml from './loadYaml.cjs';

/** Where a value stands in the file: names of fields and 0-based positions in lists. */
export type Path = readonly (string | number)[];

export interface ParsedDocument {
  /** As JSON would give it. */
  readonly value: unknown;
  /** 1-based line of a field, or of the nearest thing around it that stands in the file. */
  readonly lineOf: (path: Path) => number | undefined;
}

/** `['models', 0, 'api_base']` -> `models[0].api_base`, for problems. */
export function showPath(path: Path): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '');
}

/** YAML, of which JSON is a part, to a value; undefined and a problem when the text is neither. */
export function parseDocumentText(text: string, diagnostics: Diagnostics): ParsedDocument | undefined {
  const { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } = loadYaml();
  const lines = new LineCounter();
  const options = { lineCounter: lines, prettyErrors: false, merge: true, logLevel: 'error' } as const;
  const document = parseDocument(text.replace(/^\ufeff/, ''), options);
  const lineAt = (offset: number) => lines.linePos(offset).line;
  // One fault usually brings others after it. The parser's own words may quote the file, which may hold a key.
  const [fault] = document.errors;
  if (fault !== undefined) {
    const kind = fault.code.toLowerCase().replaceAll('_', ' ');
    diagnostics.error(
      { name: 'file', line: lineAt(fault.pos[0]) },
      `text that is neither YAML nor JSON (${kind})`,
      'Repair the line; indentation is of blanks, and a value with special characters is put in double quotes.',
    );
    return undefined;
  }
  const lineOf = (path: Path): number | undefined => {
    const last = path.at(-1);
    const parent = document.getIn(path.slice(0, -1), true);
    const field = isMap(parent) ? parent.items.find(({ key }) => isScalar(key) && key.value === last)?.key : undefined;
    const node = field ?? (isSeq(parent) && typeof last === 'number' ? parent.items[last] : undefined);
    if (isNode(node) && node.range != null) return lineAt(node.range[0]);
    return path.length === 0 ? undefined : lineOf(path.slice(0, -1));
  };
  try {
    return { value: document.toJS(), lineOf };
  } catch {
    diagnostics.error(
      { name: 'file' },
      'an alias (*name) without its anchor (&name), or very many of them',
      'Write the values out.',
    );
    return undefined;
  }
}

/** A reference to a variable that has no value, and where it stands. */
export interface Missing {
  readonly variable: string;
  readonly location: SourceLocation;
}

/** The value with the references in all its texts replaced, and the names that have no value. */
export function expandTexts(
  written: Json,
  lookUp: LookUp,
  location: SourceLocation,
  diagnostics: Diagnostics,
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
      diagnostics.error(location, 'a reference that is not of the form ${NAME} or ${NAME:-default}', 'Write it so.');
    return replaced.text;
  };
  return { value: expand(written), missing: [...missing].map((variable) => ({ variable, location })) };
}

/** Warns of a reference without a value, because of which something is left out. */
export function warnOfMissing({ variable, location }: Missing, what: string, diagnostics: Diagnostics): void {
  diagnostics.warning(
    location,
    `\${${variable}}, which is set neither in the env file nor in the environment`,
    `Set ${variable} in the env file; ${what} is left out until then.`,
  );
}

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
function fieldRow(table: FieldTable, name: string): FieldRow | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** What is needed to read any part of a file. */
export interface Reading {
  readonly document: ParsedDocument;
  readonly lookUp: LookUp;
  readonly diagnostics: Diagnostics;
}

/** What stands in one mapping of a file. */
export interface Fields<T extends FieldTable> {
  readonly values: FieldValues<T>;
  /** References without a value; the fields they stand in are missing from the values. */
  readonly missing: readonly Missing[];
  /** Where a field, or something in it, stands or should stand. */
  readonly locationOf: (field: keyof T & string, ...steps: Path) => SourceLocation;
}

/** Where something of a file stands, for problems. */
export function locationAt(document: ParsedDocument, path: Path): SourceLocation {
  return { name: showPath(path), line: document.lineOf(path) };
}

/** Warns of a field that means nothing, and suggests the nearest that does. */
export function warnOfUnknownField(
  name: string,
  known: readonly string[],
  location: SourceLocation,
  diagnostics: Diagnostics,
): void {
  const nearest = nearestName(name, known);
  const hint = nearest === undefined ? 'See docs/ENVIRONMENT.md for the fields.' : `Did you mean ${nearest}?`;
  diagnostics.warning(location, 'a field that means nothing here', hint);
}

/** Reads the fields of one mapping by their table. Everything wrong in it is reported, but for missing variables, which are returned. */
export function readFields<T extends FieldTable>(table: T, item: JsonObject, path: Path, reading: Reading): Fields<T> {
  const { document, lookUp, diagnostics } = reading;
  const values: [string, unknown][] = [];
  const missing: Missing[] = [];
  for (const [name, written] of Object.entries(item)) {
    const row = fieldRow(table, name);
    const here = [...path, name];
    const location = locationAt(document, here);
    if (row === undefined) warnOfUnknownField(name, Object.keys(table), location, diagnostics);
    else if (written === null || written === undefined) continue;
    else if (row.kind === 'raw') values.push([name, written]);
    else if (row.kind === 'group' && isObject(written)) {
      const inner = readFields(row.fields, written, here, reading);
      values.push([name, inner.values]);
      missing.push(...inner.missing);
    } else {
      const expanded = expandTexts(written, lookUp, location, diagnostics);
      missing.push(...expanded.missing);
      if (expanded.missing.length === 0) values.push([name, readValue(row, expanded.value, written, here, reading)]);
    }
  }
  return {
    values: Object.fromEntries(values.filter(([, value]) => value !== undefined)) as FieldValues<T>,
    missing,
    locationOf: (field, ...steps) => locationAt(document, [...path, field, ...steps]),
  };
}

function readValue(
  row: Exclude<FieldRow, { kind: 'raw' }>,
  value: Json,
  written: Json,
  path: Path,
  { document, diagnostics }: Reading,
): unknown {
  const location = locationAt(document, path);
  if (row.kind === 'mapping' || row.kind === 'group') {
    if (!isObject(value)) diagnostics.error(location, 'no mapping', 'Write name: value pairs below it, indented.');
    return isObject(value) ? value : undefined;
  }
  const readScalar = (one: Json, asWritten: Json, at: SourceLocation): unknown => {
    if (typeof one === 'object' && one !== null) {
      diagnostics.error(at, 'several values', `Set ${row.form.form}.`);
      return undefined;
    }
    const parsed = row.form.parse(String(one ?? '').trim());
    if (parsed === undefined)
      diagnostics.error(at, showValue(String(asWritten), row.secret === true), `Set ${row.form.form}.`);
    return parsed;
  };
  if (row.kind === 'scalar') return readScalar(value, written, location);
  const [all, source] = [value, written].map((one) => (Array.isArray(one) ? one : [one]));
  return (all ?? [])
    .map((one, index) =>
      readScalar(
        one,
        source?.[index] ?? null,
        Array.isArray(value) ? locationAt(document, [...path, index]) : location,
      ),
    )
    .filter((one) => one !== undefined);
}
