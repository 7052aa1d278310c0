import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Config } from '../../config/config.ts';
import { createTrust } from '../../config/load.ts';
import { describePostgres } from '../../config/parsers.ts';
import { isObject, parseObject } from '../../core/json.ts';
import type { SharedUsage } from '../../sink/sharedUsage.ts';
import { shortHash } from '../../telemetry/requestRecord.ts';
import { usageFilePath } from '../../telemetry/usage/file.ts';
import {
  addTotals,
  type DayRange,
  hasColumn,
  NO_USAGE,
  sumUsage,
  type UsageGrouping,
  type UsageSum,
  type UsageTotals,
} from '../../telemetry/usage/totals.ts';
import { exitCodes, Failure } from '../exitCodes.ts';
import type { Instance } from '../supervisor/instances.ts';

/** One line of `usage`. */
export interface UsageLine extends UsageTotals {
  /** A day, model, session, instance and so on. */
  readonly group: string;
  /** What the user knows the group by, where that is something else: the id of a session, the path of a folder. */
  readonly name?: string | undefined;
  /** Time of the last request, in ms since 1970; 0 when there was none. */
  readonly last: number;
}

/** The sums of one instance's file. */
export interface InstanceUsage {
  readonly name: string;
  readonly sums: Iterable<UsageSum>;
  /** What the user knows the groups by, where that is something else. */
  readonly names?: ReadonlyMap<string, string>;
}

/** Stands for a model or session that a request did not have. */
const NONE = '-';

const ORDERS: Readonly<Record<UsageGrouping, (a: UsageLine, b: UsageLine) => number>> = {
  day: byName,
  instance: byName,
  model: byCost,
  provider: byCost,
  session: (a, b) => a.last - b.last,
  project: byCost,
  intent: byCost,
  client: byCost,
  side: byCost,
};

function byCost(a: UsageLine, b: UsageLine): number {
  return b.cost - a.cost || b.requests - a.requests;
}

function byName(a: UsageLine, b: UsageLine): number {
  if (a.group === b.group) return 0;
  return a.group < b.group ? -1 : 1;
}

/** The sums of several instances as the lines of one table: days and sessions in their order, else the dearest first. */
export function mergeUsage(usages: readonly InstanceUsage[], by: UsageGrouping): UsageLine[] {
  const lines = new Map<string, UsageLine>();
  for (const { name, sums, names } of usages) {
    for (const sum of sums) {
      const group = by === 'instance' ? name : (sum.group ?? NONE);
      const known = lines.get(group);
      const last = Math.max(sum.last, known?.last ?? 0);
      lines.set(group, { group, name: names?.get(group), last, ...addTotals(known ?? NO_USAGE, sum) });
    }
  }
  return [...lines.values()].sort(ORDERS[by]);
}

/** All lines together. */
export function totalLine(lines: readonly UsageLine[]): UsageLine {
  const last = lines.reduce((latest, line) => Math.max(latest, line.last), 0);
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
export function readUsage(
  path: string,
  by: UsageGrouping,
  { first, last }: DayRange,
): Pick<InstanceUsage, 'names'> & { readonly sums: readonly UsageSum[] } {
  const usage = withUsageDatabase(path, (database) => {
    // An instance that has not run since these columns came has a file without them.
    const isOld = !hasColumn(database, 'intent');
    const isUnknown =
      (isOld && (by === 'project' || by === 'intent')) || (by === 'client' && !hasColumn(database, 'client'));
    return {
      sums: sumUsage(database, isUnknown ? 'instance' : by, first, last),
      ...(by === 'session' && !isOld ? { names: readSessionIds(database, { first, last }) } : {}),
    };
  });
  return usage ?? { sums: [] };
}

/** A usage file that cannot be read, and why. */
export interface UnreadableUsage {
  /** Of the instance. */
  readonly name: string;
  readonly message: string;
}

/**
 * Reads the usage files of instances; one that cannot be read is a failure, and no usage.
 * @param read one file, such as {@link readUsage}
 */
export function readUsages<T>(
  root: string,
  instances: readonly Instance[],
  read: (path: string, name: string) => T,
): { readonly usages: readonly T[]; readonly failures: readonly UnreadableUsage[] } {
  const usages: T[] = [];
  const failures: UnreadableUsage[] = [];
  for (const { name, config } of instances) {
    const path = usageFilePath(config?.stateDirectory ?? join(root, 'state'), name);
    try {
      usages.push(read(path, name));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      failures.push({ name, message: `${path} cannot be read: ${reason}` });
    }
  }
  return { usages, failures };
}

/**
 * Reads the usage of all instances from the databases that env files name, on whatever machine these instances run; with names of those
 * only. A database that cannot be read is a failure, and no usage.
 * @throws Failure (usage) when no env file names one
 */
export async function readDatabases(
  instances: readonly Instance[],
  names: readonly string[],
  query: { by: UsageGrouping; range: DayRange; daily?: boolean; names?: ReadonlyMap<string, string> },
): Promise<{ readonly usages: readonly SharedUsage[]; readonly failures: readonly UnreadableUsage[] }> {
  const { names: folders, ...what } = query;
  const databases = new Map<string, Config>();
  for (const { config } of instances) {
    const address = config?.usageDatabase;
    if (address !== undefined) databases.set(`${address.user} ${describePostgres(address)}`, config as Config);
  }
  if (databases.size === 0) throw new Failure('no env file names a database; set USAGE_POSTGRES_URL', exitCodes.usage);
  const usages: SharedUsage[] = [];
  const failures: UnreadableUsage[] = [];
  // Loaded here, as most commands need no database.
  const { readSharedUsage } = await import('../../sink/sharedUsage.ts');
  const wanted = names.includes('all') ? [] : names;
  for (const { instance, usageDatabase: address, authorities } of databases.values()) {
    if (address === undefined) continue;
    try {
      const read = await readSharedUsage({ address, trust: createTrust(authorities), ...what, instances: wanted });
      usages.push(...read.map((usage) => (folders === undefined ? usage : { ...usage, names: folders })));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      failures.push({ name: instance, message: `the database ${describePostgres(address)} cannot be read: ${reason}` });
    }
  }
  return { usages, failures };
}

/** The client's ids of the sessions of some days, by their hashes. */
function readSessionIds(database: DatabaseSync, { first, last }: DayRange): ReadonlyMap<string, string> {
  const rows = database
    .prepare('SELECT DISTINCT session, session_id FROM requests WHERE day >= ? AND day <= ? AND session_id IS NOT NULL')
    .all(first, last);
  return new Map(rows.map(({ session, session_id }) => [String(session), String(session_id)]));
}

/** The folders in which Claude Code was used on this machine, by the hashes under which usage is kept; none when they cannot be read. */
export function readFolders({
  CLAUDE_CONFIG_DIR,
  HOME = '',
}: Readonly<Record<string, string | undefined>>): ReadonlyMap<string, string> {
  try {
    const projects = parseObject(readFileSync(join(CLAUDE_CONFIG_DIR ?? HOME, '.claude.json'), 'utf8'))?.['projects'];
    return new Map(Object.keys(isObject(projects) ? projects : {}).map((path) => [shortHash(path), path]));
  } catch {
    return new Map();
  }
}
