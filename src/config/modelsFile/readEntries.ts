import { isObject, type Json } from '../../core/json.ts';
import { customId } from '../../core/modelName.ts';
import { nearestName } from '../../core/nearestName.ts';
import { replaceReferences } from '../expand.ts';
import type { Place, Report } from '../report.ts';
import { showText } from '../showText.ts';
import { type EntryValues, entryTable, type FieldName, type FieldRow, fieldRow } from './entryTable.ts';
import { type ModelsDocument, type Path, showPath } from './parseModelsText.ts';

/** One model as the file has it, before it is known where it is served. */
export interface ModelEntry {
  /** Without `custom/`. */
  readonly id: string;
  readonly values: EntryValues;
  /** Where a field stands, or should. */
  readonly place: (field: FieldName) => Place;
  /** Whether a variable that it refers to is not set, so that the model cannot be used. */
  readonly incomplete: boolean;
}

/** Gives the value of a variable. */
export type LookUp = (name: string) => string | undefined;

/** The models of the file: a list, or a mapping with the list under `models`. Everything wrong in it is told. */
export function readEntries(document: ModelsDocument, lookUp: LookUp, report: Report): readonly ModelEntry[] {
  const { value } = document;
  if (value === null) return [];
  const path = isObject(value) ? ['models'] : [];
  const list = isObject(value) ? value['models'] : value;
  if (isObject(value)) {
    for (const name of Object.keys(value))
      if (name !== 'models') warnOfUnknown(name, ['models'], { key: name, line: document.lineOf([name]) }, report);
  }
  if (!Array.isArray(list)) {
    report.error(
      { key: 'models', line: document.lineOf(path) },
      'no list of models',
      'Begin each model with "- model_id: NAME".',
    );
    return [];
  }
  const entries = new Map<string, ModelEntry>();
  for (const [index, item] of (list as Json[]).entries()) {
    const entry = readEntry(item, [...path, index], document, lookUp, report);
    if (entry === undefined) continue;
    const id = customId(entry.id);
    const earlier = entries.get(id);
    if (earlier === undefined) entries.set(id, entry);
    else
      report.error(
        entry.place('model_id'),
        `a second ${JSON.stringify(entry.id)}, after line ${earlier.place('model_id').line}`,
        'Give each model a model_id of its own.',
      );
  }
  return [...entries.values()];
}

function warnOfUnknown(name: string, known: readonly string[], place: Place, report: Report): void {
  const nearest = nearestName(name, known);
  const hint = nearest === undefined ? 'See docs/ENVIRONMENT.md for the fields.' : `Did you mean ${nearest}?`;
  report.warning(place, 'a field that means nothing here', hint);
}

function readEntry(
  item: Json,
  path: Path,
  document: ModelsDocument,
  lookUp: LookUp,
  report: Report,
): ModelEntry | undefined {
  const place = (field: string): Place => ({
    key: showPath([...path, field]),
    line: document.lineOf([...path, field]),
  });
  if (!isObject(item)) {
    report.error({ key: showPath(path), line: document.lineOf(path) }, 'no model', 'Write "- model_id: NAME".');
    return undefined;
  }
  const values: [string, unknown][] = [];
  let incomplete = false;
  for (const [name, written] of Object.entries(item)) {
    const row = fieldRow(name);
    if (row === undefined) warnOfUnknown(name, Object.keys(entryTable), place(name), report);
    else if (written !== null && written !== undefined) {
      const { value, missing } = expandField(written, lookUp, place(name), report);
      for (const variable of missing)
        report.warning(
          place(name),
          `\${${variable}}, which is set neither in the env file nor in the environment`,
          `Set ${variable} in the env file; the model is left out until then.`,
        );
      incomplete ||= missing.length > 0;
      if (missing.length === 0) values.push([name, readField(row, value, written, place(name), report)]);
    }
  }
  const entry = Object.fromEntries(values.filter(([, value]) => value !== undefined)) as EntryValues;
  const id = entry.model_id?.replace(/^custom\//i, '');
  if (id === undefined) {
    // One that is wrong has been told.
    if ((item['model_id'] ?? null) === null)
      report.error(place('model_id'), 'nothing', 'Give the model a name: model_id: my-model');
    return undefined;
  }
  return { id, values: entry, place, incomplete };
}

/** The value with the references in all its texts replaced, and the names that have no value. */
function expandField(
  written: Json,
  lookUp: LookUp,
  place: Place,
  report: Report,
): { readonly value: Json; readonly missing: readonly string[] } {
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
  return { value: expand(written), missing: [...missing] };
}

function readField(row: FieldRow, value: Json, written: Json, place: Place, report: Report): unknown {
  if (row.kind === 'mapping') {
    if (!isObject(value)) report.error(place, 'no mapping', 'Write name: value pairs below it, indented.');
    return isObject(value) ? value : undefined;
  }
  if (typeof value === 'object' && value !== null) {
    report.error(place, 'several values', `Set ${row.form.form}.`);
    return undefined;
  }
  const parsed = row.form.parse(String(value).trim());
  if (parsed === undefined)
    report.error(place, showText(String(written), row.secret === true), `Set ${row.form.form}.`);
  return parsed;
}
