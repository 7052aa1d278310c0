import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause, setImmediate as yieldToOthers } from 'node:timers/promises';
import { localDay } from '../../core/clock.ts';
import {
  type DayRange,
  hasColumn,
  IS_REQUEST,
  NO_USAGE,
  totalsColumns,
  type UsageGrouping,
  type UsageSum,
  type UsageTotals,
  usageGroupings,
} from '../../telemetry/usage/totals.ts';
import { type InstanceUsage, withUsageDatabase } from '../usage/read.ts';

/** What was used on one day by one session, with one model of one provider, in one folder and for one purpose. */
export interface DailyUsage extends UsageTotals {
  readonly day: string;
  readonly model: string | null;
  readonly provider: string;
  readonly session: string | null;
  readonly sessionId: string | null;
  readonly intent: string | null;
  readonly project: string | null;
  /** The name of the client, where it has a token of its own. */
  readonly client: string | null;
  /** Times of the first and the last request in ms since 1970; 0 when there was none. */
  readonly first: number;
  readonly last: number;
  /** Of the longest request, in ms. */
  readonly longest: number;
  /** Requests of subagents. */
  readonly agents: number;
}

/** One day of a usage file, by the index on the day. In a file without the columns that came later, nothing is known of these. */
function dayStatement(isOld: boolean, hasSearches: boolean, hasClient: boolean): string {
  const [sessionId, intent, project] = ['session_id', 'intent', 'project'].map((name) => (isOld ? 'NULL' : name));
  return `SELECT day, used_model AS model, provider, session, max(${sessionId}) AS sessionId, ${intent} AS intent,
      ${project} AS project, ${hasClient ? 'client' : 'NULL'} AS client, ifnull(min(time) FILTER (WHERE ${IS_REQUEST}), 0) AS first,
      ifnull(max(duration_ms) FILTER (WHERE ${IS_REQUEST}), 0) AS longest, sum(agent) AS agents,
      ${totalsColumns(hasSearches)}
    FROM requests WHERE day = ? GROUP BY used_model, provider, session${isOld ? '' : ', intent, project'}${hasClient ? ', requests.client' : ''}`;
}

/** Rows that are kept of all days of a file together; about 200 bytes each. */
const MOST_KEPT = 40_000;
/** Of the days before, which no request is added to any more, so many of the latest may still change: at midnight, by a slow writer. */
const OPEN_DAYS = 2;
const DAY_MS = 86_400_000;
/** A few ms each. */
const DAYS_AT_ONCE = 5;
/** How long it stands back before it looks again, in ms. */
const BUSY_MS = 5;

/**
 * What an instance has used on each day, from its usage file. A year of a million requests takes a second, so the sums of days that
 * are over are kept; they are read a day at a time, so that others get their turn.
 */
export class DailyUsageReader {
  readonly #path: string;
  readonly #days = new Map<string, readonly DailyUsage[]>();
  #kept = 0;
  readonly #texts = new Map<string, string>();

  constructor(path: string) {
    this.#path = path;
  }

  /**
   * The sums of some days, both ends included.
   * @param isBusy whether somebody waits, before whom this has to stand back
   * @throws when the file cannot be read
   */
  async read({ first, last }: DayRange, now: number, isBusy = () => false): Promise<readonly DailyUsage[]> {
    const firstOpen = localDay(now - (OPEN_DAYS - 1) * DAY_MS);
    const days = this.#list(first, last);
    // Rows are removed from the oldest day on; what is kept of it may be more than there is.
    const [oldest] = days;
    const missing = days.filter((day) => day >= firstOpen || day === oldest || !this.#days.has(day));
    const found = new Map<string, readonly DailyUsage[]>();
    for (let at = 0; at < missing.length; at += DAYS_AT_ONCE) {
      if (at > 0) await yieldToOthers();
      while (isBusy()) await pause(BUSY_MS);
      this.#readDays(missing.slice(at, at + DAYS_AT_ONCE), found);
    }
    for (const [day, rows] of found) if (day < firstOpen) this.#keep(day, rows);
    return days.flatMap((day) => found.get(day) ?? this.#days.get(day) ?? []);
  }

  /** The days that have rows, found by steps in their index. */
  #list(first: string, last: string): string[] {
    const statement = `WITH RECURSIVE days (day) AS (
        SELECT min(day) FROM requests WHERE day >= ?1
        UNION ALL SELECT (SELECT min(day) FROM requests WHERE requests.day > days.day) FROM days WHERE days.day IS NOT NULL
      ) SELECT day FROM days WHERE day <= ?2`;
    const read = (database: DatabaseSync) =>
      database
        .prepare(statement)
        .all(first, last)
        .map(({ day }) => String(day));
    return withUsageDatabase(this.#path, read) ?? [];
  }

  #readDays(days: readonly string[], found: Map<string, readonly DailyUsage[]>): void {
    withUsageDatabase(this.#path, (database) => {
      const statement = database.prepare(
        dayStatement(!hasColumn(database, 'intent'), hasColumn(database, 'searches'), hasColumn(database, 'client')),
      );
      for (const day of days) {
        const rows: unknown[] = statement.all(day);
        found.set(day, (rows as DailyUsage[]).map(this.#shareTexts));
      }
    });
  }

  /** The row with the texts that others have, too, as SQLite gives each row its own: half of its memory. */
  readonly #shareTexts = (row: DailyUsage): DailyUsage => ({
    ...row,
    day: this.#shared(row.day),
    model: this.#shared(row.model),
    provider: this.#shared(row.provider),
    session: this.#shared(row.session),
    sessionId: this.#shared(row.sessionId),
    intent: this.#shared(row.intent),
    project: this.#shared(row.project),
    client: this.#shared(row.client),
  });

