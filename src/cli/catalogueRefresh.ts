import { createReadStream, mkdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { setGlobalProxyFromEnv } from 'node:http';
import { dirname, join, resolve } from 'node:path';
import {
  CATALOGUE_FILE,
  type Catalogue,
  catalogueText,
  readPublicCatalogue,
  refreshPreset,
} from '../config/files/catalogue.ts';
import { loadCatalogue } from '../config/load.ts';
import { tlsHint } from '../core/errors.ts';
import { isObject } from '../core/json.ts';
import { terminalSafe } from '../core/text.ts';
import { presets } from '../providers/index.ts';
import type { ModelFacts, Preset } from '../providers/preset.ts';
import { type Context, callerDirectory, type Invocation } from './command.ts';
import { replaceFile } from './envs/envFiles.ts';
import { type ExitCode, exitCodes, Failure } from './exitCodes.ts';
import { renderTable } from './terminal/table.ts';

const CATALOGUE_URL = 'https://models.dev/api.json';
/** The public catalogue has a few megabytes. */
const MOST_BYTES = 32 * 1024 * 1024;
const TIMEOUT_MS = 30_000;
const OWNER_ONLY = 0o600;

/** The number in the `schema` field: changes when a program that reads the JSON has to. */
const SCHEMA = 1;

/** A catalogue as it came, with the day of which it is (YYYY-MM-DD). */
interface CatalogueSource {
  /** Address or path, without what may be secret in it. */
  readonly source: string;
  readonly date: string;
  readonly text: string;
}

function utcDay(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** The text of a stream. @throws Failure for one that is longer than any catalogue. */
async function readText(stream: AsyncIterable<Uint8Array>, source: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > MOST_BYTES) throw new Failure(`${source} is longer than ${MOST_BYTES} bytes; no catalogue is`);
    chunks.push(chunk);
  }
  // Leaves out the mark with which some editors begin a file.
  return new TextDecoder().decode(Buffer.concat(chunks));
}

/** What went wrong below `fetch`, which itself only says that it failed. */
function describeFetchError(error: unknown): string {
  const { name, message, cause } = error as Error;
  if (name === 'TimeoutError') return `no whole answer within ${TIMEOUT_MS / 1000} s`;
  const reason = cause instanceof Error ? cause : new Error(message);
  const code = 'code' in reason ? String(reason.code) : '';
  return tlsHint(code) ?? (reason.message || code);
}

async function download(address: string, environment: Context['environment'], now: number): Promise<CatalogueSource> {
  const url = URL.parse(address);
  if (url === null || url.username !== '' || url.password !== '')
    throw new Failure('--from takes an address without user and password, or a file', exitCodes.usage);
  // A query may hold a token.
  const source = `${url.origin}${url.pathname}`;
  const restore = setGlobalProxyFromEnv(environment);
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok || response.body === null)
      throw new Failure(`${source} answers with status ${response.status} and not with a catalogue`);
    return { source, date: utcDay(now), text: await readText(response.body, source) };
  } catch (error) {
    if (error instanceof Failure) throw error;
    const way = 'without network access: ./manage providers --refresh --from FILE';
    throw new Failure(`${source} cannot be read: ${terminalSafe(describeFetchError(error))}; ${way}`);
  } finally {
    restore();
  }
}

/** A file is of the day on which it was last changed. */
async function readFile(path: string, directory: string, now: number): Promise<CatalogueSource> {
  const source = resolve(directory, path);
  try {
    // Looked at before it is opened: a pipe does not open until somebody writes into it.
    const found = await stat(source);
    if (!found.isFile()) throw new Failure(`${source} is no file`);
    const date = utcDay(Math.min(found.mtimeMs, now));
    return { source, date, text: await readText(createReadStream(source), source) };
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`${source} cannot be read (${error instanceof Error && 'code' in error ? error.code : error})`);
  }
}

/** One fact of a model that a refresh changes; null for one that is not known. */
export interface FactChange {
  /** Of the preset; of those that share their models the first. */
  readonly provider: string;
  readonly model: string;
  readonly field: string;
  readonly old: number | string | null;
  readonly new: number | string | null;
}

/** `{input: 1, peak: {input: 2}}` -> `price.input` 1, `price.peak.input` 2 */
function flatten(value: unknown, path: string): readonly (readonly [string, number | string])[] {
  if (typeof value === 'number' || typeof value === 'string') return [[path, value]];
  if (Array.isArray(value)) return value.flatMap((one, index) => flatten(one, `${path}.${index}`));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => flatten(inner, `${path}.${name}`));
}

