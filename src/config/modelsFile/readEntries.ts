import { isObject, type Json } from '../../core/json.ts';
import { customId } from '../../core/modelName.ts';
import { warnOfMissing } from '../document/expandTexts.ts';
import type { Path } from '../document/parseDocumentText.ts';
import { type Fields, placeAt, type Reading, readFields, warnOfUnknownField } from '../document/readFields.ts';
import { type EntryValues, entryTable } from './entryTable.ts';

/** One model as the file has it, before it is known where it is served. */
export interface ModelEntry {
  /** Without `custom/`. */
  readonly id: string;
  readonly values: EntryValues;
  readonly place: Fields<typeof entryTable>['place'];
  /** Whether a variable that it refers to is not set, so that the model cannot be used. */
  readonly incomplete: boolean;
}

/** The models of the file: a list, or a mapping with the list under `models`. Everything wrong in it is told. */
export function readEntries(reading: Reading): readonly ModelEntry[] {
  const { document, report } = reading;
  const { value } = document;
  if (value === null) return [];
  const path = isObject(value) ? ['models'] : [];
  const list = isObject(value) ? value['models'] : value;
  if (isObject(value)) {
    for (const name of Object.keys(value))
      if (name !== 'models') warnOfUnknownField(name, ['models'], placeAt(document, [name]), report);
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
    const entry = readEntry(item, [...path, index], reading);
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

function readEntry(item: Json, path: Path, reading: Reading): ModelEntry | undefined {
  const { document, report } = reading;
  if (!isObject(item)) {
    report.error(placeAt(document, path), 'no model', 'Write "- model_id: NAME".');
    return undefined;
  }
  const { values, missing, place } = readFields(entryTable, item, path, reading);
  for (const one of missing) warnOfMissing(one, 'the model', report);
  const id = values.model_id?.replace(/^custom\//i, '');
  if (id === undefined) {
    // One that is wrong has been told.
    if ((item['model_id'] ?? null) === null)
      report.error(place('model_id'), 'nothing', 'Give the model a name: model_id: my-model');
    return undefined;
  }
  return { id, values, place, incomplete: missing.length > 0 };
}
