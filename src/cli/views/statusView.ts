import { formatProblems } from '../../config/diagnostics.ts';
import { CLIENT_TIMEOUT_MS } from '../../config/identity.ts';
import { formatDuration, terminalSafe } from '../../core/text.ts';
import type { Context, Invocation } from '../command.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { combineHealth, countFallbacks, type Health, providerTrouble } from '../supervisor/health.ts';
import { type Inspection, inspect, isWorkerServing, listAll, type Worker } from '../supervisor/inspect.ts';
import { addressOf, describeIgnoredEnvFiles, type Instance, selectInstances } from '../supervisor/instances.ts';
import { deriveState, diagnosisLine, isUp, type State } from '../supervisor/state.ts';
import { type Colour, formatBytes, localTime, type Output } from '../terminal/output.ts';
import { type Column, renderTable } from '../terminal/table.ts';

/** One instance as `status` shows it. */
export interface StatusEntry {
  readonly inspection: Inspection;
  readonly state: State;
  /** What the instance reports of itself; undefined when it does not answer. */
  readonly health: Health | undefined;
  /** What a user should know besides the state, in a line. */
  readonly hint: string | undefined;
}

/** Shows all instances or the named ones; fails with 3 when one of them is down. */
export async function showState(context: Context, { names, json }: Invocation<'json'>): Promise<ExitCode> {
  const { root, output } = context;
  const { rows, instances } = await listAll(context);
  const selected = selectInstances(root, instances, names);
  if (instances.length === 0) output.say('There are no env files yet; ./manage start all makes them.');
  const entries = await showStatus(context, await inspect(rows, selected), json);
  if (!json) {
    for (const line of describeIgnoredEnvFiles(root, instances)) output.say(terminalSafe(line));
    for (const { hint } of entries) if (hint !== undefined) output.say(hint);
    const problems = selected.flatMap((instance) => instance.problems);
    if (problems.length > 0) output.say(formatProblems(problems));
  }
  return entries.every(({ state }) => isUp(state)) ? exitCodes.ok : exitCodes.instanceDown;
}

/** Prints the state of the instances as it was found, as a table or as JSON. */
export async function showStatus(
  { output }: Context,
  inspections: readonly Inspection[],
  json: boolean,
): Promise<StatusEntry[]> {
  const entries = await Promise.all(inspections.map(describeEntry));
  if (json) output.print(statusJson(entries));
  else if (entries.length > 0) output.print(statusTable(entries, output));
  return entries;
}

async function describeEntry(inspection: Inspection): Promise<StatusEntry> {
  const { answer, isOurs, workers } = inspection;
  const state = deriveState(inspection);
  const reports = workers.flatMap((worker) => worker.health ?? []);
  const health = answer?.kind === 'instance' && isOurs ? combineHealth(answer.health, reports) : undefined;
  return { inspection, state, health, hint: await diagnosisLine(inspection, state) };
}

/** The end of `start` and `restart`: the table, and the line to copy for the first instance that is up. */
export async function showResult(context: Context, inspections: readonly Inspection[], json: boolean): Promise<void> {
  const entries = await showStatus(context, inspections, json);
  const usable = entries.find(({ state }) => isUp(state))?.inspection.instance;
  if (usable !== undefined) context.output.say(useLine(usable));
}

/**
 * How Claude Code uses an instance, with ./manage and by hand, and what to put in where a secret belongs, which is never
 * printed.
 */
export function useLine(instance: Instance): string {
  const { config, name } = instance;
  const address = `ANTHROPIC_BASE_URL=http://${addressOf(instance)}`;
  const lines = (run: string, byHand: string, ...notes: string[]) =>
    [`Use it: ${run}`, `    or: ${byHand}`, ...notes].join('\n');
  // Without it, the client gives up an answer that is not streamed after ten minutes at most.
  const claude = `API_TIMEOUT_MS=${CLIENT_TIMEOUT_MS} claude`;
  const run = `./manage run ${name}`;
  if (config?.clientToken !== undefined) {
    const note = `(TOKEN is the ANTHROPIC_API_KEY of envs/${name}.env)`;
    return lines(run, `${address} ANTHROPIC_AUTH_TOKEN=TOKEN ${claude}`, note);
  }
  if (config?.provider.key.source !== 'client') return lines(run, `${address} ANTHROPIC_AUTH_TOKEN=unused ${claude}`);
  const { preset } = config.provider;
  // Claude Code's own login goes on to Anthropic itself.
  if (preset.servesClaude === true) return lines(run, `${address} ${claude}`);
  const key = 'ANTHROPIC_AUTH_TOKEN=KEY';
  const note = `(KEY is your key for ${preset.title}, as envs/${name}.env holds none)`;
  return lines(`${key} ${run}`, `${address} ${key} ${claude}`, note);
}

