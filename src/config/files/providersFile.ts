import { isObject, type Json } from '../../core/json.ts';
import type { Config, Strategy } from '../config.ts';
import { createDiagnostics, type Diagnostics, showValue } from '../diagnostics.ts';
import type { SettingValues } from '../env/settings.ts';
import { type Choices, type LookUp, referencesIn, secretFileName } from '../env/variables.ts';
import { baseUrl, choice, duration, type Form, integer, modelName, number, text, yesOrNo } from '../parsers.ts';
import { type CompanionFile, type CompanionFiles, findCompanionFile } from './companion.ts';
import {
  type Fields,
  type FieldTable,
  type FieldValues,
  group,
  list,
  locationAt,
  type Missing,
  mapping,
  type Path,
  parseDocumentText,
  type Reading,
  raw,
  readFields,
  scalar,
} from './document.ts';

/** The name stands in headers, and before the comma of `provider,model`. */
const providerName: Form<string> = {
  form: 'a name of plain letters, digits and signs, without commas',
  parse: (value) => (/^[\x20-\x2b\x2d-\x7e]+$/.test(value) ? value : undefined),
};

const STRATEGIES = ['priority', 'round_robin', 'random', 'weighted'] as const satisfies readonly Strategy[];
const HEALTH_QUESTIONS = ['models', 'request'] as const satisfies readonly Config['healthCheck']['ask'][];

const KEY_FORM = 'a key, or `${NAME}` with the name of a variable';

/** The fields of one provider. */
export const providerTable = {
  name: scalar(
    providerName,
    'Name of the provider, different for each: for `<name>,<model>`, the log and `./manage status`. Required.',
  ),
  enabled: scalar(yesOrNo, 'false leaves the provider out. Default: true.'),
  priority: scalar(
    integer(0, 1_000_000),
    'The lowest is asked first; equal ones in the order of the file. Default: 1.',
  ),
  weight: scalar(number(0, 1_000_000), 'Share of the conversations where fallback_strategy is `weighted`. Default: 1.'),
  preset: scalar(
    text,
    'Preset by its name (docs/PROVIDERS.md); without it the one whose address base_url is, else `custom`.',
  ),
  protocol: scalar(
    choice('chat', 'responses', 'anthropic'),
    'As PROTOCOL: `responses` for OpenAI’s Responses API, `anthropic` for the provider’s own Messages API.',
  ),
  region: scalar(text, 'As REGION: another address of the preset.'),
  api_key: raw(
    KEY_FORM,
    'The key. Not needed for a server on this machine, and for presets whose servers ask for none. A provider whose variable is not set is left out.',
  ),
  api_keys: raw(
    `${KEY_FORM}; or a list of them`,
    'Further keys of the same account. Each conversation stays with one of them, and another takes over from a key that is exhausted or refused.',
  ),
  base_url: scalar(baseUrl, 'As OPENAI_BASE_URL; without it the preset’s address.'),
  api_version: scalar(text, 'As API_VERSION.'),
  timeout: scalar(duration('seconds', 1, 86_400), 'As REQUEST_TIMEOUT, which is the default.'),
  max_retries: scalar(
    integer(0, 20),
    'How often a failed request is repeated at this provider. Without it MAX_RETRIES, but none as long as another model or provider can be asked.',
  ),
  custom_headers: mapping('Headers sent with every request to this provider.'),
  models: group(
    {
      big: list(modelName, 'Models for opus: the first is asked, the next when it fails. Default: the preset’s.'),
      middle: list(modelName, 'Models for sonnet. Default: those of big where they are given, else the preset’s.'),
      small: list(modelName, 'Models for haiku. Default: the preset’s, else those of middle.'),
    },
    'Models per tier, each a list or one name.',
  ),
  quirks: mapping('What QUIRK_* is for the env file’s own provider, without that prefix: `tool_choice: auto`.'),
} as const satisfies FieldTable;

