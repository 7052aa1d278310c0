import { isObject, type Json } from '../../core/json.ts';
import type { ClientToken, ClientTokens } from '../config.ts';
import { createDiagnostics, type Diagnostics, showFile, showValue } from '../diagnostics.ts';
import type { LookUp, Variable } from '../env/variables.ts';
import { type Form, integer, modelName, number } from '../parsers.ts';
import { type ReadText, readErrorCode } from './companion.ts';
import {
  type FieldTable,
  list,
  locationAt,
  type Path,
  parseDocumentText,
  type Reading,
  readFields,
  scalar,
} from './document.ts';
import loadYaml from './loadYaml.cjs';
import { DAY } from './pricesFile.ts';

/** The name stands in logs, metrics and usage, and is shown to the client. */
export const clientName: Form<string> = {
  form: 'a name of 1 to 64 letters, digits and . _ - @, the first a letter or digit',
  parse: (value) => (/^[A-Za-z0-9][\w.@-]{0,63}$/.test(value) ? value : undefined),
};

const sha256: Form<string> = {
  form: 'the SHA-256 of a token, 64 hexadecimal digits; ./manage token add makes both',
  parse: (value) => (/^[0-9a-f]{64}$/i.test(value) ? value.toLowerCase() : undefined),
};

const day: Form<string> = {
  form: 'a day like 2026-12-31',
  parse: (value) => (DAY.test(value) ? value : undefined),
};

/** The fields of one client. */
export const clientTable = {
  name: scalar(
    clientName,
    'Name of the client, different for each: for the log, the usage, the metrics and the page. Required.',
  ),
  sha256: {
    ...scalar(sha256, 'SHA-256 of its token in hexadecimal digits; the token itself stands nowhere. Required.'),
    secret: true,
  },
  requests_per_minute: scalar(integer(1, 1_000_000), 'Most requests within any 60 seconds.'),
  tokens_per_day: scalar(
    integer(1, 1_000_000_000_000),
    'Most tokens of a day of this machine’s calendar: input, from the cache or not, and output.',
  ),
  cost_per_month: scalar(
    number(0, 1_000_000_000),
    'Most US dollars of a month of this machine’s calendar; what has no known price counts nothing.',
  ),
  models: list(modelName, 'The only models that it may use, by their names here or as `big`, `middle` and `small`.'),
  expires: scalar(day, 'The last day on which the token is valid.'),
} as const satisfies FieldTable;

/** The fields of the file itself, beside the list `clients`. */
export const clientsTable = {
  replicas: scalar(
    integer(1, 10_000),
    'How many processes serve these clients, on all machines together. Each grants its equal share of each limit; with USAGE_POSTGRES_URL, of requests_per_minute alone. Default: 1.',
  ),
} as const satisfies FieldTable;

const FORM = 'Write {"clients": [{"name": "NAME", "sha256": "64 HEXADECIMAL DIGITS"}]}; ./manage token add does so.';

/** A field that is misspelt would be a limit that does not hold, so that it is an error here. */
function refuseUnknownFields(
  item: object,
  known: readonly string[],
  path: Path,
  { document, diagnostics }: Reading,
): void {
  for (const name of Object.keys(item)) {
    if (!known.includes(name))
      diagnostics.error(
        locationAt(document, [...path, name]),
        'a field that means nothing',
        `Use ${known.join(', ')}.`,
      );
  }
}

function readClient(item: Json, path: Path, reading: Reading): ClientToken | undefined {
  const { document, diagnostics } = reading;
  if (!isObject(item)) {
    diagnostics.error(locationAt(document, path), 'no client', FORM);
    return undefined;
  }
  refuseUnknownFields(item, Object.keys(clientTable), path, reading);
  const known = Object.fromEntries(Object.entries(item).filter(([name]) => Object.hasOwn(clientTable, name)));
  const { values, missing, locationOf } = readFields(clientTable, known, path, reading);
  for (const { variable, location } of missing)
    diagnostics.error(location, `\${${variable}}, which is not set`, 'Set it, or write the value.');
  for (const field of ['name', 'sha256'] as const) {
    if (item[field] === undefined || item[field] === null) diagnostics.error(locationOf(field), 'nothing', FORM);
  }
  if (values.name === undefined || values.sha256 === undefined) return undefined;
  return {
    name: values.name,
    sha256: values.sha256,
    requestsPerMinute: values.requests_per_minute,
    tokensPerDay: values.tokens_per_day,
    costPerMonth: values.cost_per_month,
    models: values.models,
    expires: values.expires,
  };
}