  #shared<T extends string | null>(text: T): T {
    if (text === null) return text;
    const known = this.#texts.get(text);
    if (known !== undefined) return known as T;
    if (this.#texts.size < MOST_KEPT) this.#texts.set(text, text);
    return text;
  }

  #keep(day: string, rows: readonly DailyUsage[]): void {
    const before = this.#days.get(day)?.length ?? 0;
    if (this.#kept - before + rows.length > MOST_KEPT) return;
    this.#kept += rows.length - before;
    this.#days.set(day, rows);
  }
}

/** What a page sums up by; who asked, a client or the instance itself, is left to the terminal. */
export type PageGrouping = Exclude<UsageGrouping, 'side'>;
export const pageGroupings = usageGroupings.filter((by) => by !== 'side');

const GROUPS: Readonly<Record<PageGrouping, (row: DailyUsage) => string | null>> = {
  day: ({ day }) => day,
  model: ({ model }) => model,
  provider: ({ provider }) => provider,
  session: ({ session }) => session,
  instance: () => null,
  project: ({ project }) => project,
  intent: ({ intent }) => intent,
  client: ({ client }) => client,
};

/**
 * The sums of some rows of an instance by what they are asked for, in the form that the terminal's are read in; for `project` with the
 * folder that others of the same session have named.
 */
export function groupDaily(name: string, rows: readonly DailyUsage[], by: PageGrouping): InstanceUsage {
  const folders = by === 'project' ? foldersOf(rows) : undefined;
  const groupOf = GROUPS[by];
  const sums = new Map<string | null, Changing<UsageSum>>();
  for (const row of rows) {
    const group = groupOf(row) ?? (row.session === null ? null : (folders?.get(row.session) ?? null));
    const sum = sums.get(group);
    if (sum === undefined) sums.set(group, { ...NO_USAGE, ...row, group });
    else addRow(sum, row);
  }
  return { name, sums: [...sums.values()], ...(by === 'session' ? { names: sessionIds(rows) } : {}) };
}

type Changing<T> = { -readonly [K in keyof T]: T[K] };

/** In place, as there are many rows. */
export function addRow(sum: Changing<UsageTotals & Pick<UsageSum, 'last'>>, row: DailyUsage): void {
  sum.requests += row.requests;
  sum.checks += row.checks;
  sum.sideCalls += row.sideCalls;
  sum.failed += row.failed;
  sum.input += row.input;
  sum.output += row.output;
  sum.cacheRead += row.cacheRead;
  sum.cacheWrite += row.cacheWrite;
  sum.reasoning += row.reasoning;
  sum.cost += row.cost;
  sum.unpriced += row.unpriced;
  sum.searches += row.searches;
  sum.searchCost += row.searchCost;
  if (row.last > sum.last) sum.last = row.last;
}

/** The folder of each session: the last by its name, where there are several. */
function foldersOf(rows: readonly DailyUsage[]): ReadonlyMap<string, string> {
  const folders = new Map<string, string>();
  for (const { session, project } of rows) {
    if (session === null || project === null) continue;
    if (project > (folders.get(session) ?? '')) folders.set(session, project);
  }
  return folders;
}

function sessionIds(rows: readonly DailyUsage[]): ReadonlyMap<string, string> {
  return new Map(
    rows.flatMap(({ session, sessionId }) => (session === null || sessionId === null ? [] : [[session, sessionId]])),
  );
}