/** The number in a `schema` field: changes when a program that reads the JSON has to. */
const SCHEMA = 1;
const NOTHING = '-';

const stateColours: Readonly<Record<State, Colour>> = {
  serving: 'green',
  unsupervised: 'yellow',
  running: 'yellow',
  draining: 'yellow',
  starting: 'yellow',
  'not answering': 'red',
  'backing off': 'red',
  failed: 'red',
  'port taken': 'red',
  moved: 'yellow',
  stopped: 'gray',
  'not started': 'gray',
};

/** Where the state alone would not say enough. */
const stateWords: Partial<Readonly<Record<State, string>>> = { unsupervised: 'running, not supervised' };

/** The table of `status` for the terminal, or for a pipe when it has no width. */
export function statusTable(
  entries: readonly StatusEntry[],
  { paint, columns }: Pick<Output, 'paint' | 'columns'>,
): string {
  return renderTable(statusColumns(paint), entries, columns).join('\n');
}

function statusColumns(paint: Output['paint']): readonly Column<StatusEntry>[] {
  const columns: readonly Column<StatusEntry>[] = [
    { title: 'name', cell: ({ inspection }) => inspection.instance.name },
    { title: 'port', align: 'right', cell: (entry) => optional(portOf(entry), String) },
    { title: 'provider', dropOrder: 4, cell: providersText },
    { title: 'models (big / middle / small)', minimum: 12, dropOrder: 3, cell: modelsText },
    { title: 'key', dropOrder: 5, cell: (entry) => optional(keyOf(entry), String) },
    { title: 'state', cell: stateText, paint: (text, { state }) => paint(stateColours[state], text) },
    { title: 'pid', align: 'right', dropOrder: 6, cell: pidText },
    {
      title: 'uptime',
      align: 'right',
      dropOrder: 2,
      cell: ({ health }) => optional(health?.uptime_seconds, (seconds) => formatDuration(seconds * 1000)),
    },
    {
      title: 'memory',
      align: 'right',
      dropOrder: 7,
      cell: ({ health }) => optional(health?.memory_bytes, formatBytes),
    },
    { title: 'requests', align: 'right', dropOrder: 1, cell: requestsText },
    { title: 'last error', minimum: 10, dropOrder: 8, cell: lastErrorText },
  ];
  return columns.map((column) => ({ ...column, cell: (entry) => terminalSafe(column.cell(entry)) }));
}

function optional<T>(value: T | null | undefined, format: (value: T) => string): string {
  return value == null ? NOTHING : format(value);
}

function providersText(entry: StatusEntry): string {
  const { health } = entry;
  const name = optional(providerOf(entry), String);
  const fallbacks = health === undefined ? 0 : countFallbacks(health);
  const trouble = health === undefined ? '' : providerTrouble(health);
  return [fallbacks > 0 ? `${name} +${fallbacks}` : name, ...(trouble === '' ? [] : [`(${trouble})`])].join(' ');
}

function modelsText(entry: StatusEntry): string {
  const { big, middle, small } = modelsOf(entry);
  const models = [big, middle, small].map((model) => optional(model, String));
  return new Set(models).size === 1 ? (models[0] ?? NOTHING) : models.join(' / ');
}

/** More than one process is worth a word. */
function stateText({ state, inspection: { workers } }: StatusEntry): string {
  const words = stateWords[state] ?? state;
  if (workers.length < 2) return words;
  const serving = workers.filter(isWorkerServing).length;
  return `${words} (${serving === workers.length ? serving : `${serving} of ${workers.length}`} processes)`;
}

