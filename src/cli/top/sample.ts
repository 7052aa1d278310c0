import { join } from 'node:path';
import { asNumber, asString, isObject } from '../../core/json.ts';
import { localDay } from '../../telemetry/days.ts';
import { usageFilePath } from '../../telemetry/usage/file.ts';
import { addTotals, IS_REQUEST, NO_USAGE, sumUsage, type UsageTotals } from '../../telemetry/usage/totals.ts';
import { askPort, combineHealth, type Health, healthField, type PortAnswer } from '../supervisor/health.ts';
import type { Instance } from '../supervisor/instances.ts';
import { findParts } from '../supervisor/observe.ts';
import { withUsageDatabase } from '../usage/read.ts';

/** Rates are of this much time, in ms. */
export const RATE_WINDOW_MS = 60_000;
/** Latencies are of this much time, in ms: of enough requests to tell. */
export const LATENCY_WINDOW_MS = 300_000;

/** What an instance has done of late for its clients. */
export interface RecentUsage {
  /** Within the window of the rates. */
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** In ms, of the requests within the window of the latencies. */
  readonly firstEvents: readonly number[];
  readonly durations: readonly number[];
  readonly today: UsageTotals;
}

export const NOTHING_RECENT: RecentUsage = {
  requests: 0,
  inputTokens: 0,
  outputTokens: 0,
  firstEvents: [],
  durations: [],
  today: NO_USAGE,
};

const STATEMENT = `SELECT time, duration_ms, first_event_ms, ifnull(output_tokens, 0) AS output,
    ifnull(input_tokens, 0) + ifnull(cache_read_tokens, 0) + ifnull(cache_write_tokens, 0) AS input
  FROM requests WHERE day >= ? AND time > ? AND ${IS_REQUEST}`;

/**
 * Reads what an instance has done of late from its usage file, to which requests are added within a second of their end.
 * @throws when the file cannot be read
 */
export function readRecentUsage(path: string, now: number): RecentUsage {
  return withUsageDatabase(path, (database) => readRecent(database, now)) ?? NOTHING_RECENT;
}

function readRecent(database: Parameters<typeof sumUsage>[0], now: number): RecentUsage {
  const since = now - LATENCY_WINDOW_MS;
  const rows = database.prepare(STATEMENT).all(localDay(since), since);
  const numbers = (name: string, from = rows) => from.flatMap((row) => asNumber(row[name]) ?? []);
  const last = rows.filter(({ time }) => Number(time) > now - RATE_WINDOW_MS);
  const sum = (name: string) => numbers(name, last).reduce((total, value) => total + value, 0);
  return {
    requests: last.length,
    inputTokens: sum('input'),
    outputTokens: sum('output'),
    firstEvents: numbers('first_event_ms'),
    durations: numbers('duration_ms'),
    today: sumUsage(database, 'instance', localDay(now))[0] ?? NO_USAGE,
  };
}

/** What a port answers to, in words; PM2 is not asked, as that takes longer than all the rest. */
export type TopState = 'serving' | 'draining' | 'not running' | 'not answering' | 'port taken' | 'wrong settings';

/** One breaker: of the instance's only provider, or of one of several. */
export interface Circuit {
  readonly provider: string | undefined;
  readonly state: string;
}

/** An instance at one moment; also all of them together. */
export interface TopRow {
  readonly name: string;
  readonly state: TopState | undefined;
  readonly inFlight: number;
  /** Requests that wait for a place. */
  readonly waiting: number;
  readonly circuits: readonly Circuit[];
  /** Undefined when the usage file cannot be read. */
  readonly recent: RecentUsage | undefined;
}

/** Looks at all instances at the same time. */
export function look(
  root: string,
  instances: readonly Instance[],
  now: number,
  signal?: AbortSignal,
): Promise<TopRow[]> {
  return Promise.all(
    instances.map(async (instance) => {
      const { name, config } = instance;
      const answer = config && (await askPort(config.host, config.port, signal));
      const one = answer?.kind === 'instance' && answer.health.instance === name ? answer.health : undefined;
      const health = one && combineHealth(one, await findParts(instance));
      return {
        name,
        state: stateOf(answer, health),
        inFlight: asNumber(health?.body['in_flight']) ?? 0,
        waiting: asNumber(health && healthField(health, 'queue', 'waiting')) ?? 0,
        circuits: health === undefined ? [] : circuitsOf(health),
        recent: readIfPossible(usageFilePath(config?.stateDirectory ?? join(root, 'state'), name), now),
      };
    }),
  );
}

/** All rows as one; latencies are those of all requests together. */
export function totalOf(rows: readonly TopRow[]): TopRow {
  const sum = (read: (row: TopRow) => number) => rows.reduce((total, row) => total + read(row), 0);
  const known = rows.flatMap(({ recent }) => recent ?? []);
  return {
    name: 'total',
    state: undefined,
    inFlight: sum(({ inFlight }) => inFlight),
    waiting: sum(({ waiting }) => waiting),
    circuits: [],
    recent: known.reduce(addRecent, NOTHING_RECENT),
  };
}

function addRecent(a: RecentUsage, b: RecentUsage): RecentUsage {
  return {
    requests: a.requests + b.requests,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    firstEvents: [...a.firstEvents, ...b.firstEvents],
    durations: [...a.durations, ...b.durations],
    today: addTotals(a.today, b.today),
  };
}

function stateOf(answer: PortAnswer | undefined, health: Health | undefined): TopState {
  if (answer === undefined) return 'wrong settings';
  if (health !== undefined) return health.state;
  if (answer.kind === 'silent') return 'not running';
  return answer.kind === 'mute' ? 'not answering' : 'port taken';
}

function circuitsOf({ body }: Health): Circuit[] {
  const providers = Array.isArray(body['providers']) ? body['providers'].filter(isObject) : [];
  return providers.flatMap(({ name, circuit }) => {
    const state = asString(circuit);
    return state === undefined ? [] : [{ provider: providers.length > 1 ? asString(name) : undefined, state }];
  });
}

function readIfPossible(path: string, now: number): RecentUsage | undefined {
  try {
    return readRecentUsage(path, now);
  } catch {
    return undefined; // the view goes on without it; `./manage usage` says what is wrong
  }
}

/** The value that `share` (0 to 1) of all do not exceed; undefined when there are none. */
export function percentile(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
