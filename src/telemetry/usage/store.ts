import { type Clock, firstOfDays, localDay } from '../../core/clock.ts';
import { describeError, LogBackoff } from '../log/queue.ts';
import type { Logger } from '../logger.ts';
import { isBroken, moveAside, type Sqlite, UsageFile } from './file.ts';
import type { ClientSum, UsageRow, UsageSum } from './totals.ts';

export interface UsageStoreOptions {
  readonly path: string;
  /** Age at which rows are removed; 0 keeps them for ever. */
  readonly retentionDays: number;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  /** Called when rows were written; must not throw. */
  readonly onWritten?: (() => void) | undefined;
}

/** How the writing fares, for /health. */
export interface UsageStatus {
  /** Rows since the start. */
  readonly written: number;
  readonly dropped: number;
  readonly healthy: boolean;
  readonly lastError: string | undefined;
}

/** How the copying of the rows to the database fares; what is dropped the file had lost before, or the database refused. */
export interface SinkStatus extends UsageStatus {
  /** Database, host and port, without user and password. */
  readonly server: string;
  /** Rows of the file that the database does not have yet, as far as is known. */
  readonly waiting: number;
}

/** What the file says of the time before the start. */
export interface StoredUsage {
  readonly days: readonly UsageSum[];
  readonly clients: readonly ClientSum[];
}

/** Rows are written together, as a transaction for each would cost many times as much. */
const BATCH_ROWS = 200;
const BATCH_MS = 1000;
/** Beyond this many waiting rows, new ones are dropped. */
const MOST_WAITING = 1000;
const SWEEP_INTERVAL_MS = 3_600_000;
const SWEEP_PAUSE_MS = 1000;

/**
 * Keeps one row per request in a SQLite file, off the requests' path: rows wait for up to a second in memory and are written in
 * one transaction. Whatever is wrong with the disk or the file costs rows, which are counted, and never a request; writing is
 * tried again with growing delays. A broken file is moved aside; a row that does not fit into the table is dropped alone.
 */
export class UsageStore {
  readonly #options: UsageStoreOptions;
  readonly #backoff = new LogBackoff();
  #waiting: UsageRow[] = [];
  #sqlite: Sqlite | undefined;
  #file: UsageFile | undefined;
  #timer: NodeJS.Timeout | undefined;
  #sweeper: NodeJS.Timeout | undefined;
  #written = 0;
  #dropped = 0;
  #lastError: string | undefined;
  /** Since when writing fails, and how many rows were dropped before. */
  #outage: { readonly since: number; readonly droppedBefore: number } | undefined;

  constructor(options: UsageStoreOptions) {
    this.#options = options;
  }

  /**
   * Opens the file and begins to write; to be called when the instance listens, as loading SQLite takes a moment.
   * @returns the sums of each of the last `days`, and what each client has used today and in this month
   */
  async start(days: number): Promise<StoredUsage> {
    this.#sqlite = await import('node:sqlite');
    let sums: StoredUsage = { days: [], clients: [] };
    const now = this.#options.clock.now();
    this.#attempt((file) => {
      sums = { days: file.sumDays(firstOfDays(days, now)), clients: file.sumClients(localDay(now)) };
    });
    this.#sweep();
    if (this.#waiting.length > 0) this.#plan(0);
    return sums;
  }

  /** Never throws and never waits. */
  add(row: UsageRow): void {
    if (this.#waiting.length >= MOST_WAITING) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(row);
    if (this.#outage !== undefined || this.#sqlite === undefined) return;
    if (this.#waiting.length === BATCH_ROWS) this.#plan(0);
    else if (this.#timer === undefined) this.#plan(BATCH_MS);
  }

  status(): UsageStatus {
    return {
      written: this.#written,
      dropped: this.#dropped,
      healthy: this.#outage === undefined,
      lastError: this.#lastError,
    };
  }

  /** Writes what waits now; does nothing while writing fails. */
  flush(): void {
    if (this.#sqlite === undefined || this.#outage !== undefined) return;
    while (this.#waiting.length > 0 && this.#writeBatch());
  }

  /** Writes what waits and closes the file. */
  close(): void {
    clearTimeout(this.#sweeper);
    if (this.#sqlite !== undefined) {
      while (this.#waiting.length > 0 && this.#writeBatch());
    }
    clearTimeout(this.#timer);
    this.#sqlite = undefined;
    this.#dropped += this.#waiting.length;
    if (this.#waiting.length > 0) {
      this.#options.logger.warn('usage could not be written before the end', { dropped: this.#waiting.length });
    }
    this.#waiting = [];
    this.#closeFile();
  }

  #plan(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#writeBatch() && this.#waiting.length > 0) this.#plan(0);
    }, delayMs).unref();
  }

  #writeBatch(): boolean {
    const rows = this.#waiting.slice(0, BATCH_ROWS);
    let refused = 0;
    const done = this.#attempt((file) => {
      refused = file.write(rows);
    });
    if (done) {
      this.#waiting.splice(0, rows.length);
      this.#written += rows.length - refused;
      this.#dropped += refused;
      this.#options.onWritten?.();
    }
    return done;
  }

  #sweep(): void {
    const { retentionDays, clock } = this.#options;
    if (retentionDays === 0) return;
    let more = false;
    this.#attempt((file) => {
      more = file.removeBefore(firstOfDays(retentionDays, clock.now()));
    });
    this.#sweeper = setTimeout(() => this.#sweep(), more ? SWEEP_PAUSE_MS : SWEEP_INTERVAL_MS).unref();
  }

  /** Does something with the file, which is opened where that is needed; false when it failed. */
  #attempt(action: (file: UsageFile) => void): boolean {
    try {
      if (this.#file?.isGone) this.#closeFile();
      if (this.#sqlite === undefined) return false;
      this.#file ??= new UsageFile(this.#sqlite, this.#options.path);
      action(this.#file);
    } catch (error) {
      this.#fail(error);
      return false;
    }
    this.#recover();
    return true;
  }

  #fail(error: unknown): void {
    const { clock, logger, path } = this.#options;
    this.#lastError = describeError(error);
    this.#closeFile();
    const broken = isBroken(error) ? this.#moveAside() : undefined;
    if (broken !== undefined) {
      logger.warn('the usage file was broken; a new one is begun', { moved_to: broken, reason: this.#lastError });
    } else if (this.#outage === undefined) {
      logger.warn('usage cannot be written for now; requests go on', { path, reason: this.#lastError });
    }
    this.#outage ??= { since: clock.now(), droppedBefore: this.#dropped };
    this.#plan(this.#backoff.next(clock.monotonic()));
  }

  #recover(): void {
    if (this.#outage === undefined) return;
    const { since, droppedBefore } = this.#outage;
    this.#outage = undefined;
    this.#options.logger.info('usage is written again', {
      since: new Date(since).toISOString(),
      dropped: this.#dropped - droppedBefore,
    });
  }

  #moveAside(): string | undefined {
    try {
      return moveAside(this.#options.path, this.#options.clock.now());
    } catch {
      return undefined;
    }
  }

  #closeFile(): void {
    try {
      this.#file?.close();
    } catch {
      // It is as good as closed: nothing is written to it any more.
    }
    this.#file = undefined;
  }
}