function pidText(entry: StatusEntry): string {
  const pids = entry.inspection.workers.flatMap(({ row, health }) => health?.pid ?? (row?.pid || []));
  return pids.length > 1 ? pids.join(' ') : optional(pidOf(entry), String);
}

function requestsText({ health }: StatusEntry): string {
  if (health === undefined) return NOTHING;
  const { total = 0, failed = 0 } = health.requests ?? {};
  return failed === 0 ? String(total) : `${total} (${failed} failed)`;
}

function lastErrorText({ health }: StatusEntry): string {
  const error = health?.last_error;
  if (error == null) return NOTHING;
  return [localTime(error.at).slice(11), error.status, error.message].filter((word) => word !== undefined).join(' ');
}

/** The same for programs. Names and meanings are kept as long as `schema` is. */
export function statusJson(entries: readonly StatusEntry[]): string {
  return JSON.stringify({ schema: SCHEMA, instances: entries.map(entryJson) }, undefined, 2);
}

function entryJson(entry: StatusEntry) {
  const { health, state, hint } = entry;
  const { instance, row, workers } = entry.inspection;
  return {
    name: instance.name,
    env_file: instance.app.args[1],
    host: instance.config?.host ?? null,
    port: portOf(entry),
    state,
    supervised: isSupervised(row),
    provider: providerOf(entry),
    providers: health?.providers ?? null,
    models: modelsOf(entry),
    key: keyOf(entry),
    pid: pidOf(entry),
    restarts: row?.restarts ?? null,
    parts: workers.map(workerJson),
    started_at: health?.started_at ?? null,
    uptime_seconds: health?.uptime_seconds ?? null,
    memory_bytes: health?.memory_bytes ?? null,
    version: health?.version ?? null,
    config_hash: health?.config_hash ?? null,
    config_loaded_at: health?.config_loaded_at ?? null,
    config_problems: health?.config_problems ?? [],
    restart_needed: health?.restart_needed ?? [],
    in_flight: health?.in_flight ?? null,
    requests: health?.requests ?? null,
    tokens: health?.tokens ?? null,
    last_success_at: health?.last_success_at ?? null,
    last_error: health?.last_error ?? null,
    remark: hint ?? null,
    problems: instance.problems,
  };
}

/** One process of an instance; the figures of the instance are the sums of these. */
function workerJson({ row, health }: Worker) {
  return {
    part: health?.part ?? null,
    pid: health?.pid ?? (row?.pid || null),
    pm2_id: row?.id ?? null,
    state: health?.state ?? row?.status ?? null,
    supervised: isSupervised(row),
    restarts: row?.restarts ?? null,
    started_at: health?.started_at ?? null,
    uptime_seconds: health?.uptime_seconds ?? null,
    memory_bytes: health?.memory_bytes ?? null,
    in_flight: health?.in_flight ?? null,
    requests: health?.requests ?? null,
    tokens: health?.tokens ?? null,
    last_error: health?.last_error ?? null,
  };
}

function isSupervised(row: Inspection['row']): boolean {
  return row !== undefined && row.pid !== 0;
}

// What holds now when the instance runs, else what its env file asks for.

function modelsOf({ health, inspection: { instance } }: StatusEntry) {
  const models = health === undefined ? instance.config?.tiers : health.models;
  return { big: models?.big ?? null, middle: models?.middle ?? null, small: models?.small ?? null };
}

function providerOf({ health, inspection: { instance } }: StatusEntry): string | null {
  return (health === undefined ? instance.config?.provider.preset.name : health.provider?.name) ?? null;
}

function keyOf({ health, inspection: { instance } }: StatusEntry): string | null {
  return (health === undefined ? instance.config?.provider.key.source : health.key) ?? null;
}

function pidOf({ health, inspection: { row } }: StatusEntry): number | null {
  return health?.pid ?? (row?.pid || null);
}

/** Where it listens now: the env file may ask for another port already. */
function portOf({ health, inspection: { instance } }: StatusEntry): number | null {
  return health?.port ?? instance.config?.port ?? null;
}
