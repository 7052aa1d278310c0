import type { SecureContext } from 'node:tls';
import type { PostgresAddress } from '../config/parsers.ts';
import { type Clock, firstOfDays, localDay } from '../core/clock.ts';
import { describeError, LogBackoff } from '../telemetry/log/queue.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type FilePosition, readRowsAfter, type Sqlite, sumClientsAfter } from '../telemetry/usage/file.ts';
import type { SinkStatus } from '../telemetry/usage/store.ts';
import type { ClientSum } from '../telemetry/usage/totals.ts';
import { isRefusedData, PostgresDatabase } from './database.ts';
import { addRows, findPosition, migrate, removeBefore, sumSharedClients } from './schema.ts';

/** Who wants to know what clients have used in all instances that share the database. */
export interface ClientUsageReader {
  /** What their limits depend on at this moment. */
  readonly limits: () => { readonly tokens: boolean; readonly cost: boolean };
  /** Writes the rows that this process has counted into the usage file. */
  readonly flush: () => void;
  /** Takes what each has used on a day and in its month, with all that this process has counted. */
  readonly take: (day: string, sums: readonly ClientSum[]) => void;
}

export interface UsageSinkOptions {
  readonly address: PostgresAddress;
  /** The address for people, without user and password. */
  readonly server: string;
  /** What the server's certificate is checked with; undefined for Node's own authorities. */
  readonly trust: SecureContext | undefined;
  /** The usage file, which is the first copy. */
  readonly path: string;
  readonly instance: string;
  /** Age at which rows are removed; 0 keeps them for ever. */
  readonly retentionDays: number;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  readonly clients: ClientUsageReader;
}

/** Rows are read and sent in such portions, which is all that is held in memory. */
const BATCH_ROWS = 500;
const STATEMENT_MS = 10_000;
const SWEEP_INTERVAL_MS = 3_600_000;
const SWEEP_PAUSE_MS = 1000;
/** How often it is read what clients have used; less often where reading takes long, so that it takes a small part of the time. */
const CLIENTS_INTERVAL_MS = 5000;
const CLIENTS_PAUSES = 20;
/** The same until the database knows the file, and while it is away. */
const CLIENTS_RETRY_MS = 500;

/**
 * Copies the rows of an instance's usage file into a PostgreSQL database, off the requests' path. The file is the queue: how far it was
 * read stands in the database, and goes on with the rows in one statement. So an outage of any length costs nothing as long as the file
 * keeps its rows, and no row is there twice.
 */
export class UsageSink {
  readonly #options: UsageSinkOptions;
  readonly #backoff = new LogBackoff();
  #sqlite: Sqlite | undefined;
  #database: PostgresDatabase | undefined;
  #position: FilePosition | undefined;
  #batchRows = BATCH_ROWS;
  #timer: NodeJS.Timeout | undefined;
  #sweeper: NodeJS.Timeout | undefined;
  #clientsTimer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #hasMore = false;
  #isClosed = false;
  #written = 0;
  #dropped = 0;
  #waiting = 0;
  #lastError: string | undefined;
  #failingSince: number | undefined;
  #isReadingClientsFailing = false;

  constructor(options: UsageSinkOptions) {
    this.#options = options;
  }

  /** Begins to send, with what earlier processes have left. */
  async start(): Promise<void> {
    this.#sqlite = await import('node:sqlite');
    this.notify();
    void this.#running?.then(() => this.#sweep());
    void this.#watchClients();
  }

