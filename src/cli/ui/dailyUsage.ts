import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause, setImmediate as yieldToOthers } from 'node:timers/promises';
import { localDay } from '../../core/clock.ts';
import {
  type DayRange,
  hasColumn,
  IS_REQUEST,
  NO_USAGE,
  SIDE_OF_ENDPOINT,
  totalsColumns,
  type UsageGrouping,
  type UsageSum,
  type UsageTotals,
} from '../../telemetry/usage/totals.ts';
import { withUsageDatabase } from '../usage/read.ts';

const TOTALS = Object.keys(NO_USAGE) as (keyof UsageTotals)[];
/** What was used on one day by one session, with one model of one provider, in one folder and for one purpose. */
const COLUMNS = [
  ...['day', 'model', 'provider', 'session', 'session_id', 'intent', 'project', 'client', 'side'],
  // Times of the first and the last request in ms since 1970, 0 when there was none; of the longest in ms; requests of subagents.
  ...['first', 'last', 'longest', 'agents'],
  ...TOTALS,
];
/** The sums of some of these, as {@link UsageSum} has them. */
const SUMS = [...TOTALS.map((name) => `total(${name}) AS ${name}`), 'max(last) AS last'].join(', ');

/** One day of a usage file, by the index on the day. In a file without the columns that came later, nothing is known of these. */
function dayStatement(isOld: boolean, hasSearches: boolean, hasClient: boolean): string {
  const [sessionId, intent, project] = ['session_id', 'intent', 'project'].map((name) => (isOld ? 'NULL' : name));
  return `SELECT day, used_model AS model, provider, session, max(${sessionId}) AS session_id, ${intent} AS intent,
      ${project} AS project, ${hasClient ? 'client' : 'NULL'} AS client, ${SIDE_OF_ENDPOINT} AS side, ifnull(min(time) FILTER (WHERE ${IS_REQUEST}), 0) AS first,
      ifnull(max(duration_ms) FILTER (WHERE ${IS_REQUEST}), 0) AS longest,
      count(*) FILTER (WHERE agent = 1 AND ${IS_REQUEST}) AS agents, ${totalsColumns(hasSearches)}
    FROM requests WHERE day = ? GROUP BY used_model, provider, session, side${isOld ? '' : ', intent, project'}${hasClient ? ', requests.client' : ''}`;
}

/** By what the rows are summed up. Of a request that names no folder it is the one that others of its session have named. */
const GROUPS: Readonly<Record<UsageGrouping, string>> = {
  day: 'day',
  model: 'model',
  provider: 'provider',
  session: 'session',
  instance: 'NULL',
  project: 'coalesce(project, folder)',
  intent: 'intent',
  client: 'client',
  side: 'side',
};
const IN_RANGE = 'file = :file AND day >= :first AND day <= :last';
const ROWS = `daily WHERE ${IN_RANGE}`;
const ROWS_WITH_FOLDERS = `daily LEFT JOIN (
      SELECT session AS known, max(project) AS folder FROM daily WHERE ${IN_RANGE} AND session IS NOT NULL GROUP BY 1
    ) ON known = session WHERE ${IN_RANGE}`;
const rowsFor = (by: UsageGrouping) => (by === 'project' ? ROWS_WITH_FOLDERS : ROWS);

/** Of the database in memory; the rest of it is in a file that SQLite makes for itself and that no name leads to. */
const CACHE_KIB = 2000;
/** About 200 bytes each, on disk. */
const MOST_KEPT = 400_000;
/** Of the days before, which no request is added to any more, so many of the latest may still change: at midnight, by a slow writer. */
const OPEN_DAYS = 2;
const DAY_MS = 86_400_000;
/** A few ms each. */
const DAYS_AT_ONCE = 5;
/** How long it stands back before it looks again, in ms. */
const BUSY_MS = 5;

/** A usage file whose days are kept. */
interface KnownFile {
  readonly path: string;
  /** By which its rows are known. */
  readonly file: number;
  /** Those that are in the table and over. */
  readonly days: Set<string>;
}

/** The sums of one group on one day. */
export interface DaySum extends UsageSum {
  readonly day: string;
}

/** What one session of Claude Code has used, in all instances that were asked for. */
export interface SessionSum extends UsageTotals {
  readonly session: string;
  readonly sessionId: string | null;
  /** The last by its name, where there are several. */
  readonly project: string | null;
  readonly first: number;
  readonly last: number;
  readonly longest: number;
  readonly agents: number;
}