function factsByField({ contextWindow, maxOutput, prices }: ModelFacts): ReadonlyMap<string, number | string> {
  return new Map([
    ...flatten(contextWindow, 'context_window'),
    ...flatten(maxOutput, 'max_output'),
    ...flatten(prices, 'price'),
  ]);
}

/** What differs between two catalogues as the presets use them, each model and field once. */
export function compareCatalogues(
  known: readonly Preset[],
  before: Catalogue | undefined,
  after: Catalogue,
): readonly FactChange[] {
  const changes = new Map<string, FactChange>();
  for (const preset of known) {
    const old = refreshPreset(preset, before).models;
    for (const [model, facts] of Object.entries(refreshPreset(preset, after).models)) {
      const was = factsByField(old[model] ?? {});
      const is = factsByField(facts);
      for (const field of new Set([...was.keys(), ...is.keys()])) {
        const change = { old: was.get(field) ?? null, new: is.get(field) ?? null };
        if (change.old === change.new) continue;
        const key = JSON.stringify([preset.catalogue, model, field, change]);
        if (!changes.has(key)) changes.set(key, { provider: preset.name, model, field, ...change });
      }
    }
  }
  return [...changes.values()];
}

function show(value: FactChange['old']): string {
  return typeof value === 'number' ? value.toLocaleString('en-US', { maximumFractionDigits: 6 }) : (value ?? '-');
}

function changeTable(changes: readonly FactChange[], columns: number | undefined): string {
  return renderTable(
    [
      { title: 'provider', cell: ({ provider }) => provider, dropOrder: 1 },
      { title: 'model', cell: ({ model }) => model, minimum: 12 },
      { title: 'field', cell: ({ field }) => field },
      { title: 'old', align: 'right', cell: (change: FactChange) => show(change.old) },
      { title: '', cell: () => '->' },
      { title: 'new', align: 'right', cell: (change: FactChange) => show(change.new) },
    ],
    changes,
    columns,
  ).join('\n');
}

/**
 * Takes windows, output limits and prices of known models from a public catalogue, shows what differs, and keeps it when the user
 * agrees. Running instances take it over by themselves.
 * @throws Failure for a catalogue that cannot be had or used; what was kept before stays
 */
export async function refreshCatalogue(
  context: Context,
  { from = CATALOGUE_URL, yes, json }: Pick<Invocation<'from' | 'yes' | 'json'>, 'from' | 'yes' | 'json'>,
): Promise<ExitCode> {
  const { root, output, environment, prompter } = context;
  const now = Date.now();
  const { source, date, text } = /^https?:/i.test(from)
    ? await download(from, environment, now)
    : await readFile(from, callerDirectory(environment), now);
  const read = readPublicCatalogue(text, presets);
  if (read.fault !== undefined) throw new Failure(`${source} is no catalogue that can be used: ${read.fault}`);
  const { providers, found, known, skipped } = read;
  const catalogue = { date, source, providers };
  const changes = compareCatalogues(presets, loadCatalogue(root).catalogue, catalogue);
  const newer = presets.filter((preset) => preset.catalogue !== undefined && preset.checked > date);

  if (!json) {
    if (changes.length > 0) output.print(changeTable(changes, output.columns));
    output.say(
      `${changes.length === 0 ? 'Nothing differs' : `${changes.length} facts differ`}; ${source} of ${date} has ${found} of the ${known} models that are known.`,
    );
    for (const line of skipped) output.complain(`left out: ${line}`);
    if (newer.length > 0)
      output.complain(
        `not used for ${newer.map(({ name }) => name).join(', ')}, whose facts were checked after ${date}, the day of this catalogue`,
      );
  }
  const agreed = yes || (!json && (await prompter?.confirm('Use these from now on?')));
  if (agreed === true) {
    const path = join(root, CATALOGUE_FILE);
    mkdirSync(dirname(path), { recursive: true });
    replaceFile(path, catalogueText(catalogue), OWNER_ONLY);
  }
  if (json) {
    const report = { schema: SCHEMA, date, source, found, known, skipped, changes, written: agreed === true };
    output.print(JSON.stringify(report, undefined, 2));
    return exitCodes.ok;
  }
  if (agreed === undefined)
    throw new Failure(
      'nothing is written, as there is no terminal to ask on; to do it without: --yes',
      exitCodes.usage,
    );
  output.say(
    agreed
      ? `Kept in ${CATALOGUE_FILE}; running instances use it within a second. To take it back, remove the file.`
      : 'Cancelled; nothing was changed.',
  );
  return agreed ? exitCodes.ok : exitCodes.failed;
}