  /** There are new rows in the file. Never throws and never waits. */
  notify(): void {
    this.#hasMore = true;
    if (this.#running !== undefined || this.#timer !== undefined || this.#isClosed || this.#sqlite === undefined)
      return;
    this.#running = this.#send().finally(() => {
      this.#running = undefined;
    });
  }

  status(): SinkStatus {
    return {
      server: this.#options.server,
      written: this.#written,
      dropped: this.#dropped,
      waiting: this.#waiting,
      healthy: this.#failingSince === undefined,
      lastError: this.#lastError,
    };
  }

  /** Sends what the file still holds, unless the server is away, and ends the connection. What is not sent is sent after the next start. */
  async close(): Promise<void> {
    clearTimeout(this.#sweeper);
    this.notify();
    await this.#running;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#clientsTimer);
    await this.#closeDatabase();
  }

  /** Sends until nothing is left; after a failure again some time later. Never rejects. */
  async #send(): Promise<void> {
    try {
      while (this.#hasMore) {
        this.#hasMore = false;
        const database = await this.#open();
        while (await this.#sendBatch(database));
      }
      this.#recover();
    } catch (error) {
      await this.#fail(error);
    }
  }

  async #open(): Promise<PostgresDatabase> {
    if (this.#database !== undefined) return this.#database;
    const { address, trust } = this.#options;
    this.#database = new PostgresDatabase(address, trust, STATEMENT_MS);
    await migrate(this.#database);
    return this.#database;
  }

  /** Sends the next rows of the file; gives whether there may be more. */
  async #sendBatch(database: PostgresDatabase): Promise<boolean> {
    const { path, instance } = this.#options;
    const position = this.#position;
    if (this.#sqlite === undefined) return false;
    const file = readRowsAfter(this.#sqlite, path, position, position === undefined ? 0 : this.#batchRows);
    if (file === undefined) return false;
    const { source, begin, last, rows } = file;
    if (position === undefined || position.source !== source) {
      // Another file has taken the place of the one that was read, with what had not been sent of it.
      if (position !== undefined) this.#dropped += this.#waiting;
      this.#position = { source, row: await findPosition(database, { source, instance, begin }) };
      return true;
    }
    const from = position.row;
    const to = rows.at(-1)?.rowid ?? from;
    this.#waiting = last - from;
    if (to === from) return false;
    const sent = await this.#add(database, { source, instance, from, to, rows });
    // Elsewhere the file has been read further: another process of the instance, or this one when a connection broke.
    this.#position = sent === undefined ? undefined : { source, row: to };
    if (sent !== undefined) {
      this.#written += sent;
      this.#dropped += to - from - sent;
      this.#waiting = last - to;
    }
    return true;
  }

  /** A row that the database does not take is found by sending its neighbours one by one, and left out. */
  async #add(database: PostgresDatabase, rows: Parameters<typeof addRows>[1]): Promise<number | undefined> {
    try {
      return await addRows(database, rows);
    } catch (error) {
      if (!isRefusedData(error)) throw error;
      const isAlone = rows.rows.length === 1;
      this.#batchRows = isAlone ? BATCH_ROWS : 1;
      if (isAlone) this.#options.logger.warn('the usage database refuses a row', { reason: describeError(error) });
      return isAlone ? await addRows(database, { ...rows, rows: [] }) : undefined;
    }
  }

  async #sweep(): Promise<void> {
    const { retentionDays, clock, instance } = this.#options;
    if (retentionDays === 0 || this.#isClosed) return;
    let more = false;
    try {
      const database = this.#database;
      if (database !== undefined)
        more = await removeBefore(database, instance, firstOfDays(retentionDays, clock.now()));
    } catch {
      // Sending meets the same fault, and reports it; the old rows are removed an hour later.
    }
    this.#sweeper = setTimeout(() => this.#sweep(), more ? SWEEP_PAUSE_MS : SWEEP_INTERVAL_MS).unref();
  }

  /** Reads again and again what clients have used. Never rejects. */
  async #watchClients(): Promise<void> {
    const { clock, logger } = this.#options;
    const begin = clock.monotonic();
    let pauseMs = CLIENTS_RETRY_MS;
    try {
      if (await this.#readClients()) {
        pauseMs = Math.max(CLIENTS_INTERVAL_MS, CLIENTS_PAUSES * (clock.monotonic() - begin));
        this.#isReadingClientsFailing = false;
      }
    } catch (error) {
      pauseMs = CLIENTS_INTERVAL_MS;
      // An outage is reported by the sending.
      if (this.#failingSince === undefined && !this.#isReadingClientsFailing && !this.#isClosed) {
        this.#isReadingClientsFailing = true;
        const words = 'what clients have used elsewhere cannot be read for now; limits go by the last figures';
        logger.warn(words, { server: this.#options.server, reason: describeError(error) });
      }
    }
    if (!this.#isClosed) this.#clientsTimer = setTimeout(() => this.#watchClients(), pauseMs).unref();
  }

  /** Gives whether it could be read, or need not be. */
  async #readClients(): Promise<boolean> {
    const { clock, path, clients } = this.#options;
    const { tokens, cost } = clients.limits();
    if (!tokens && !cost) return true;
    const database = this.#database;
    const source = this.#position?.source;
    if (database === undefined || source === undefined || this.#sqlite === undefined) return false;
    const today = localDay(clock.now());
    const shared = await sumSharedClients(database, { source, today, withCost: cost });
    if (shared === undefined || this.#isClosed) return false;
    // From here on in one step: what this process counts after it is added to the sums.
    clients.flush();
    const unsent = sumClientsAfter(this.#sqlite, path, { source, row: shared.row }, today);
    if (unsent !== undefined) clients.take(today, [...shared.sums, ...unsent]);
    return unsent !== undefined;
  }

  async #fail(error: unknown): Promise<void> {
    const { clock, logger } = this.#options;
    this.#lastError = describeError(error);
    this.#position = undefined;
    await this.#closeDatabase();
    if (this.#failingSince === undefined) {
      const words = 'usage cannot be sent to the database for now; the file keeps it, and requests go on';
      logger.warn(words, { server: this.#options.server, reason: this.#lastError });
    }
    this.#failingSince ??= clock.now();
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.notify();
    }, this.#backoff.next(clock.monotonic())).unref();
  }

  #recover(): void {
    if (this.#failingSince === undefined) return;
    const since = new Date(this.#failingSince).toISOString();
    this.#failingSince = undefined;
    this.#options.logger.info('usage is sent to the database again', { since, server: this.#options.server });
  }

  async #closeDatabase(): Promise<void> {
    const database = this.#database;
    this.#database = undefined;
    // It is as good as closed: nothing is sent over it any more.
    await database?.close().catch(() => {});
  }
}
