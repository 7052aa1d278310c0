import { closeSync, openSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import { withParentFolder } from '../telemetry/stateFiles.ts';
import { isBroken, moveAside, type Sqlite } from '../telemetry/usage/file.ts';
import type { Description } from './descriptionPrompt.ts';

export interface DescriptionCacheOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'warn'>;
  /** Most descriptions, and letters of them, that the file keeps; those that were not used for longest go. */
  readonly bounds?: { readonly entries: number; readonly letters: number };
}

/** Some years of pictures: a conversation that is taken up again finds its own. */
const BOUNDS = { entries: 20_000, letters: 64 * 1024 * 1024 };
/** Of the last ones a copy stays in memory, so that a conversation keeps its words although the disk is full. */
const MOST_IN_MEMORY = 500;
/** The last use is written down to within so many ms, as each turn of a conversation uses all of its pictures. */
const USED_MS = 6 * 3_600_000;
/** In ms: waiting for a lock stops the whole process. */
const LOCK_WAIT_MS = 20;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS descriptions (
    key TEXT PRIMARY KEY, model TEXT NOT NULL, text TEXT NOT NULL, used INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS descriptions_used ON descriptions (used);`;

/** The path of an instance's file of descriptions. */
export function descriptionsPath(stateDirectory: string, instance: string): string {
  return `${stateDirectory}/${instance}.vision.sqlite`;
}

/**
 * Keeps what side models have said of pictures, in a SQLite file and the last of it in memory. Whatever is wrong with the disk or the
 * file costs at most that a picture is described again after a restart, and never a request; a broken file is moved aside.
 */
export class DescriptionCache {
  readonly #options: DescriptionCacheOptions;
  readonly #bounds: { readonly entries: number; readonly letters: number };
  readonly #memory = new Map<string, Description>();
  #sqlite: Sqlite | undefined;
  #database: DatabaseSync | undefined;
  #hasFailed = false;

  constructor(options: DescriptionCacheOptions) {
    this.#options = options;
    this.#bounds = options.bounds ?? BOUNDS;
  }

  /** Whether `open` has been called. */
  get isOpen(): boolean {
    return this.#sqlite !== undefined;
  }

  /** Loads SQLite, which takes a moment, and so is not done before there is a picture. */
  async open(): Promise<void> {
    this.#sqlite = await import('node:sqlite');
  }

  get(key: string): Description | undefined {
    const inMemory = this.#memory.get(key);
    if (inMemory !== undefined) {
      this.#attempt((database) => this.#touch(database, key));
      return inMemory;
    }
    const row = this.#attempt((database) => {
      const found = database.prepare('SELECT model, text FROM descriptions WHERE key = ?').get(key);
      if (found !== undefined) this.#touch(database, key);
      return found;
    });
    if (row === undefined) return undefined;
    const description = { model: String(row['model']), text: String(row['text']) };
    this.#remember(key, description);
    return description;
  }

  /** Keeps a description; gives the one that counts, as another process of the instance may have been quicker. */
  add(key: string, description: Description): Description {
    const earlier = this.get(key);
    if (earlier !== undefined) return earlier;
    this.#remember(key, description);
    this.#attempt((database) => {
      database
        .prepare('INSERT OR IGNORE INTO descriptions (key, model, text, used) VALUES (?, ?, ?, ?)')
        .run(key, description.model ?? '', description.text, this.#options.clock.now());
      this.#shrink(database);
    });
    return description;
  }

  close(): void {
    this.#sqlite = undefined;
    this.#closeFile();
  }

  #remember(key: string, description: Description): void {
    this.#memory.set(key, description);
    if (this.#memory.size <= MOST_IN_MEMORY) return;
    const [oldest] = this.#memory.keys();
    if (oldest !== undefined) this.#memory.delete(oldest);
  }

  #touch(database: DatabaseSync, key: string): void {
    const now = this.#options.clock.now();
    database.prepare('UPDATE descriptions SET used = ? WHERE key = ? AND used < ?').run(now, key, now - USED_MS);
  }

  /** Lets those go that were not used for longest, a tenth at a time. */
  #shrink(database: DatabaseSync): void {
    const { entries, letters } = this.#bounds;
    const sums = 'SELECT count(*) AS entries, total(length(text)) AS letters FROM descriptions';
    for (;;) {
      const row = database.prepare(sums).get();
      const count = Number(row?.['entries']);
      if (count <= entries && Number(row?.['letters']) <= letters) return;
      const some = 'SELECT key FROM descriptions ORDER BY used LIMIT ?';
      database.prepare(`DELETE FROM descriptions WHERE key IN (${some})`).run(Math.ceil(count / 10));
    }
  }

  /** Does something with the file, which is opened where that is needed; undefined when that fails. */
  #attempt<T>(action: (database: DatabaseSync) => T): T | undefined {
    try {
      this.#database ??= this.#openFile();
      return this.#database === undefined ? undefined : action(this.#database);
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #openFile(): DatabaseSync | undefined {
    if (this.#sqlite === undefined) return undefined;
    const { path } = this.#options;
    closeSync(withParentFolder(path, () => openSync(path, 'a', 0o600))); // SQLite itself would let others read it
    const database = new this.#sqlite.DatabaseSync(path, { timeout: LOCK_WAIT_MS });
    try {
      database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; ${SCHEMA}`);
    } catch (error) {
      database.close();
      throw error;
    }
    return database;
  }

  #fail(error: unknown): void {
    const { path, clock, logger } = this.#options;
    this.#closeFile();
    const reason = error instanceof Error ? error.message : String(error);
    try {
      if (isBroken(error)) {
        const moved = moveAside(path, clock.now());
        logger.warn('the file of descriptions of pictures was broken; a new one is begun', {
          moved_to: moved,
          reason,
        });
        return;
      }
    } catch {
      // It stays where it is, and nothing is kept on the disk.
    }
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    logger.warn('descriptions of pictures cannot be kept on the disk for now; requests go on', { path, reason });
  }

  #closeFile(): void {
    try {
      this.#database?.close();
    } catch {
      // It is as good as closed: nothing is written to it any more.
    }
    this.#database = undefined;
  }
}
