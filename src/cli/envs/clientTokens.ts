import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ClientToken, Config } from '../../config/config.ts';
import { createDiagnostics, formatProblems } from '../../config/diagnostics.ts';
import { type ClientEntry, clientName, editClients, readClients } from '../../config/files/clientTokensFile.ts';
import { parseDocumentText } from '../../config/files/document.ts';
import { localDay } from '../../core/clock.ts';
import { findPrices } from '../../telemetry/usage/cost.ts';
import type { Context, Invocation } from '../command.ts';
import { type ExitCode, exitCodes, Failure } from '../exitCodes.ts';
import { envFile } from '../supervisor/instances.ts';
import { withManagerLock } from '../supervisor/lock.ts';
import { type Column, renderTable } from '../terminal/table.ts';
import { applySettings, findInstance, reportOutcome, withAssignment } from './changeEnvFile.ts';
import { envPath, OWNER_ONLY, replaceFile } from './envFiles.ts';

type TokenInvocation = Invocation<
  'requestsPerMinute' | 'tokensPerDay' | 'costPerMonth' | 'models' | 'expires' | 'json'
>;

/** The number in the `schema` field: changes when a program that reads the JSON has to. */
const SCHEMA = 1;
/** Of a token; nobody guesses 256 bits. */
const TOKEN_BYTES = 32;
const PERMISSIONS = 0o777;

/** `./manage token add|list|revoke NAME [CLIENT]`. */
export async function changeTokens(context: Context, invocation: TokenInvocation): Promise<ExitCode> {
  const [action = '', name = '', client] = invocation.names;
  if (name === '') throw new Failure(`name an instance, as in: ./manage token ${action} NAME`, exitCodes.usage);
  if (action === 'list') {
    if (client !== undefined) throw new Failure('token list takes the name of one instance only', exitCodes.usage);
    return listTokens(context, invocation, name);
  }
  if (client === undefined)
    throw new Failure(`name a client, as in: ./manage token ${action} ${name} alice`, exitCodes.usage);
  if (clientName.parse(client) === undefined)
    throw new Failure(`"${client}" cannot be the name of a client: use ${clientName.form}`, exitCodes.usage);
  const own = { ...invocation, names: [name] };
  const isNewFile = await withManagerLock(context, own, async () =>
    action === 'add' ? addToken(context, invocation, name, client) : revokeToken(context, invocation, name, client),
  );
  // What runs may not read a file that was not there when it was started.
  if (isNewFile) await applySettings(context, own, name);
  return reportOutcome(context, name);
}

/** The tokens file of an instance; the text is empty where there is none. */
interface TokensFile {
  readonly config: Config;
  /** As it stands in the env file, or shall. */
  readonly file: string;
  readonly path: string;
  readonly text: string;
  readonly clients: readonly ClientToken[];
}

/** @throws Failure for an instance whose configuration is wrong, as nobody could say what its file is then */
function openTokensFile(context: Context, name: string): TokensFile {
  const { config, problems } = findInstance(context, name);
  if (config === undefined) {
    context.output.complain(formatProblems(problems.filter(({ severity }) => severity === 'error')));
    throw new Failure(`repair ${envPath(name)} first`, exitCodes.configuration);
  }
  const file = config.clients?.file ?? `envs/${name}.clients.yaml`;
  const path = resolve(context.root, file);
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return { config, file, path, text, clients: config.clients?.clients ?? readTokens(context, file, text) };
}

/** @throws Failure for a text that an instance could not start with */
function readTokens({ output }: Context, file: string, text: string): readonly ClientToken[] {
  const diagnostics = createDiagnostics(file);
  const document = parseDocumentText(text.trim() === '' ? '{}' : text, diagnostics);
  const read = document && readClients({ document, lookUp: () => undefined, diagnostics });
  const errors = diagnostics.problems.filter(({ severity }) => severity === 'error');
  if (read !== undefined && errors.length === 0) return read.clients;
  output.complain(formatProblems(errors));
  throw new Failure(`nothing was written; ${file} is left as it was`, exitCodes.configuration);
}

function write(context: Context, { file, path, text: before }: TokensFile, text: string): void {
  readTokens(context, file, text);
  const target = existsSync(path) ? realpathSync(path) : path;
  replaceFile(target, text, before === '' ? OWNER_ONLY : statSync(target).mode & PERMISSIONS);
}

const isCalled = (client: string) => (one: ClientToken) => one.name.toLowerCase() === client.toLowerCase();

/** @returns whether the instance has a tokens file for the first time */
function addToken(context: Context, invocation: TokenInvocation, name: string, client: string): boolean {
  const { output } = context;
  const tokens = openTokensFile(context, name);
  if (tokens.config.clientToken === undefined)
    throw new Failure(
      `${name} needs a token of its own first, for you and ./manage: openssl rand -hex 24 | ./manage key ${name} ANTHROPIC_API_KEY --stdin`,
      exitCodes.configuration,
    );
  if (tokens.clients.some(isCalled(client)))
    throw new Failure(
      `${client} has a token already; for a new one first: ./manage token revoke ${name} ${client}`,
      exitCodes.usage,
    );
  const token = `sk-ccp-${randomBytes(TOKEN_BYTES).toString('base64url')}`;
  const entry = entryOf(client, createHash('sha256').update(token).digest('hex'), invocation);
  write(context, tokens, editClients(tokens.text, { add: entry }));
  if (tokens.config.clients === undefined) {
    if (tokens.clients.length > 0)
      output.complain(
        `${tokens.file} was there already: the tokens of ${tokens.clients.map((one) => one.name).join(', ')} are valid, too`,
      );
    const file = realpathSync(envFile(findInstance(context, name)));
    const text = withAssignment(readFileSync(file, 'utf8'), 'CLIENT_TOKENS_FILE', tokens.file);
    replaceFile(file, text, statSync(file).mode & PERMISSIONS);
  }
  if (invocation.costPerMonth !== undefined) warnOfUnknownPrices(context, tokens.config, client);
  if (invocation.models !== undefined) warnOfOtherModels(context, tokens.config, client, namesOf(invocation.models));
  const { sha256: _hash, name: _name, ...limits } = entry;
  if (invocation.json)
    output.print(
      JSON.stringify({ schema: SCHEMA, instance: name, client, token, file: tokens.file, ...limits }, undefined, 2),
    );
  else {
    output.say(`The token of ${client}, which is shown only now; it is for ANTHROPIC_AUTH_TOKEN of its Claude Code:`);
    output.print(token);
  }
  return tokens.config.clients === undefined;
}

