import { join } from 'node:path';
import { localDay } from '../../core/clock.ts';
import { asNumber } from '../../core/json.ts';
import { usageFilePath } from '../../telemetry/usage/file.ts';
import { addTotals, IS_REQUEST, NO_USAGE, sumUsage, type UsageTotals } from '../../telemetry/usage/totals.ts';
import { type Condition, describeCondition } from '../supervisor/condition.ts';
import { combineHealth, type Health, type PortAnswer, queryPort } from '../supervisor/health.ts';
import { type Inspection, isRowOf, queryAllWorkers } from '../supervisor/inspect.ts';
import { hasRun, type Instance, isSound } from '../supervisor/instances.ts';
import type { Pm2Row } from '../supervisor/pm2.ts';
import { deriveState } from '../supervisor/state.ts';
import { withUsageDatabase } from '../usage/read.ts';

/** Rates are of this much time, in ms. */
export const RATE_WINDOW_MS = 60_000;
/** Latencies are of this much time, in ms: long enough for a meaningful number of requests. */
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

export const NO_RECENT_USAGE: RecentUsage = {
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
  return withUsageDatabase(path, (database) => readRecent(database, now)) ?? NO_RECENT_USAGE;
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

/** What an instance has done in one minute. */
export interface MinuteUsage {
  /** Its begin, in ms since 1970. */
  readonly at: number;
  readonly requests: number;
  readonly failed: number;
  readonly output: number;
}

const MINUTE_MS = 60_000;

/**
 * What an instance has done in each of the last minutes, the latest last, which is not over yet.
 * @throws when the file cannot be read
 */
export function readMinutes(path: string, now: number, count: number): MinuteUsage[] {
  const latest = Math.floor(now / MINUTE_MS);
  const since = (latest - count + 1) * MINUTE_MS;
  const statement = `SELECT time / ${MINUTE_MS} AS minute, count(*) AS requests, total(output_tokens) AS output,
      sum(outcome IN ('error', 'interrupted')) AS failed
    FROM requests WHERE day >= ? AND time >= ? AND ${IS_REQUEST} GROUP BY 1`;
  const rows = withUsageDatabase(path, (database) => database.prepare(statement).all(localDay(since), since)) ?? [];
  const found = new Map(rows.map((row) => [Number(row['minute']), row]));
  return Array.from({ length: count }, (_, index) => {
    const minute = latest - count + 1 + index;
    const row = found.get(minute);
    const number = (name: string) => asNumber(row?.[name]) ?? 0;
    return { at: minute * MINUTE_MS, requests: number('requests'), failed: number('failed'), output: number('output') };
  });
}

/** Who answers on the port of an instance, in words. */
export type TopState = 'serving' | 'draining' | 'not running' | 'not answering' | 'port taken' | 'wrong settings';

/** The circuit breaker of the instance's only provider, or of one of several. */
export interface Circuit {
  readonly provider: string | undefined;
  readonly state: string;
}

/** What is known of an instance at one moment; also of all of them together. */
export interface InstanceSample {
  readonly name: string;
  readonly state: TopState | undefined;
  /** Whether it can be used. */
  readonly condition: Condition | undefined;
  /** How often PM2 has started it again. */
  readonly restarts: number;
  readonly inFlight: number;
  /** Requests that wait until others have ended. */
  readonly waiting: number;
  readonly circuits: readonly Circuit[];
  /** Undefined when the usage file cannot be read. */
  readonly recent: RecentUsage | undefined;
  /** What was used today on all machines, where that is asked for, in place of what `recent` has of today. */
  readonly sharedToday?: UsageTotals;
}

/** What was used today, as far as it is known. */
export function todayOf({ sharedToday, recent }: InstanceSample): UsageTotals | undefined {
  return sharedToday ?? recent?.today;
}

/** The same samples with what was used today on all machines, and those of instances that run elsewhere alone. */
export function withSharedToday(
  samples: readonly InstanceSample[],
  shared: ReadonlyMap<string, UsageTotals>,
): InstanceSample[] {
  const here = new Set(samples.map(({ name }) => name));
  const nothing = { state: undefined, condition: undefined, restarts: 0, inFlight: 0, waiting: 0, circuits: [] };
  const elsewhere = [...shared].flatMap(([name, sharedToday]) =>
    here.has(name) ? [] : [{ ...nothing, name, recent: undefined, sharedToday }],
  );
  return [
    ...samples.map((sample) => ({ ...sample, sharedToday: shared.get(sample.name) ?? NO_USAGE })),
    ...elsewhere.sort((a, b) => (a.name < b.name ? -1 : 1)),
  ];
}

/** Samples all instances at the same time; `rows` is what PM2 knows of them. */
export function sampleInstances(
  root: string,
  instances: readonly Instance[],
  now: number,
  rows: readonly Pm2Row[],
  signal?: AbortSignal,
): Promise<InstanceSample[]> {
  return Promise.all(
    instances.map(async (instance) => {
      const { name, config } = instance;
      const answer = config && (await queryPort(config.host, config.port, signal));
      const one = answer?.kind === 'instance' && answer.health.instance === name ? answer.health : undefined;
      const health = one && combineHealth(one, await queryAllWorkers(instance));
      const row = rows.find((candidate) => isRowOf(candidate, instance));
      const inspection = {
        instance,
        row,
        movedFrom: undefined,
        otherUser: undefined,
        unit: undefined,
        answer,
        isOurs: health !== undefined,
        workers: [],
      };
      const state = deriveState(inspection);
      const facts = { instance, state, health, row, isSound: isSound(instance), hasRun: hasRun(instance) };
      const recent = readIfPossible(usageFilePath(config?.stateDirectory ?? join(root, 'state'), name), now);
      return describeSample({ inspection, health, condition: describeCondition(facts).condition, recent });
    }),
  );
}

/** What was found of an instance, as a sample. */
export function describeSample({
  inspection: { instance, row, answer },
  health,
  condition,
  recent,
}: Pick<InstanceSample, 'condition' | 'recent'> & {
  readonly inspection: Pick<Inspection, 'instance' | 'row' | 'answer'>;
  readonly health: Health | undefined;
}): InstanceSample {
  return {
    name: instance.name,
    state: stateOf(answer, health),
    condition,
    restarts: row?.restarts ?? 0,
    inFlight: health?.in_flight ?? 0,
    waiting: health?.queue?.waiting ?? 0,
    circuits: health === undefined ? [] : circuitsOf(health),
    recent,
  };
}

/** All samples as one; latencies are those of all requests together. */
export function sumSamples(samples: readonly InstanceSample[]): InstanceSample {
  const sum = (read: (sample: InstanceSample) => number) => samples.reduce((total, sample) => total + read(sample), 0);
  const known = samples.flatMap(({ recent }) => recent ?? []);
  const shared = samples.flatMap(({ sharedToday }) => sharedToday ?? []);
  return {
    name: 'total',
    state: undefined,
    condition: undefined,
    restarts: 0,
    inFlight: sum(({ inFlight }) => inFlight),
    waiting: sum(({ waiting }) => waiting),
    circuits: [],
    recent: known.reduce(addRecent, NO_RECENT_USAGE),
    ...(shared.length === 0 ? {} : { sharedToday: shared.reduce<UsageTotals>(addTotals, NO_USAGE) }),
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
  if (answer.kind === 'closed') return 'not running';
  return answer.kind === 'unresponsive' ? 'not answering' : 'port taken';
}

function circuitsOf({ providers = [] }: Health): Circuit[] {
  return providers.flatMap(({ name, circuit: state }) =>
    state === undefined ? [] : [{ provider: providers.length > 1 ? name : undefined, state }],
  );
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
