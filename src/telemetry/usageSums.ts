import type { DatabaseSync } from 'node:sqlite';
import type { UsageTotals } from './usageTotals.ts';

/** By what usage can be summed up. */
export const usageGroupings = ['day', 'model', 'instance', 'session'] as const;
export type UsageGrouping = (typeof usageGroupings)[number];

/** The sums over one group of requests. */
export interface UsageSum extends UsageTotals {
  /** Day, model or session; null when a request had none. With `instance` there is one group for the whole file. */
  readonly group: string | null;
  /** Time of the last request, in ms since 1970. */
  readonly last: number;
}

const GROUPS: Readonly<Record<UsageGrouping, string>> = {
  day: 'day',
  model: 'used_model',
  session: 'session',
  instance: 'NULL',
};

/** The statement that sums up a usage file from a day on (its only parameter), by the index on the day. */
export function sumStatement(by: UsageGrouping): string {
  return `SELECT ${GROUPS[by]} AS "group", max(time) AS last, count(*) AS requests,
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
