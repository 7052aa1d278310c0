import { asNumber, asString, isObject } from '../../core/json.ts';
import { formatDuration, terminalSafe } from '../../core/text.ts';
import { type Health, healthField, providerMarks, spareProviders } from '../supervisor/health.ts';
import { type InstancePart, isPartServing, type Observation } from '../supervisor/observe.ts';
import type { State } from '../supervisor/state.ts';
import { type Colour, formatBytes, localTime, type Output } from '../terminal/output.ts';
import { type Column, renderTable } from '../terminal/table.ts';

/** One instance as `status` shows it. */
export interface StatusEntry {
  readonly observation: Observation;
  readonly state: State;
  /** What the instance says of itself; undefined when it does not answer. */
  readonly health: Health | undefined;
  readonly remark: string | undefined;
}

/** The number in a `schema` field: changes when a program that reads the JSON has to. */
const SCHEMA = 1;
const NOTHING = '-';
/** What each process says for itself, under the names of `/health`. */
const PART_FIGURES = ['started_at', 'uptime_seconds', 'memory_bytes', 'in_flight', 'requests', 'tokens', 'last_error'];

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
  'name taken': 'red',
  stopped: 'gray',
  'not started': 'gray',
};

/** Where the state alone would not say enough. */
const stateWords: Partial<Readonly<Record<State, string>>> = { unsupervised: 'running, not supervised' };

/** What holds now when the instance runs, else what its env file asks for. */
function modelsOf({ health, observation: { instance } }: StatusEntry) {
  const tiers = instance.config?.tiers;
  const model = (tier: 'big' | 'middle' | 'small') =>
    health ? asString(healthField(health, 'models', tier)) : tiers?.[tier];
  return { big: model('big') ?? null, middle: model('middle') ?? null, small: model('small') ?? null };
}

function providerOf({ health, observation: { instance } }: StatusEntry): string | null {
  const preset = instance.config?.provider.preset.name;
  return (health ? asString(healthField(health, 'provider', 'name')) : preset) ?? null;
}

function providersText(entry: StatusEntry): string {
  const spares = spareProviders(entry.health);
  const marks = providerMarks(entry.health);
  const name = providerOf(entry) ?? NOTHING;
  return [spares === 0 ? name : `${name} +${spares}`, ...(marks === '' ? [] : [`(${marks})`])].join(' ');
}

function keyOf({ health, observation: { instance } }: StatusEntry): string | null {
  return (health ? asString(health.body['key']) : instance.config?.provider.key.source) ?? null;
}

function pidOf({ health, observation: { row } }: StatusEntry): number | null {
  return health?.pid ?? (row?.pid || null);
}

/** More than one process is worth a word. */
function stateText({ state, observation: { parts } }: StatusEntry): string {
  const words = stateWords[state] ?? state;
  if (parts.length < 2) return words;
  const serving = parts.filter(isPartServing).length;
  return `${words} (${serving === parts.length ? serving : `${serving} of ${parts.length}`} processes)`;
}

function pidText(entry: StatusEntry): string {
  const pids = entry.observation.parts.flatMap(({ row, health }) => health?.pid ?? (row?.pid || []));
  return pids.length > 1 ? pids.join(' ') : optional(pidOf(entry), String);
}

function numberOf(entry: StatusEntry, name: string): number | null {
  return asNumber(entry.health?.body[name]) ?? null;
}

/** Where it listens now: the env file may ask for another port already. */
function portOf(entry: StatusEntry): number | null {
  return numberOf(entry, 'port') ?? entry.observation.instance.config?.port ?? null;
}

function modelsText(entry: StatusEntry): string {
  const { big, middle, small } = modelsOf(entry);
  const models = [big, middle, small].map((model) => model ?? NOTHING);
  return new Set(models).size === 1 ? (models[0] ?? NOTHING) : models.join(' / ');
}

function requestsText({ health }: StatusEntry): string {
  if (health === undefined) return NOTHING;
  const total = asNumber(healthField(health, 'requests', 'total')) ?? 0;
  const failed = asNumber(healthField(health, 'requests', 'failed')) ?? 0;
  return failed === 0 ? String(total) : `${total} (${failed} failed)`;
}

