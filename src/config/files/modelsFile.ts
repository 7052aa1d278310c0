import { isObject, type Json } from '../../core/json.ts';
import { customId } from '../../core/modelName.ts';
import { settingTable } from '../../quirks/settings.ts';
import { createReport, type Report } from '../diagnostics.ts';
import { type Choices, type LookUp, referencesIn, secretFileName } from '../env/variables.ts';
import type { Files } from '../files.ts';
import { baseUrl, type Form, modelName, number, text, tokens, yesOrNo } from '../parsers.ts';
import { findSideFile, type SideFile } from '../sideFiles.ts';
import { type Path, parseDocumentText, warnOfMissing } from './document.ts';
import {
  type Fields,
  type FieldTable,
  type FieldValues,
  mapping,
  placeAt,
  type Reading,
  readFields,
  scalar,
  warnOfUnknownField,
} from './fields.ts';

const variableName: Form<string> = {
  form: 'the name of a variable, like MY_API_KEY; the key itself belongs into the env file',
  parse: (value) => (/^[A-Za-z_]\w*$/.test(value) ? value : undefined),
};

const EFFORTS: readonly string[] = settingTable.defaultEffort.values.filter((effort) => effort !== '');
const effort: Form<string> = {
  form: EFFORTS.join(', '),
  parse: (value) => EFFORTS.find((one) => one === value.toLowerCase()),
};

/** More than this a token is meant for a million of them. */
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
export type EntryValues = FieldValues<typeof entryTable>;

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

export const MODELS_FILE: SideFile = {
  key: 'MODELS_FILE',
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
  readonly report: Report;
}

/** Finds and reads the models file; no file, no models. */
export function readModelsFile(files: Files, choices: Choices, lookUp: LookUp, report: Report): ModelsFile {
  const found = findSideFile(MODELS_FILE, choices, files, report);
  if (found === undefined) return { file: undefined, entries: [], names: new Set(), report: createReport('') };
  const { file, text } = found;
  const own = createReport(file);
  const document = parseDocumentText(text, own);
  const entries = document === undefined ? [] : readEntries({ document, lookUp, report: own });
  const keys = entries.flatMap(({ values }) => (values.api_key_name === undefined ? [] : [values.api_key_name]));
  const names = new Set([...referencesIn(text), ...keys, ...keys.map(secretFileName)]);
  return { file, entries, names, report: own };
}
