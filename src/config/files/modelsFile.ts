import { isObject, type Json, type JsonObject } from '../../core/json.ts';
import { customId, withoutContextSuffix } from '../../core/models.ts';
import { guessPreset } from '../../providers/index.ts';
import { modelSettings, type Preset, type Prices } from '../../providers/preset.ts';
import { type QuirkSettings, quirkTable } from '../../quirks/settings.ts';
import type { CustomModel, ProviderConfig, ProviderKey } from '../config.ts';
import { createDiagnostics, type Diagnostics, showValue } from '../diagnostics.ts';
import { type Choices, type LookUp, referencesIn, secretFileName } from '../env/variables.ts';
import { readHeaderMapping, readQuirkMapping } from '../overrides.ts';
import { baseUrl, type Form, modelName, number, text, tokens, yesOrNo } from '../parsers.ts';
import { chooseEndpoints, completeAddress, refuseUnusableModel } from '../provider.ts';
import { type FindNamedKey, needsNoKey, providerKey } from '../secrets.ts';
import { type CompanionFile, type CompanionFiles, findCompanionFile } from './companion.ts';
import {
  type Fields,
  type FieldTable,
  type FieldValues,
  locationAt,
  mapping,
  type Path,
  parseDocumentText,
  type Reading,
  readFields,
  scalar,
  warnOfMissing,
  warnOfUnknownField,
} from './document.ts';

const variableName: Form<string> = {
  form: 'the name of a variable, like MY_API_KEY; the key itself belongs into the env file',
  parse: (value) => (/^[A-Za-z_]\w*$/.test(value) ? value : undefined),
};

const EFFORTS: readonly string[] = quirkTable.defaultEffort.values.filter((effort) => effort !== '');
const effort: Form<string> = {
  form: EFFORTS.join(', '),
  parse: (value) => EFFORTS.find((one) => one === value.toLowerCase()),
};

/** A higher price for one token was meant for a million of them. */
const MOST_PER_TOKEN = 0.01;

/** The fields of a model in the models file. */
export const entryTable = {
  model_id: scalar(
    modelName,
    'Name by which clients and tiers ask for the model, also with `custom/` in front. Required.',
  ),
  model_name: scalar(text, 'The server’s name for it; without it the model_id.'),
  api_base: scalar(
    baseUrl,
    'Address of its API, to which `/chat/completions` is appended; without it the instance’s own. The provider’s preset is found by it.',
  ),
  api_key_name: {
    ...scalar(
      variableName,
      'Variable of the env file, or of the environment, that holds its key. Without it the instance’s own key is sent to the instance’s own server, none to a server on this machine, and to any other the model is refused.',
    ),
    secret: true,
  },
  can_stream: scalar(yesOrNo, 'Whether the server streams; else the whole answer is asked for and streamed from here.'),
  max_tokens: scalar(tokens, 'Largest output limit, in tokens.'),
  context: scalar(tokens, 'Context window, in tokens.'),
  max_input_tokens: scalar(tokens, 'The same, where context is not given.'),
  input_cost_per_token: scalar(number(0, MOST_PER_TOKEN), 'Price in US dollars for each token of input.'),
  output_cost_per_token: scalar(number(0, MOST_PER_TOKEN), 'Price in US dollars for each token of output.'),
  input_cost_per_million_tokens: scalar(number(0, 1e6), 'Price in US dollars for a million tokens of input.'),
  output_cost_per_million_tokens: scalar(number(0, 1e6), 'Price in US dollars for a million tokens of output.'),
  extra_headers: mapping('Headers sent with every request for the model.'),
  extra_body: mapping('Fields merged last into every request for the model.'),
  reasoning_effort: scalar(effort, 'Effort where the client names none, and the most that is asked for.'),
  enable_thinking: scalar(
    yesOrNo,
    'true: reasoning is switched by a field enable_thinking; false: it is always off where the server has that field.',
  ),
  temperature: scalar(number(0, 2), 'Sent in place of the client’s.'),
  quirks: mapping('What QUIRK_* is for the instance’s provider, without that prefix: `tool_choice: auto`.'),
} as const satisfies FieldTable;