function lastErrorText({ health }: StatusEntry): string {
  const error = health?.body['last_error'];
  if (!isObject(error)) return NOTHING;
  return [localTime(asString(error['at'])).slice(11), asNumber(error['status']), asString(error['message'])]
    .filter((part) => part !== undefined)
    .join(' ');
}

function optional<T>(value: T | null, format: (value: T) => string): string {
  return value === null ? NOTHING : format(value);
}

function statusColumns(paint: Output['paint']): readonly Column<StatusEntry>[] {
  const columns: readonly Column<StatusEntry>[] = [
    { title: 'name', cell: ({ observation }) => observation.instance.name },
    { title: 'port', align: 'right', cell: (entry) => String(portOf(entry) ?? NOTHING) },
    { title: 'provider', dropOrder: 4, cell: providersText },
    { title: 'models (big / middle / small)', minimum: 12, dropOrder: 3, cell: modelsText },
    { title: 'key', dropOrder: 5, cell: (entry) => keyOf(entry) ?? NOTHING },
    { title: 'state', cell: stateText, paint: (text, { state }) => paint(stateColours[state], text) },
    { title: 'pid', align: 'right', dropOrder: 6, cell: pidText },
    {
      title: 'uptime',
      align: 'right',
      dropOrder: 2,
      cell: (entry) => optional(numberOf(entry, 'uptime_seconds'), (seconds) => formatDuration(seconds * 1000)),
    },
    {
      title: 'memory',
      align: 'right',
      dropOrder: 7,
      cell: (entry) => optional(numberOf(entry, 'memory_bytes'), formatBytes),
    },
    { title: 'requests', align: 'right', dropOrder: 1, cell: requestsText },
    { title: 'last error', minimum: 10, dropOrder: 8, cell: lastErrorText },
  ];
  return columns.map((column) => ({ ...column, cell: (entry) => terminalSafe(column.cell(entry)) }));
}

/** The table of `status` for the terminal, or for a pipe when it has no width. */
export function statusTable(
  entries: readonly StatusEntry[],
  { paint, columns }: Pick<Output, 'paint' | 'columns'>,
): string {
  return renderTable(statusColumns(paint), entries, columns).join('\n');
}

/** One process of an instance; the figures of the instance are the sums of these. */
function partJson({ row, health }: InstancePart) {
  return {
    part: health?.body['part'] ?? null,
    pid: health?.pid ?? (row?.pid || null),
    pm2_id: row?.id ?? null,
    state: health?.state ?? row?.status ?? null,
    supervised: row !== undefined && row.pid !== 0,
    restarts: row?.restarts ?? null,
    ...Object.fromEntries(PART_FIGURES.map((name) => [name, health?.body[name] ?? null])),
  };
}

/** The same for programs. Names and meanings are kept as long as `schema` is. */
export function statusJson(entries: readonly StatusEntry[]): string {
  const instances = entries.map((entry) => {
    const { health, state, remark } = entry;
    const { instance, row } = entry.observation;
    return {
      name: instance.name,
      env_file: instance.app.args[1],
      host: instance.config?.host ?? null,
      port: portOf(entry),
      state,
      supervised: row !== undefined && row.pid !== 0,
      provider: providerOf(entry),
      providers: health?.body['providers'] ?? null,
      models: modelsOf(entry),
      key: keyOf(entry),
      pid: pidOf(entry),
      restarts: row?.restarts ?? null,
      parts: entry.observation.parts.map(partJson),
      started_at: health?.body['started_at'] ?? null,
      uptime_seconds: numberOf(entry, 'uptime_seconds'),
      memory_bytes: numberOf(entry, 'memory_bytes'),
      version: health?.body['version'] ?? null,
      config_hash: health?.configHash ?? null,
      config_loaded_at: health?.body['config_loaded_at'] ?? null,
      config_problems: health?.body['config_problems'] ?? [],
      restart_needed: health?.body['restart_needed'] ?? [],
      in_flight: numberOf(entry, 'in_flight'),
      requests: health?.body['requests'] ?? null,
      tokens: health?.body['tokens'] ?? null,
      last_success_at: health?.body['last_success_at'] ?? null,
      last_error: health?.body['last_error'] ?? null,
      remark: remark ?? null,
      problems: instance.problems,
    };
  });
  return JSON.stringify({ schema: SCHEMA, instances }, undefined, 2);
}