/** Everything in the file that can be read; everything wrong in it is reported. */
export function readClients(reading: Reading): Omit<ClientTokens, 'file'> {
  const { document, diagnostics } = reading;
  const { value } = document;
  const items = isObject(value) ? value['clients'] : undefined;
  if (!isObject(value) || (items !== undefined && items !== null && !Array.isArray(items))) {
    diagnostics.error(locationAt(document, isObject(value) ? ['clients'] : []), 'no list of clients', FORM);
    return { replicas: 1, clients: [] };
  }
  const { clients: _clients, ...own } = value;
  refuseUnknownFields(value, ['clients', ...Object.keys(clientsTable)], [], reading);
  const known = Object.fromEntries(Object.entries(own).filter(([name]) => Object.hasOwn(clientsTable, name)));
  const { replicas = 1 } = readFields(clientsTable, known, [], reading).values;
  const clients: ClientToken[] = [];
  for (const [index, item] of (Array.isArray(items) ? items : []).entries()) {
    const path = ['clients', index];
    const client = readClient(item, path, reading);
    if (client === undefined) continue;
    const { name, sha256: hash } = client;
    if (clients.some((other) => other.name.toLowerCase() === name.toLowerCase()))
      diagnostics.error(
        locationAt(document, [...path, 'name']),
        `a second ${showValue(name)}`,
        'Give each client a name of its own.',
      );
    else if (clients.some((other) => other.sha256 === hash))
      diagnostics.error(
        locationAt(document, [...path, 'sha256']),
        'the token of another client',
        'Give each client a token of its own.',
      );
    else clients.push(client);
  }
  return { replicas, clients };
}

/**
 * The clients of CLIENT_TOKENS_FILE, and what is wrong with the file; undefined without the setting.
 * @param hasOwnToken whether the instance has a token for its owner, which it needs where others have theirs
 */
export function readClientTokensFile(
  choice: Variable | undefined,
  hasOwnToken: boolean,
  readText: ReadText,
  lookUp: LookUp,
  diagnostics: Diagnostics,
): { readonly clients: ClientTokens | undefined; readonly diagnostics: Diagnostics } {
  const own = createDiagnostics(choice?.value ?? '');
  if (choice === undefined || choice.value === '') return { clients: undefined, diagnostics: own };
  if (!hasOwnToken)
    diagnostics.error(
      choice,
      'tokens of clients, without ANTHROPIC_API_KEY for you and ./manage',
      'Set ANTHROPIC_API_KEY, for instance from: openssl rand -hex 24',
    );
  try {
    const document = parseDocumentText(readText(choice.value), own);
    const read = document && readClients({ document, lookUp, diagnostics: own });
    return { clients: read && { file: choice.value, ...read }, diagnostics: own };
  } catch (error) {
    const found = `${showFile(choice.value)}, which cannot be read (${readErrorCode(error)})`;
    diagnostics.error(choice, found, 'Give the path of a readable file; a relative one starts from the project.');
    return { clients: undefined, diagnostics: own };
  }
}

/** A client as the file has it. */
export type ClientEntry = Readonly<Record<string, string | number | readonly string[]>>;

/**
 * The text of a tokens file with one more client, or without one. JSON stays JSON, and of YAML the comments stay.
 * @param text empty for a new file
 */
export function editClients(
  text: string,
  change: { readonly add: ClientEntry } | { readonly removeAt: number },
): string {
  const { parseDocument, isSeq } = loadYaml();
  const document = parseDocument(text.trim() === '' ? '{}\n' : text);
  if (!isSeq(document.get('clients', true))) document.set('clients', document.createNode([]));
  if ('add' in change) document.addIn(['clients'], document.createNode(change.add));
  else document.deleteIn(['clients', change.removeAt]);
  if (text.trimStart().startsWith('{')) return `${JSON.stringify(document.toJS(), undefined, 2)}\n`;
  // An empty file is written as blocks, and not in the braces by which it was begun.
  return text.trim() === '' ? new (loadYaml().Document)(document.toJS()).toString() : document.toString();
}
