import { closeSync, existsSync, openSync, renameSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { withParentFolder } from '../stateFiles.ts';
import { type ClientSum, sumClients, sumUsage, type UsageRow, type UsageSum } from './totals.ts';

/** Node's own module, loaded by who opens the file, as it costs memory. */
export type Sqlite = typeof import('node:sqlite');

/** A random name for a file, in SQLite’s words. */
const NEW_ID = 'lower(hex(randomblob(8)))';

/** Each step takes a file from the version before it to its own; `user_version` says how many have been taken. */
const MIGRATIONS = [
  `CREATE TABLE requests (
     time INTEGER NOT NULL, day TEXT NOT NULL, id TEXT NOT NULL, endpoint TEXT NOT NULL, provider TEXT NOT NULL,
     key TEXT, tier TEXT, asked_model TEXT, used_model TEXT, session TEXT, agent INTEGER NOT NULL,
     status INTEGER NOT NULL, outcome TEXT NOT NULL, input_tokens INTEGER, output_tokens INTEGER,
     cache_read_tokens INTEGER, cache_write_tokens INTEGER, reasoning_tokens INTEGER, estimated INTEGER NOT NULL,
     cost REAL, first_event_ms INTEGER, duration_ms INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX requests_day ON requests (day);`,
  `ALTER TABLE requests ADD COLUMN session_id TEXT;
   ALTER TABLE requests ADD COLUMN intent TEXT;
   ALTER TABLE requests ADD COLUMN project TEXT;`,
  `ALTER TABLE requests ADD COLUMN searches INTEGER;
   ALTER TABLE requests ADD COLUMN search_cost REAL;`,
  'ALTER TABLE requests ADD COLUMN client TEXT;',
  `CREATE TABLE IF NOT EXISTS source (id TEXT NOT NULL) STRICT;
   INSERT INTO source SELECT ${NEW_ID} WHERE NOT EXISTS (SELECT 1 FROM source);`,
];

/** In ms. Waiting for a lock stops the whole process, so it is short: later there is another try. */
const LOCK_WAIT_MS = 20;
/** So many rows are removed in a few milliseconds. */
const REMOVE_AT_ONCE = 2000;

/** The path of an instance's usage file. */
export function usageFilePath(stateDirectory: string, instance: string): string {
  return `${stateDirectory}/${instance}.usage.sqlite`;
}

/** SQLite's words for a file that is not, or no longer, one of its own. */
export function isBroken(error: unknown): boolean {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  return typeof code === 'number' && [SQLITE_CORRUPT, SQLITE_NOTADB].includes(code & 0xff);
}

/** Whether it is the row that cannot be written, and not the file that cannot be written to. */
function isRefusedRow(error: unknown): boolean {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  if (typeof code === 'number') return [SQLITE_TOOBIG, SQLITE_CONSTRAINT, SQLITE_MISMATCH].includes(code & 0xff);
  return error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_ARG_TYPE';
}

const SQLITE_CORRUPT = 11;
const SQLITE_TOOBIG = 18;
const SQLITE_CONSTRAINT = 19;
const SQLITE_MISMATCH = 20;
const SQLITE_NOTADB = 26;

/** Renames a broken file, and what SQLite keeps beside it, so that a new one can take its place; gives its new path. */
export function moveAside(path: string, time: number): string {
  const broken = `${path}.broken-${new Date(time).toISOString().replaceAll(/[:.]/g, '-')}`;
  for (const ending of ['', '-wal', '-shm']) {
    if (existsSync(path + ending)) renameSync(path + ending, broken + ending);
  }
  return broken;
}

/** An instance's usage file, open for writing. Everything may throw: disks are full and files are locked or broken. */
export class UsageFile {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #columns: readonly (keyof UsageRow)[];
  readonly #insert: StatementSync;

  constructor({ DatabaseSync }: Sqlite, path: string) {
    this.#path = path;
    closeSync(withParentFolder(path, () => openSync(path, 'a', 0o600))); // SQLite itself would let others read it
    this.#database = new DatabaseSync(path, { timeout: LOCK_WAIT_MS });
    try {
      // Nothing is lost when the process dies; the last seconds may be when the machine does, for far fewer waits for the disk.
      this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
      this.#migrate();
      this.#columns = this.#readColumns();
      this.#insert = this.#prepareInsert();
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** Whether somebody has deleted the file, into which writing would go on unseen. */
  get isGone(): boolean {
    return !existsSync(this.#path);
  }

  /** Writes all the rows or none, but for those that do not fit into its table; gives how many these are. */
  write(rows: readonly UsageRow[]): number {
    if (rows.length === 0) return 0;
    let refused = 0;
    this.#transact(() => {
      for (const row of rows) if (!this.#insertRow(row)) refused += 1;
    });
    return refused;
  }

  /** Removes some of the rows from before a day; gives whether there may be more. */
  removeBefore(day: string): boolean {
    const some = 'SELECT rowid FROM requests WHERE day < ? LIMIT ?';
    let removed = 0;
    this.#transact(() => {
      const remove = this.#database.prepare(`DELETE FROM requests WHERE rowid IN (${some})`);
      removed = Number(remove.run(day, REMOVE_AT_ONCE).changes);
      // An empty table gives its numbers a second time.
      if (removed > 0)
        this.#database.exec(`UPDATE source SET id = ${NEW_ID} WHERE NOT EXISTS (SELECT 1 FROM requests)`);
    });
    return removed === REMOVE_AT_ONCE;
  }

  /** The sums of each day from the given one on. */
  sumDays(firstDay: string): UsageSum[] {
    return sumUsage(this.#database, 'day', firstDay);
  }

  /** What each client has used today and in this month. */
  sumClients(today: string): ClientSum[] {
    return sumClients(this.#database, today);
  }

  close(): void {
    this.#database.close();
  }

  get #version(): number {
    return Number(this.#database.prepare('PRAGMA user_version').get()?.['user_version']);
  }

  #migrate(): void {
    const version = this.#version;
    if (version > MIGRATIONS.length) throw new Error('the usage file was written by a newer version of this program');
    if (version === MIGRATIONS.length) return;
    this.#transact(() => {
      // Read again now that nobody else can write: another process of the instance may have been quicker.
      for (const step of MIGRATIONS.slice(this.#version)) this.#database.exec(step);
      this.#database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
    });
  }

  #readColumns(): (keyof UsageRow)[] {
    const columns = this.#database.prepare("SELECT name FROM pragma_table_info('requests')").all();
    return columns.map(({ name }) => name as keyof UsageRow);
  }

  /** By position, which costs half of what names do (measured). */
  #prepareInsert(): StatementSync {
    const names = this.#columns.join(', ');
    return this.#database.prepare(
      `INSERT INTO requests (${names}) VALUES (${this.#columns.map(() => '?').join(', ')})`,
    );
  }

  #insertRow(row: UsageRow): boolean {
    try {
      this.#insert.run(...this.#columns.map((name) => row[name]));
      return true;
    } catch (error) {
      if (isRefusedRow(error)) return false;
      throw error;
    }
  }

  #transact(write: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      write();
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}

