import { isObject, type Json } from '../../core/json.ts';
import type { Config } from '../config.ts';
import { createReport, type Report } from '../diagnostics.ts';
import type { Values } from '../env/values.ts';
import { type Choices, type LookUp, referencesIn, secretFileName } from '../env/variables.ts';
import type { Files } from '../files.ts';
import { findSideFile, type SideFile } from '../sideFiles.ts';
import { type Missing, type Path, parseDocumentText } from './document.ts';
import { type Fields, placeAt, type Reading, readFields } from './fields.ts';
import { type FileValues, fileTable, type ProviderValues, providerTable } from './providersSchema.ts';

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

export const PROVIDERS_FILE: SideFile = {
  key: 'PROVIDERS_FILE',
  names: ['config/providers.json', 'providers.json'],
  what: 'providers',
};

/** The providers file of an instance. */
export interface ProvidersFile extends ProvidersDocument {
  /** Its path as problems show it; undefined when there is none. */
  readonly file: string | undefined;
  /** Names of variables that the file asks for. */
  readonly names: ReadonlySet<string>;
  /** Permission bits such as `644`, where other users may read it. */
  readonly openMode: string | undefined;
  /** Collects what is wrong in this file. */
  readonly report: Report;
}

/** Finds and reads the providers file. */
export function readProvidersFile(files: Files, choices: Choices, lookUp: LookUp, report: Report): ProvidersFile {
  const found = findSideFile(PROVIDERS_FILE, choices, files, report);
  const own = createReport(found?.file ?? '');
  const document = found && parseDocumentText(found.text, own);
  const read = document && readProviders({ document, lookUp, report: own });
  const names = referencesIn(found?.text ?? '');
  return {
    file: found?.file,
    values: read?.values ?? {},
    entries: read?.entries ?? [],
    names: new Set([...names, ...names.map(secretFileName)]),
    openMode: found?.openMode,
    report: own,
  };
}

/** Tells that nothing in the file can be used, unless an error says already why. */
export function reportNoProvider({ file, entries, report }: ProvidersFile): void {
  if (file === undefined || report.problems.some(({ severity }) => severity === 'error')) return;
  report.error(
    { key: 'providers' },
    entries.length === 0 ? 'no provider' : 'no provider that can be used',
    'Enable one and set the variables that it needs, or name a provider with PROVIDER in the env file.',
  );
}

/** Pause between health checks where there is a providers file that says nothing of them, in ms. */
const HEALTH_CHECK_MS = 300_000;

/** What the file says of all its providers together; a key that the env file has goes before it. */
export function fileSettings(
  { file, values: written }: Pick<ProvidersFile, 'file' | 'values'>,
  values: Values,
  choices: Choices,
): Pick<Config, 'strategy' | 'breaker' | 'healthCheck'> {
  const { failure_threshold: failures, recovery_timeout: openMs } = written.circuit_breaker ?? {};
  return {
    strategy: written.fallback_strategy ?? 'priority',
    breaker: {
      failures: choices.has('BREAKER_FAILURES') ? values.BREAKER_FAILURES : (failures ?? values.BREAKER_FAILURES),
      windowMs: values.BREAKER_WINDOW,
      openMs: choices.has('BREAKER_SECONDS') ? values.BREAKER_SECONDS : (openMs ?? values.BREAKER_SECONDS),
    },
    healthCheck: {
      intervalMs: written.health_check_interval ?? (file === undefined ? 0 : HEALTH_CHECK_MS),
      ask: written.health_check ?? 'models',
    },
  };
}
