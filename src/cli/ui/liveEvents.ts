import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { setTimeout as pause, setImmediate as yieldToOthers } from 'node:timers/promises';
import {
  byTime,
  inheritTimes,
  oldestTime,
  readActiveBackwards,
  readEntry,
  readRotatedBackwards,
} from '../logs/logEntries.ts';
import { type OpenLog, openLogs } from '../logs/logFiles.ts';
import { LogFollower } from '../logs/logFollower.ts';
import { followNewcomers, type LogFolders } from '../logs/showLogs.ts';
import type { LiveEvents, NowAnswer } from './contract.ts';
import type { RequestRow } from './records.ts';
import { MOST_ROWS, RequestIndex } from './requestIndex.ts';

/** How long the reading of what is old stands back before it looks again, in ms. */
const BUSY_MS = 5;
/** How often it is looked for log files that were deleted, in ms. */
const SWEEP_MS = 10_000;
/** The latest rows that were sent, for a page that comes back. */
const MOST_RECENT = 2000;

/**
 * Reads the logs of all instances into an index: first what was written last, then what is older while answers are given already, and
 * from then on what comes.
 */
export class RequestFeed {
  readonly index = new RequestIndex();
  readonly #listFolders: () => LogFolders;
  readonly #isBusy: () => boolean;
  readonly #sweepMs: number;
  readonly #followers: LogFollower[] = [];
  #whenBegun: Promise<void> | undefined;
  /** Resolved when the latest lines of each log are in the index. */
  readonly #whenLatest = Promise.withResolvers<void>();
  readonly #whenRead = Promise.withResolvers<void>();
  #isBegun = false;
  #recent: RequestRow[] = [];
  #reading: Promise<readonly RequestRow[]> = Promise.resolve([]);
  #isClosed = false;
  #nextSweepAt = 0;
  #oldest: LiveEvents['kept']['oldest'] | undefined;

  /**
   * @param listFolders where the instances of this moment have their logs
   * @param isBusy whether somebody waits for an answer, before whom what is old has to stand back
   * @param sweepMs how often it is looked for log files that were deleted
   */
  constructor(listFolders: () => LogFolders, isBusy: () => boolean, sweepMs = SWEEP_MS) {
    this.#listFolders = listFolders;
    this.#isBusy = isBusy;
    this.#sweepMs = sweepMs;
  }

  /** Begins to read, when somebody has opened the page for the first time. */
  begin(): void {
    this.#whenBegun ??= this.#begin();
  }

  /** Resolved when all logs are in the index, as far as it takes them. */
  get whenRead(): Promise<void> {
    return this.#whenRead.promise;
  }