/** The requests of one session with one model of one provider, in the file at a path. */
export interface SessionShare {
  readonly session: string;
  readonly path: string;
  readonly model: string | null;
  readonly provider: string;
  readonly requests: number;
}

/**
 * What instances have used on each day, from their usage files. A year of a million requests takes a second, so the sums of the days
 * are kept, by SQLite in a file without a name, which ends with the process: in memory they would be tens of megabytes. They are read
 * a few days at a time, so that others get their turn.
 */
export class DailyUsage {
  readonly #database = new DatabaseSync('');
  readonly #files = new Map<string, KnownFile>();
  readonly #mostKept: number;
  #reading = 0;

  constructor(mostKept = MOST_KEPT) {
    this.#mostKept = mostKept;
    this.#database.exec(
      `PRAGMA page_size = 16384; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -${CACHE_KIB};
       CREATE TABLE daily (file, ${COLUMNS.join(', ')}); CREATE INDEX daily_day ON daily (file, day);`,
    );
  }

  /**
   * Reads what is missing of some days of usage files, both ends included, and asks for an answer about them.
   * @param answer given why files could not be read, by their paths; it is called at once, while the days are there
   * @param isBusy whether somebody waits, before whom this has to stand back
   */
  async read<T>(
    paths: readonly string[],
    range: DayRange,
    now: number,
    answer: (failures: ReadonlyMap<string, string>) => T,
    isBusy = () => false,
  ): Promise<T> {
    if (this.#reading === 0) this.#forgetTooMany();
    this.#reading += 1;
    const failures = new Map<string, string>();
    try {
      for (const path of paths) {
        try {
          await this.#read(this.#known(path), range, now, isBusy);
        } catch (error) {
          failures.set(path, error instanceof Error ? error.message : String(error));
        }
      }
      return answer(failures);
    } finally {
      this.#reading -= 1;
    }
  }

  /** The sums over some days of a file by something. */
  sums(path: string, by: UsageGrouping, { first, last }: DayRange): Iterable<UsageSum> {
    const statement = `SELECT ${GROUPS[by]} AS "group", ${SUMS} FROM ${rowsFor(by)} GROUP BY 1`;
    return this.#iterate<UsageSum>(statement, { file: this.#known(path).file, first, last });
  }

  /** The same of each day. */
  daySums(path: string, by: UsageGrouping, { first, last }: DayRange): Iterable<DaySum> {
    const statement = `SELECT day, ${GROUPS[by]} AS "group", ${SUMS} FROM ${rowsFor(by)} GROUP BY 1, 2`;
    return this.#iterate<DaySum>(statement, { file: this.#known(path).file, first, last });
  }

  /** The client's ids of the sessions, by their hashes. */
  sessionIds(path: string, { first, last }: DayRange): ReadonlyMap<string, string> {
    const statement = `SELECT session, max(session_id) AS id FROM ${ROWS} AND session_id IS NOT NULL GROUP BY 1`;
    const rows = this.#iterate<{ session: string; id: string }>(statement, {
      file: this.#known(path).file,
      first,
      last,
    });
    return new Map(Array.from(rows, ({ session, id }) => [session, id]));
  }

  /** The latest sessions of some files, the latest first, their shares, and how many sessions there are. */
  sessions(
    paths: readonly string[],
    { first, last }: DayRange,
    limit: number,
  ): { readonly sessions: readonly SessionSum[]; readonly shares: readonly SessionShare[]; readonly found: number } {
    const files = paths.map((path) => this.#known(path));
    const rows = 'daily WHERE file IN (SELECT value FROM json_each(:files)) AND day >= :first AND day <= :last';
    const values = { files: JSON.stringify(files.map(({ file }) => file)), first, last };
    const sessions = [
      ...this.#iterate<SessionSum & { found: number }>(
        `SELECT session, max(session_id) AS sessionId, max(project) AS project, min(first) FILTER (WHERE first > 0) AS first,
           max(longest) AS longest, total(agents) AS agents, ${SUMS}, count(*) OVER () AS found
         FROM ${rows} AND session IS NOT NULL GROUP BY session HAVING sum(requests) > 0
         ORDER BY last DESC, session LIMIT :limit`,
        { ...values, limit },
      ),
    ];
    const pathOf = new Map(files.map(({ path, file }) => [file, path]));
    const shares = this.#iterate<Omit<SessionShare, 'path'> & { file: number }>(
      `SELECT session, file, model, provider, total(requests) AS requests
       FROM ${rows} AND requests > 0 AND session IN (SELECT value FROM json_each(:sessions)) GROUP BY 1, 2, 3, 4`,
      { ...values, sessions: JSON.stringify(sessions.map(({ session }) => session)) },
    );
    return {
      sessions,
      shares: Array.from(shares, ({ file, ...share }) => ({ ...share, path: pathOf.get(file) ?? '' })),
      found: sessions[0]?.found ?? 0,
    };
  }

  close(): void {
    this.#database.close();
  }

  async #read(known: KnownFile, { first, last }: DayRange, now: number, isBusy: () => boolean): Promise<void> {
    const firstOpen = localDay(now - (OPEN_DAYS - 1) * DAY_MS);
    const days = listDays(known.path, first, last);
    this.#removeOthers(known, days, { first, last });
    // Rows are removed from the oldest day on; what is kept of it may be more than there is.
    const [oldest] = days;
    const missing = days.filter((day) => day >= firstOpen || day === oldest || !known.days.has(day));
    for (let at = 0; at < missing.length; at += DAYS_AT_ONCE) {
      if (at > 0) await yieldToOthers();
      while (isBusy()) await pause(BUSY_MS);
      this.#readDays(known, missing.slice(at, at + DAYS_AT_ONCE), firstOpen);
    }
  }

  #known(path: string): KnownFile {
    const known = this.#files.get(path) ?? { path, file: this.#files.size, days: new Set() };
    this.#files.set(path, known);
    return known;
  }

  /** In one step, so that whoever reads at the same time finds a day whole. */
  #readDays({ path, file, days: kept }: KnownFile, days: readonly string[], firstOpen: string): void {
    const remove = this.#database.prepare('DELETE FROM daily WHERE file = ? AND day = ?');
    const insert = this.#database.prepare(`INSERT INTO daily VALUES (?, ${COLUMNS.map(() => '?').join(', ')})`);
    withUsageDatabase(path, (database) => {
      const statement = database.prepare(
        dayStatement(!hasColumn(database, 'intent'), hasColumn(database, 'searches'), hasColumn(database, 'client')),
      );
      this.#database.exec('BEGIN');
      try {
        for (const day of days) {
          remove.run(file, day);
          for (const row of statement.iterate(day)) insert.run(file, ...COLUMNS.map((column) => row[column] ?? null));
          if (day < firstOpen) kept.add(day);
        }
      } finally {
        this.#database.exec('COMMIT');
      }
    });
  }

  /** Removes the days of a range that the file has no more. */
  #removeOthers({ file, days: kept }: KnownFile, days: readonly string[], { first, last }: DayRange): void {
    this.#database
      .prepare(
        'DELETE FROM daily WHERE file = ? AND day >= ? AND day <= ? AND day NOT IN (SELECT value FROM json_each(?))',
      )
      .run(file, first, last, JSON.stringify(days));
    const present = new Set(days);
    for (const day of kept) if (day >= first && day <= last && !present.has(day)) kept.delete(day);
  }

  /** Begins anew where the days that were asked for are more than should be kept. */
  #forgetTooMany(): void {
    const count = Number(this.#database.prepare('SELECT count(*) AS count FROM daily').get()?.['count']);
    if (count <= this.#mostKept) return;
    this.#database.exec('DELETE FROM daily');
    for (const { days } of this.#files.values()) days.clear();
  }

  #iterate<Row>(statement: string, values: Record<string, string | number>): Iterable<Row> {
    return this.#database.prepare(statement).iterate(values) as Iterable<unknown> as Iterable<Row>;
  }
}

/** The days that have rows, found by steps in their index. */
function listDays(path: string, first: string, last: string): string[] {
  const statement = `WITH RECURSIVE days (day) AS (
      SELECT min(day) FROM requests WHERE day >= ?1
      UNION ALL SELECT (SELECT min(day) FROM requests WHERE requests.day > days.day) FROM days WHERE days.day IS NOT NULL
    ) SELECT day FROM days WHERE day <= ?2`;
  const days = withUsageDatabase(path, (database) =>
    database
      .prepare(statement)
      .all(first, last)
      .map(({ day }) => String(day)),
  );
  return days ?? [];
}