/** A row with its number in the file. */
export type NumberedRow = UsageRow & { readonly rowid: number };

/** Some rows of a usage file in the order in which they were written. */
export interface RowsOfFile {
  /** Distinguishes this file from every other: its rows are numbered from 1 on, and so are those of others. */
  readonly source: string;
  /** The number before that of its first row, where a new reader begins, and that of its last one. */
  readonly begin: number;
  readonly last: number;
  readonly rows: readonly NumberedRow[];
}

/** Where a reader stands in a usage file. */
export interface FilePosition {
  readonly source: string;
  /** The number of the last row that was read. */
  readonly row: number;
}

/**
 * Reads what was written after a position; all from the beginning for the position of another file. Undefined when there is no file.
 * A file with fewer rows than were read is an older copy of itself, put back: it gets a new name, and a reader begins behind its rows.
 * @throws when the file cannot be read
 */
export function readRowsAfter(
  { DatabaseSync }: Sqlite,
  path: string,
  position: FilePosition | undefined,
  most: number,
): RowsOfFile | undefined {
  if (!existsSync(path)) return undefined;
  const database = new DatabaseSync(path, { timeout: LOCK_WAIT_MS });
  try {
    const nameOfFile = () => String(database.prepare('SELECT id FROM source').get()?.['id']);
    const source = nameOfFile();
    const ends = 'SELECT ifnull(min(rowid), 1) - 1 AS begin, ifnull(max(rowid), 0) AS last FROM requests';
    const { begin, last } = database.prepare(ends).get() as { begin: number; last: number };
    const row = position?.source === source ? position.row : begin;
    if (last < row) {
      database.exec(`UPDATE source SET id = ${NEW_ID}`);
      return { source: nameOfFile(), begin: last, last, rows: [] };
    }
    const rows = database
      .prepare('SELECT rowid, * FROM requests WHERE rowid > ? ORDER BY rowid LIMIT ?')
      .all(row, most);
    return { source, begin, last, rows: rows as unknown as NumberedRow[] };
  } finally {
    database.close();
  }
}

/**
 * What clients have used by the rows that were written after a position; undefined when another file has taken the place of its own.
 * @throws when the file cannot be read
 */
export function sumClientsAfter(
  { DatabaseSync }: Sqlite,
  path: string,
  position: FilePosition,
  today: string,
): ClientSum[] | undefined {
  const database = new DatabaseSync(path, { readOnly: true, timeout: LOCK_WAIT_MS });
  try {
    const source = database.prepare('SELECT id FROM source').get()?.['id'];
    return source === position.source ? sumClients(database, today, position.row) : undefined;
  } finally {
    database.close();
  }
}