  /** The index with what is new; at the beginning as soon as it has the latest rows of each log. */
  async read(): Promise<RequestIndex> {
    this.begin();
    if (this.#isBegun) await this.catchUp();
    else await this.#whenLatest.promise;
    return this.index;
  }

  /** Reads what has been written since the last time; gives the new rows. Calls wait for each other. */
  catchUp(): Promise<readonly RequestRow[]> {
    this.begin();
    const previous = this.#reading.catch(() => []);
    this.#reading = Promise.resolve(this.#whenBegun)
      .then(() => previous)
      .then(() => this.#readOn());
    return this.#reading;
  }

  /** The rows after a number, the oldest first; undefined when not all of them are kept any more. */
  rowsSince(number: number): readonly RequestRow[] | undefined {
    const missing = this.index.latest - number;
    if (missing < 0 || missing > this.#recent.length) return undefined;
    return missing === 0 ? [] : this.#recent.slice(-missing);
  }

  /** When the logs of each instance begin; undefined until that is looked for. The same object as long as it is the same. */
  get oldest(): LiveEvents['kept']['oldest'] | undefined {
    return this.#oldest;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#reading.catch(() => undefined);
    await Promise.all(this.#followers.map((follower) => follower.close()));
    this.index.close();
  }

  async #begin(): Promise<void> {
    const opened = await Promise.all(
      [...this.#listFolders()].map(([folder, name]) => openLogs(folder, name).catch(() => [])),
    );
    const logs = opened.flat();
    // Before the files are followed, as a follower closes one that was rotated.
    const active = logs.map((log) => readActiveBackwards(log));
    for (const [index, log] of logs.entries()) this.#add(log, (await active[index]?.next())?.value ?? []);
    this.#whenLatest.resolve();
    await Promise.all(logs.map((log, index) => this.#addPast(log, active[index] ?? [])));
    this.#isBegun = true;
    this.#followers.push(...logs.map((log) => new LogFollower(log)));
    this.#readPast(logs).catch(() => undefined); // what cannot be read is not in the list, which then is not complete
  }

  async #readPast(logs: readonly OpenLog[]): Promise<void> {
    await Promise.all(logs.map((log) => this.#addPast(log, readRotatedBackwards(log))));
    this.index.isComplete = !this.#isClosed && !this.index.isFull;
    this.#whenRead.resolve();
  }

  async #addPast(log: OpenLog, batches: AsyncIterable<readonly string[]> | Iterable<readonly string[]>): Promise<void> {
    for await (const lines of batches) {
      while (this.#isBusy() && !this.#isClosed) await pause(BUSY_MS);
      if (this.#isClosed || this.index.isFull) return;
      this.#add(log, lines);
      await yieldToOthers();
    }
  }

  #add({ instance }: OpenLog, lines: readonly string[]): void {
    this.index.add(
      lines.map((line) => readEntry(instance, line)),
      true,
    );
  }

  async #readOn(): Promise<readonly RequestRow[]> {
    if (this.#isClosed) return [];
    this.#followers.push(...(await followNewcomers(this.#followers, this.#listFolders())));
    const read = await Promise.all(
      this.#followers.map(async (follower) =>
        inheritTimes((await follower.read()).map((line) => readEntry(follower.log.instance, line))),
      ),
    );
    const rows = this.index.add(read.flat().sort(byTime), false);
    await this.#sweep();
    if (rows.length > 0) this.#recent = [...this.#recent, ...rows].slice(-MOST_RECENT);
    return rows;
  }

  /** Removes the rows of log files that were deleted, once all logs have been read. */
  async #sweep(): Promise<void> {
    if (performance.now() < this.#nextSweepAt || !(this.index.isComplete || this.index.isFull)) return;
    const oldest = new Map<string, number>();
    for (const [folder, instance] of this.#listFolders()) {
      const logs = await openLogs(folder, instance);
      try {
        const times = await Promise.all(logs.map(oldestTime));
        const known = times.filter((time) => time !== undefined);
        if (known.length > 0) oldest.set(instance, Math.min(...known));
      } finally {
        await Promise.all(logs.map(({ active }) => active?.close()));
      }
    }
    if (this.index.keepFrom(oldest)) {
      this.#oldest = Object.fromEntries([...oldest].map(([name, time]) => [name, new Date(time).toISOString()]));
    }
    this.#nextSweepAt = performance.now() + this.#sweepMs;
  }
}

const TICK_MS = 250;
const NOW_MS = 1000;
/** The snapshot takes at most so much of the time, however long it takes. */
const NOW_SHARE = 0.2;
/** A page that reads more slowly than this many bytes behind gets no rows until it has caught up. */
const MOST_WAITING_BYTES = 1_000_000;
const MOST_PAGES = 20;

interface Page {
  readonly response: ServerResponse;
  /** Rows that it did not get because it is too slow. */
  skipped: number;
  /** When the logs begin, as it knows. */
  oldest?: LiveEvents['kept']['oldest'];
}

/** Sends every open page what is new; where no page is open, nothing is asked and nothing is read. */
export class LiveEventSender {
  readonly #feed: RequestFeed;
  readonly #takeSnapshot: () => Promise<NowAnswer>;
  readonly #pages = new Set<Page>();
  /** Distinguishes the ids of this server from those of one before it. */
  readonly #serverId = randomBytes(6).toString('hex');
  /** The number of the last row that was sent. */
  #sent = 0;
  #isRunning = false;
  #nextNowAt = 0;

  constructor(feed: RequestFeed, takeSnapshot: () => Promise<NowAnswer>) {
    this.#feed = feed;
    this.#takeSnapshot = takeSnapshot;
  }

  get isFull(): boolean {
    return this.#pages.size >= MOST_PAGES;
  }

  /** Sends events to a page, whose answer has begun, until it goes; first what it has missed since the event with an id. */
  add(response: ServerResponse, lastId: string | undefined): void {
    const page: Page = { response, skipped: 0 };
    if (this.#pages.size === 0) this.#sent = this.#feed.index.latest;
    for (const text of this.#missed(lastId)) response.write(text);
    this.#pages.add(page);
    response.on('close', () => this.#pages.delete(page));
    this.#nextNowAt = 0;
    if (!this.#isRunning) void this.#run();
  }

  /** Sends an event without an id to every page at once. */
  send<Name extends keyof LiveEvents>(event: Name, data: LiveEvents[Name]): void {
    const text = format(event, data);
    for (const { response } of this.#pages) response.write(text);
  }

  /** Ends the answers of all pages. */
  close(): void {
    for (const { response } of this.#pages) response.end();
    this.#pages.clear();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#pages.size > 0) {
      try {
        // First, as at the beginning it takes a second until the logs have been read.
        if (performance.now() >= this.#nextNowAt) await this.#sendNow();
        await this.#feed.catchUp();
        this.#sendKept();
        this.#sendRows();
      } catch {
        // A file that cannot be read at this moment is tried again.
      }
      await pause(TICK_MS);
    }
    this.#isRunning = false;
  }

  async #sendNow(): Promise<void> {
    const startedAt = performance.now();
    this.send('now', await this.#takeSnapshot());
    const tookMs = performance.now() - startedAt;
    this.#nextNowAt = startedAt + Math.max(NOW_MS, tookMs / NOW_SHARE);
  }

  /** Before rows are sent: those that the pages have were read before it was looked for deleted files. */
  #sendKept(): void {
    const { oldest } = this.#feed;
    for (const page of this.#pages) {
      if (oldest === undefined || oldest === page.oldest) continue;
      page.oldest = oldest;
      page.response.write(format('kept', { oldest }));
    }
  }

  #sendRows(): void {
    const { latest } = this.#feed.index;
    if (latest === this.#sent) return;
    const rows = this.#feed.rowsSince(this.#sent);
    const count = latest - this.#sent;
    this.#sent = latest;
    const texts = rows === undefined ? [this.#lost(count)] : this.#rowTexts(rows);
    for (const page of this.#pages) {
      if (page.response.writableLength > MOST_WAITING_BYTES) {
        page.skipped += count;
        continue;
      }
      if (page.skipped > 0) page.response.write(this.#lost(page.skipped));
      page.skipped = 0;
      for (const text of texts) page.response.write(text);
    }
  }

  /** What a page has missed since the event with an id; without an id nothing, but where it begins. */
  #missed(lastId: string | undefined): string[] {
    if (lastId === undefined) return this.#rowTexts([]);
    const [serverId, number] = lastId.split('-', 2);
    if (serverId !== this.#serverId) return [this.#lost(null)];
    const count = this.#sent - Number(number);
    // What came after the last event is sent to all with the next one.
    const rows = this.#feed.rowsSince(Number(number))?.slice(0, Math.max(0, count));
    return rows === undefined ? [this.#lost(count > 0 ? count : null)] : this.#rowTexts(rows);
  }

  #rowTexts(rows: readonly RequestRow[]): string[] {
    const texts: string[] = [];
    for (let at = 0; at === 0 || at < rows.length; at += MOST_ROWS) {
      // Only the last part has the id: who loses it asks for all of them again.
      const id = at + MOST_ROWS >= rows.length ? this.#id : undefined;
      texts.push(format('requests', { requests: rows.slice(at, at + MOST_ROWS) }, id));
    }
    return texts;
  }

  #lost(count: number | null): string {
    return format('lost', { count }, this.#id);
  }

  get #id(): string {
    return `${this.#serverId}-${this.#sent}`;
  }
}

function format<Name extends keyof LiveEvents>(event: Name, data: LiveEvents[Name], id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