/** The fields of the file itself. */
export const fileTable = {
  providers: raw('a list of providers', 'The providers; a file may also be such a list alone, or one provider alone.'),
  fallback_strategy: scalar(
    choice(...STRATEGIES),
    'Which provider a new conversation begins with; it then stays there, and the others take over when that one fails. Default: priority.',
  ),
  health_check_interval: scalar(
    duration('seconds', 0, 86_400),
    'Pause between the checks of a provider that nobody has asked meanwhile; 0 checks none. Default: 300.',
  ),
  health_check: scalar(
    choice(...HEALTH_QUESTIONS),
    'What a check asks for: the list of `models`, which costs nothing, or by a `request` one token of an answer. Default: models.',
  ),
  circuit_breaker: group(
    {
      failure_threshold: scalar(integer(1, 1000), 'As BREAKER_FAILURES, which goes first where the env file has it.'),
      recovery_timeout: scalar(
        duration('seconds', 1, 86_400),
        'As BREAKER_SECONDS, which goes first where the env file has it.',
      ),
    },
    'When requests keep away from a provider that fails.',
  ),
} as const satisfies FieldTable;

/** The checked values of one provider. */
type ProviderValues = FieldValues<typeof providerTable>;

/** The checked values of the file itself. */
type FileValues = FieldValues<typeof fileTable>;

/** One provider as the file has it, before it is known what serves it. */
export interface ProviderEntry {
  readonly name: string;
  readonly values: ProviderValues;
  readonly locationOf: Fields<typeof providerTable>['locationOf'];
  /** References to variables that are not set. */
  readonly missing: readonly Missing[];
  /** Whether a field is written, even with a wrong value. */
  readonly has: (field: keyof ProviderValues) => boolean;
}

/** What stands in a providers file. */
interface ProvidersDocument {
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

/** Everything in the file that can be read; everything wrong in it is reported. */
export function readProviders(reading: Reading): ProvidersDocument {
  const { document, diagnostics } = reading;
  const { value } = document;
  const found = findList(value);
  const hasOwnFields = isObject(value) && found?.alone !== true;
  const values = hasOwnFields ? readFields(fileTable, value, [], reading).values : {};
  if (found === undefined) {
    diagnostics.error(
      locationAt(document, ['providers']),
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
      diagnostics.error(
        entry.locationOf('name'),
        `a second ${showValue(entry.name)}, after line ${earlier.locationOf('name').line}`,
        'Give each provider a name of its own.',
      );
  }
  return { values, entries: [...entries.values()] };
}

function readProvider(item: Json, path: Path, reading: Reading): ProviderEntry | undefined {
  const { document, diagnostics } = reading;
  if (!isObject(item)) {
    diagnostics.error(locationAt(document, path), 'no provider', 'Write {"name": "NAME", ...}.');
    return undefined;
  }
  const { values, missing, locationOf } = readFields(providerTable, item, path, reading);
  const has = (field: keyof ProviderValues) => (item[field] ?? null) !== null;
  if (values.name === undefined) {
    // A wrong one has been reported already.
    if (!has('name'))
      diagnostics.error(locationOf('name'), 'nothing', 'Give the provider a name: "name": "my-provider"');
    return undefined;
  }
  return { name: values.name, values, locationOf, missing, has };
}

export const PROVIDERS_FILE: CompanionFile = {
  setting: 'PROVIDERS_FILE',
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
  readonly diagnostics: Diagnostics;
}

/** Finds and reads the providers file. */
export function readProvidersFile(
  files: CompanionFiles,
  choices: Choices,
  lookUp: LookUp,
  diagnostics: Diagnostics,
): ProvidersFile {
  const found = findCompanionFile(PROVIDERS_FILE, choices, files, diagnostics);
  const own = createDiagnostics(found?.file ?? '');
  const document = found && parseDocumentText(found.text, own);
  const read = document && readProviders({ document, lookUp, diagnostics: own });
  const names = referencesIn(found?.text ?? '');
  return {
    file: found?.file,
    values: read?.values ?? {},
    entries: read?.entries ?? [],
    names: new Set([...names, ...names.map(secretFileName)]),
    openMode: found?.openMode,
    diagnostics: own,
  };
}

/** Reports that nothing in the file can be used, unless an error says already why. */
export function reportNoProvider({ file, entries, diagnostics }: ProvidersFile): void {
  if (file === undefined || diagnostics.problems.some(({ severity }) => severity === 'error')) return;
  diagnostics.error(
    { name: 'providers' },
    entries.length === 0 ? 'no provider' : 'no provider that can be used',
    'Enable one and set the variables that it needs, or name a provider with PROVIDER in the env file.',
  );
}

/** Pause between health checks where there is a providers file that says nothing of them, in ms. */
const HEALTH_CHECK_MS = 300_000;

/** What the file says of all its providers together; a setting of the env file goes before it. */
export function fileSettings(
  { file, values: written }: Pick<ProvidersFile, 'file' | 'values'>,
  values: SettingValues,
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
