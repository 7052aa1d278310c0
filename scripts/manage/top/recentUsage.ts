import { asNumber } from '../../../src/core/json.ts';
import { localDay } from '../../../src/telemetry/days.ts';
import { IS_REQUEST, NO_USAGE, sumUsage, type UsageTotals } from '../../../src/telemetry/usage/totals.ts';
import { withUsageDatabase } from '../usage/withUsageDatabase.ts';

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