/** The checked values of one entry. */
type EntryValues = FieldValues<typeof entryTable>;

/** One model as the file has it, before it is known where it is served. */
export interface ModelEntry {
  /** Without `custom/`. */
  readonly id: string;
  readonly values: EntryValues;
  readonly locationOf: Fields<typeof entryTable>['locationOf'];
  /** Whether a variable that it refers to is not set, so that the model cannot be used. */
  readonly incomplete: boolean;
}

/** The models of the file: a list, or a mapping with the list under `models`. Everything wrong in it is reported. */
function readEntries(reading: Reading): readonly ModelEntry[] {
  const { document, diagnostics } = reading;
  const { value } = document;
  if (value === null) return [];
  const path = isObject(value) ? ['models'] : [];
  const list = isObject(value) ? value['models'] : value;
  if (isObject(value)) {
    for (const name of Object.keys(value))
      if (name !== 'models') warnOfUnknownField(name, ['models'], locationAt(document, [name]), diagnostics);
  }
  if (!Array.isArray(list)) {
    diagnostics.error(
      { name: 'models', line: document.lineOf(path) },
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
      diagnostics.error(
        entry.locationOf('model_id'),
        `a second ${showValue(entry.id)}, after line ${earlier.locationOf('model_id').line}`,
        'Give each model a model_id of its own.',
      );
  }
  return [...entries.values()];
}

function readEntry(item: Json, path: Path, reading: Reading): ModelEntry | undefined {
  const { document, diagnostics } = reading;
  if (!isObject(item)) {
    diagnostics.error(locationAt(document, path), 'no model', 'Write "- model_id: NAME".');
    return undefined;
  }
  const { values, missing, locationOf } = readFields(entryTable, item, path, reading);
  for (const one of missing) warnOfMissing(one, 'the model', diagnostics);
  const id = values.model_id?.replace(/^custom\//i, '');
  if (id === undefined) {
    // A wrong one has been reported already.
    if ((item['model_id'] ?? null) === null)
      diagnostics.error(locationOf('model_id'), 'nothing', 'Give the model a name: model_id: my-model');
    return undefined;
  }
  return { id, values, locationOf, incomplete: missing.length > 0 };
}

export const MODELS_FILE: CompanionFile = {
  setting: 'MODELS_FILE',
  // The last one is of an earlier system.
  names: ['models.yaml', 'models.yml', 'models.json', 'custom_models.yaml'],
  what: 'models',
};

/** What stands in the models file of an instance. */
export interface ModelsFile {
  readonly file: string | undefined;
  readonly entries: readonly ModelEntry[];
  /** Names of variables that the file asks for. */
  readonly names: ReadonlySet<string>;
  /** Collects what is wrong in this file. */
  readonly diagnostics: Diagnostics;
}

/** Finds and reads the models file; no file, no models. */
export function readModelsFile(
  files: CompanionFiles,
  choices: Choices,
  lookUp: LookUp,
  diagnostics: Diagnostics,
): ModelsFile {
  const found = findCompanionFile(MODELS_FILE, choices, files, diagnostics);
  if (found === undefined)
    return { file: undefined, entries: [], names: new Set(), diagnostics: createDiagnostics('') };
  const { file, text } = found;
  const own = createDiagnostics(file);
  const document = parseDocumentText(text, own);
  const entries = document === undefined ? [] : readEntries({ document, lookUp, diagnostics: own });
  const keys = entries.flatMap(({ values }) => (values.api_key_name === undefined ? [] : [values.api_key_name]));
  const names = new Set([...referencesIn(text), ...keys, ...keys.map(secretFileName)]);
  return { file, entries, names, diagnostics: own };
}

const MILLION = 1_000_000;
const PRICE_FIELDS = [
  'input_cost_per_token',
  'input_cost_per_million_tokens',
  'output_cost_per_token',
  'output_cost_per_million_tokens',
] as const;

function price(
  { values, locationOf }: ModelEntry,
  side: 'input' | 'output',
  diagnostics: Diagnostics,
): number | undefined {
  const perMillion = values[`${side}_cost_per_million_tokens`];
  const perToken = values[`${side}_cost_per_token`];
  // Rounded, because 0.00000055 times a million is not quite 0.55.
  const computed = perToken === undefined ? undefined : Number((perToken * MILLION).toPrecision(12));
  if (perMillion !== undefined && computed !== undefined && perMillion !== computed)
    diagnostics.warning(
      locationOf(`${side}_cost_per_token`),
      'another price than that for a million tokens',
      `${side}_cost_per_million_tokens is used; remove one of them.`,
    );
  return perMillion ?? computed;
}

/** The prices of an entry in US dollars per million tokens; undefined when one of the two is missing, as half a cost is a wrong one. */
function entryPrices(entry: ModelEntry, diagnostics: Diagnostics): Prices | undefined {
  const input = price(entry, 'input', diagnostics);
  const output = price(entry, 'output', diagnostics);
  if (input !== undefined && output !== undefined) return { input, output };
  const alone = PRICE_FIELDS.find((field) => entry.values[field] !== undefined);
  if (alone !== undefined)
    diagnostics.warning(
      entry.locationOf(alone),
      'one price of two',
      'Set the prices of input and of output; until then costs are unknown.',
    );
  return undefined;
}

const STRENGTHS: readonly string[] = quirkTable.defaultEffort.values;

/** The configured effort is the one where the client names none, and the most that is sent. */
function effortSettings(effort: string, base: QuirkSettings): Partial<QuirkSettings> {
  const weaker = base.efforts.filter((one) => STRENGTHS.indexOf(one) < STRENGTHS.indexOf(effort));
  return {
    efforts: [...weaker, effort],
    defaultEffort: effort as QuirkSettings['defaultEffort'],
    ...(base.reasoningStyle === 'none' || base.reasoningStyle === 'effort_off' ? { reasoningStyle: 'effort' } : {}),
  };
}

/**
 * What an entry says of its model, as settings to be laid over those of its provider.
 * @param base The settings of the provider for the model.
 */
function entrySettings(entry: ModelEntry, base: QuirkSettings, diagnostics: Diagnostics): Partial<QuirkSettings> {
  const { values } = entry;
  const contextWindow = values.context ?? values.max_input_tokens;
  const body: JsonObject = {
    ...(values.temperature === undefined ? {} : { temperature: values.temperature }),
    ...(values.enable_thinking === false && base.reasoningStyle === 'enable_thinking'
      ? { enable_thinking: false }
      : {}),
    ...values.extra_body,
  };
  return {
    ...(values.max_tokens === undefined ? {} : { maxOutput: values.max_tokens }),
    ...(contextWindow === undefined ? {} : { contextWindow }),
    ...(values.can_stream === undefined ? {} : { upstreamStream: values.can_stream }),
    ...(values.enable_thinking === true ? { reasoningStyle: 'enable_thinking' } : {}),
    ...(values.reasoning_effort === undefined ? {} : effortSettings(values.reasoning_effort, base)),
    ...(Object.keys(body).length === 0 ? {} : { extraBody: { ...base.extraBody, ...body } }),
    ...readQuirkMapping(values.quirks, (name) => entry.locationOf('quirks', name), diagnostics),
  };
}

function origin(address: string): string | undefined {
  return URL.parse(address)?.origin;
}

/** The server of an entry's model, seen from the instance. */
interface ModelServer {
  readonly baseUrl: string;
  readonly preset: Preset;
  /** Whether it is the instance's own server, to which the instance's own key belongs. */
  readonly own: boolean;
}

function findServer(entry: ModelEntry, ownProvider: ProviderConfig, diagnostics: Diagnostics): ModelServer | undefined {
  const address = entry.values.api_base;
  if (address === undefined || address === ownProvider.baseUrl) {
    if (ownProvider.baseUrl !== '' || ownProvider.preset.protocol === 'demo')
      return { baseUrl: ownProvider.baseUrl, preset: ownProvider.preset, own: true };
    diagnostics.error(entry.locationOf('api_base'), 'nothing', 'Set the address of the model’s API.');
    return undefined;
  }
  const own = origin(address) === origin(ownProvider.baseUrl);
  const guessed = guessPreset(address);
  const preset = own && guessed.hosts.length === 0 ? ownProvider.preset : guessed;
  return { baseUrl: completeAddress(address, preset), preset, own };
}

/**
 * The key for an entry's server; undefined when there is none, which is reported. The instance's own key goes nowhere but to its
 * own server, unless the entry names its variable.
 */
function findKey(
  entry: ModelEntry,
  server: ModelServer,
  ownProvider: ProviderConfig,
  findNamedKey: FindNamedKey,
  diagnostics: Diagnostics,
): ProviderKey | undefined {
  const name = entry.values.api_key_name;
  if (name !== undefined) {
    const found = findNamedKey(name);
    if (found !== undefined) return providerKey(server.preset, found);
    // Where the instance passes on what the client sends, a model at the same server is no worse off than the instance.
    const passesOn = server.own && ownProvider.key.source === 'client';
    diagnostics.warning(
      entry.locationOf('api_key_name'),
      `${name}, which holds no key in the env file or the environment`,
      `Set ${name} in the env file; until then ${passesOn ? 'the key that the client sends is used' : 'the model is left out'}.`,
    );
    return passesOn ? ownProvider.key : undefined;
  }
  if (server.own) return ownProvider.key;
  if (needsNoKey(server.preset, server.baseUrl)) return { source: 'none', variable: '' };
  const host = URL.parse(server.baseUrl)?.hostname ?? '';
  diagnostics.error(
    entry.locationOf('api_key_name'),
    'nothing',
    `Name the variable that holds the key for ${host}. The instance’s own key is sent to another server only where OPENAI_API_KEY is named here.`,
  );
  return undefined;
}

function customModel(
  entry: ModelEntry,
  ownProvider: ProviderConfig,
  findNamedKey: FindNamedKey,
  diagnostics: Diagnostics,
): CustomModel | undefined {
  const server = findServer(entry, ownProvider, diagnostics);
  const key = server && findKey(entry, server, ownProvider, findNamedKey, diagnostics);
  const headers = readHeaderMapping(
    entry.values.extra_headers,
    (name) => entry.locationOf('extra_headers', name),
    diagnostics,
  );
  const prices = entryPrices(entry, diagnostics);
  if (server === undefined || key === undefined) return undefined;
  const { baseUrl, preset, own } = server;
  const model = withoutContextSuffix(entry.values.model_name ?? entry.id);
  const field = entry.values.model_name === undefined ? 'model_id' : 'model_name';
  const { endpoint, responsesEndpoint, protocol } =
    baseUrl === ownProvider.baseUrl ? ownProvider : chooseEndpoints(baseUrl, preset, undefined, undefined, diagnostics);
  const spoken = {
    preset,
    baseUrl,
    endpoint,
    ...(responsesEndpoint === undefined ? {} : { responsesEndpoint }),
    ...(protocol === undefined ? {} : { protocol }),
  };
  refuseUnusableModel(model, spoken, entry.locationOf(field), diagnostics);
  const overrides = own ? ownProvider.overrides : {};
  const settings = entrySettings(entry, modelSettings({ ...spoken, overrides }, model), diagnostics);
  return {
    id: entry.id,
    name: `custom/${entry.id}`,
    model,
    provider: {
      ...spoken,
      keyHeader: preset.keyHeader ?? 'authorization',
      key,
      headers: { ...(own ? ownProvider.headers : {}), ...headers },
      overrides: { ...overrides, ...settings },
    },
    ...(prices === undefined ? {} : { prices }),
  };
}

/** The usable models of the entries, by `customId`; what keeps one from being used is reported at its line. */
export function customModels(
  entries: readonly ModelEntry[],
  ownProvider: ProviderConfig,
  findNamedKey: FindNamedKey,
  diagnostics: Diagnostics,
): ReadonlyMap<string, CustomModel> {
  const models = new Map<string, CustomModel>();
  for (const entry of entries) {
    const model = entry.incomplete ? undefined : customModel(entry, ownProvider, findNamedKey, diagnostics);
    if (model !== undefined) models.set(customId(entry.id), model);
  }
  return models;
}
