import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import {
  addTotals,
  NO_USAGE,
  sumUsage,
  type UsageGrouping,
  type UsageSum,
  type UsageTotals,
} from '../../telemetry/usage/totals.ts';

/** One line of `usage`. */
export interface UsageLine extends UsageTotals {
  /** A day, model, session or instance. */
  readonly group: string;
  /** Time of the last request, in ms since 1970; 0 when there was none. */
  readonly last: number;
}

/** The sums of one instance's file. */
export interface InstanceUsage {
  readonly name: string;
  readonly sums: readonly UsageSum[];
}

/** Stands for a model or session that a request did not have. */
const NONE = '-';

const ORDERS: Readonly<Record<UsageGrouping, (a: UsageLine, b: UsageLine) => number>> = {
  day: byName,
  instance: byName,
  model: (a, b) => b.cost - a.cost || b.requests - a.requests,
  session: (a, b) => a.last - b.last,
};

function byName(a: UsageLine, b: UsageLine): number {
  if (a.group === b.group) return 0;
  return a.group < b.group ? -1 : 1;
}

/** The sums of several instances as the lines of one table: days and sessions in their order, the dearest model first. */
export function mergeUsage(usages: readonly InstanceUsage[], by: UsageGrouping): UsageLine[] {
  const lines = new Map<string, UsageLine>();
  for (const { name, sums } of usages) {
    for (const sum of sums) {
      const group = by === 'instance' ? name : (sum.group ?? NONE);
      const known = lines.get(group);
      const last = Math.max(sum.last, known?.last ?? 0);
      lines.set(group, { group, last, ...addTotals(known ?? NO_USAGE, sum) });
    }
  }
  return [...lines.values()].sort(ORDERS[by]);
}

/** All lines together. */
export function totalLine(lines: readonly UsageLine[]): UsageLine {
  const last = Math.max(0, ...lines.map((line) => line.last));
  return { group: 'total', last, ...lines.reduce<UsageTotals>(addTotals, NO_USAGE) };
}

/** In ms; an instance that writes never holds the file for longer than a few. */
const LOCK_WAIT_MS = 2000;

/**
 * Reads one usage file without changing it, while its instance runs or not; undefined when there is none.
 * @throws when the file cannot be read
 */
export function withUsageDatabase<T>(path: string, read: (database: DatabaseSync) => T): T | undefined {
  if (!statSync(path, { throwIfNoEntry: false })?.size) return undefined;
  const database = new DatabaseSync(path, { readOnly: true, timeout: LOCK_WAIT_MS });
  try {
    return read(database);
  } finally {
    database.close();
  }
}

/**
 * Sums up one usage file; no file, no usage.
 * @throws when the file cannot be read
 */
export function readUsage(path: string, by: UsageGrouping, firstDay: string): UsageSum[] {
  return withUsageDatabase(path, (database) => sumUsage(database, by, firstDay)) ?? [];
}
