import type { DatabaseSync } from 'node:sqlite';
import { HEALTH_CHECK } from './usageRow.ts';
import type { UsageTotals } from './usageTotals.ts';

/** By what usage can be summed up. */
export const usageGroupings = ['day', 'model', 'instance', 'session'] as const;
export type UsageGrouping = (typeof usageGroupings)[number];

/** The sums over one group of rows. */
export interface UsageSum extends UsageTotals {
  /** Day, model or session; null when a request had none. With `instance` there is one group for the whole file. */
  readonly group: string | null;
  /** Time of the last request, in ms since 1970; 0 when there was none. */
  readonly last: number;
}

const GROUPS: Readonly<Record<UsageGrouping, string>> = {
  day: 'day',
  model: 'used_model',
  session: 'session',
  instance: 'NULL',
};

/** As a condition on a row: whether a client has asked for it. */
export const IS_REQUEST = `(endpoint <> '${HEALTH_CHECK}')`;

/** The statement that sums up a usage file from a day on (its only parameter), by the index on the day. */
export function sumStatement(by: UsageGrouping): string {
  return `SELECT ${GROUPS[by]} AS "group",
      ifnull(max(time) FILTER (WHERE ${IS_REQUEST}), 0) AS last,
      count(*) FILTER (WHERE ${IS_REQUEST}) AS requests, count(*) FILTER (WHERE NOT ${IS_REQUEST}) AS checks,
      sum(outcome IN ('error', 'interrupted')) AS failed,
      total(input_tokens) AS input, total(output_tokens) AS output, total(cache_read_tokens) AS cacheRead,
      total(cache_write_tokens) AS cacheWrite, total(reasoning_tokens) AS reasoning, total(cost) AS cost,
      sum(cost IS NULL) AS unpriced
    FROM requests WHERE day >= ? GROUP BY 1`;
}

/** Sums up a usage file from a day (YYYY-MM-DD) on. */
export function sumUsage(database: DatabaseSync, by: UsageGrouping, firstDay: string): UsageSum[] {
  const rows: unknown[] = database.prepare(sumStatement(by)).all(firstDay);
  return rows as UsageSum[];
}