/** A limit of the cost does not hold for models without a known price. */
function warnOfUnknownPrices({ output }: Context, config: Config, client: string): void {
  const { big, middle, small } = config.tiers;
  const today = localDay(Date.now());
  const unpriced = [...new Set([big, middle, small])].filter((model) => findPrices(config, model, today) === undefined);
  if (unpriced.length > 0)
    output.complain(
      `the price of ${unpriced.join(', ')} is not known and counts nothing toward the cost of ${client}: PRICES_FILE, or --tokens-per-day`,
    );
}

const namesOf = (models: string) => models.split(',').map((model) => model.trim());

const TIERS = ['big', 'middle', 'small'];

/** A name that no tier has is right where clients ask for the model by it, and else a slip. */
function warnOfOtherModels({ output }: Context, { tiers }: Config, client: string, models: readonly string[]): void {
  const usual = [...new Set([tiers.big, tiers.middle, tiers.small])];
  const others = models.filter((model) => !TIERS.includes(model) && !usual.includes(model));
  if (others.length === 0) return;
  const verb = others.length === 1 ? 'is none' : 'are none';
  output.complain(
    `${others.join(', ')} ${verb} of the models of big, middle and small (${usual.join(', ')}): ${client} gets there only by asking for that name`,
  );
}

/** @throws Failure for a day that is over */
function lastDay(expires: string | undefined): string | undefined {
  const today = localDay(Date.now());
  if (expires === undefined || expires === 'today') return expires && today;
  if (expires === 'yesterday' || expires < today)
    throw new Failure(`--expires ${expires} is over: the token would never be valid`, exitCodes.usage);
  return expires;
}

function entryOf(client: string, sha256: string, invocation: TokenInvocation): ClientEntry {
  const { requestsPerMinute, tokensPerDay, costPerMonth, models, expires } = invocation;
  const day = lastDay(expires);
  return {
    name: client,
    sha256,
    ...(requestsPerMinute === undefined ? {} : { requests_per_minute: requestsPerMinute }),
    ...(tokensPerDay === undefined ? {} : { tokens_per_day: tokensPerDay }),
    ...(costPerMonth === undefined ? {} : { cost_per_month: costPerMonth }),
    ...(models === undefined ? {} : { models: namesOf(models) }),
    ...(day === undefined ? {} : { expires: day }),
  };
}

function revokeToken(context: Context, { json }: TokenInvocation, name: string, client: string): false {
  const { output } = context;
  const tokens = openTokensFile(context, name);
  const removeAt = tokens.clients.findIndex(isCalled(client));
  if (removeAt === -1)
    throw new Failure(`${name} has no client "${client}"; those it has: ./manage token list ${name}`, exitCodes.usage);
  write(context, tokens, editClients(tokens.text, { removeAt }));
  if (json) output.print(JSON.stringify({ schema: SCHEMA, instance: name, client, revoked: true }, undefined, 2));
  else output.say(`The token of ${client} is valid no more.`);
  return false;
}

const show = (value: number | string | undefined) =>
  typeof value === 'number' ? value.toLocaleString('en-US') : (value ?? '-');

const COLUMNS: readonly Column<ClientToken>[] = [
  { title: 'client', cell: ({ name }) => name },
  { title: 'requests/min', align: 'right', cell: ({ requestsPerMinute }) => show(requestsPerMinute) },
  { title: 'tokens/day', align: 'right', cell: ({ tokensPerDay }) => show(tokensPerDay) },
  { title: '$/month', align: 'right', cell: ({ costPerMonth }) => show(costPerMonth) },
  { title: 'expires', cell: ({ expires }) => show(expires) },
  { title: 'models', cell: ({ models }) => show(models?.join(', ')) },
];

function listTokens(context: Context, { json }: TokenInvocation, name: string): ExitCode {
  const { output } = context;
  const { file, clients } = openTokensFile(context, name);
  if (json) {
    const rows = clients.map((one) => ({
      client: one.name,
      requests_per_minute: one.requestsPerMinute ?? null,
      tokens_per_day: one.tokensPerDay ?? null,
      cost_per_month: one.costPerMonth ?? null,
      models: one.models ?? null,
      expires: one.expires ?? null,
    }));
    output.print(JSON.stringify({ schema: SCHEMA, instance: name, file, clients: rows }, undefined, 2));
  } else if (clients.length === 0)
    output.say(`${name} has no clients with tokens of their own; for one: ./manage token add ${name} alice`);
  else for (const line of renderTable(COLUMNS, clients, output.columns)) output.show(line);
  return exitCodes.ok;
}
