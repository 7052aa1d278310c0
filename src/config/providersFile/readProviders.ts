import { isObject, type Json } from '../../core/json.ts';
import type { Missing } from '../document/expandTexts.ts';
import type { Path } from '../document/parseDocumentText.ts';
import { type Fields, placeAt, type Reading, readFields } from '../document/readFields.ts';
import { type FileValues, fileTable, type ProviderValues, providerTable } from './providerTable.ts';

/** One provider as the file has it, before it is known what serves it. */
export interface ProviderEntry {
  readonly name: string;
  readonly values: ProviderValues;
  readonly place: Fields<typeof providerTable>['place'];
  /** References to variables that are not set. */
  readonly missing: readonly Missing[];
  /** Whether a field is written, be it wrong. */
  readonly has: (field: keyof ProviderValues) => boolean;
}

/** What stands in a providers file. */
export interface ProvidersDocument {
  readonly values: FileValues;
  readonly entries: readonly ProviderEntry[];
}

/** A mapping with the list under `providers`, the list alone, or one provider alone; undefined for anything else. */
function findList(
  value: unknown,
): { readonly items: readonly Json[]; readonly path: Path; readonly alone?: true } | undefined {
  if (value === null) return { items: [], path: [] };
  if (Array.isArray(value)) return { items: value, path: [] };
  if (!isObject(value)) return undefined;
  if (Array.isArray(value['providers'])) return { items: value['providers'], path: ['providers'] };
  const isProvider = value['providers'] === undefined && 'name' in value;
  return isProvider ? { items: [value], path: [], alone: true } : undefined;
}

/** Everything in the file that can be read; everything wrong in it is told. */
export function readProviders(reading: Reading): ProvidersDocument {
  const { document, report } = reading;
  const { value } = document;
  const found = findList(value);
  const hasOwnFields = isObject(value) && found?.alone !== true;
  const values = hasOwnFields ? readFields(fileTable, value, [], reading).values : {};
  if (found === undefined) {
    report.error(
      placeAt(document, ['providers']),
      'no list of providers',
      'Write {"providers": [{"name": "NAME", "base_url": "ADDRESS", "api_key": "${KEY}", "models": {"big": ["MODEL"]}}]}.',
    );
    return { values, entries: [] };
  }
  const entries = new Map<string, ProviderEntry>();
  for (const [index, item] of found.items.entries()) {
    const entry = readProvider(item, found.alone === true ? [] : [...found.path, index], reading);
    if (entry === undefined) continue;
    const name = entry.name.toLowerCase();
    const earlier = entries.get(name);
    if (earlier === undefined) entries.set(name, entry);
    else
      report.error(
        entry.place('name'),
        `a second ${JSON.stringify(entry.name)}, after line ${earlier.place('name').line}`,
        'Give each provider a name of its own.',
      );
  }
  return { values, entries: [...entries.values()] };
}

function readProvider(item: Json, path: Path, reading: Reading): ProviderEntry | undefined {
  const { document, report } = reading;
  if (!isObject(item)) {
    report.error(placeAt(document, path), 'no provider', 'Write {"name": "NAME", ...}.');
    return undefined;
  }
  const { values, missing, place } = readFields(providerTable, item, path, reading);
  const has = (field: keyof ProviderValues) => (item[field] ?? null) !== null;
  if (values.name === undefined) {
    // One that is wrong has been told.
    if (!has('name')) report.error(place('name'), 'nothing', 'Give the provider a name: "name": "my-provider"');
    return undefined;
  }
  return { name: values.name, values, place, missing, has };
}
