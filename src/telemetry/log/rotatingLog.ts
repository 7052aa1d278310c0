import { closeSync, constants, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { NO_FOLLOW, NO_WAIT } from '../stateFiles.ts';
import { activeFileName, logName } from './fileNames.ts';
import { LogAppender } from './logFile.ts';
import {
  describeError,
  describeOutage,
  LogBackoff,
  type LogBatch,
  LogBatchQueue,
  type LogOutage,
  type LogProblem,
  recoveryLine,
} from './queue.ts';
import { LogMaintenance } from './retention.ts';

export interface RotatingLogOptions {
  /** The instance's own folder; made when missing. */
  directory: string;
  instance: string;
  /** The number of this process among those of the instance; each writes files of its own. */
  worker: number;
  /** The active file is rotated at this size (at most an eighth later, and never above a quarter of the total). */
  maxSizeBytes: number;
  /** Rotated files are removed this long after their last line. */
  retentionMs: number;
  /** Cap for all files of the instance together; the oldest go first. */
  maxTotalBytes: number;
  clock: Clock;
  /** Is called with each problem of the log itself. Must not throw. */
  onProblem?: (problem: LogProblem) => void;
}

/** For /health. */
export interface LogStatus {
  path: string;
  /** Lines in the log, and lines lost, since the start. */
  written: number;
  dropped: number;
  /** False while lines are being lost or the loss has not yet been reported in the log. */
  healthy: boolean;
  /** Code and short text of the latest problem, which may be over: see `healthy`. */
  lastError?: string;
  /** When the log will be tried again, in milliseconds since 1970. */
  nextTryAt?: number;
}

export interface RotatingLog {
  /** Takes one line without its newline. Never throws, waits or blocks: a line that cannot be kept is counted as dropped. */
  write(line: string): void;
  /** Resolves when each line taken before is in the file or counted as dropped. */
  flush(): Promise<void>;
  /** As the last act of a process: everything taken goes to the file before this returns. Done on `exit` by itself. */
  flushSync(): void;
  /** Flushes, ends maintenance and releases the file; lines written later are dropped. */
  close(): Promise<void>;
  status(): LogStatus;
}

const BATCH_DELAY_MS = 25;
const COMPLETE_BATCH = 64 * 1024;
const LARGEST_BATCH = 1024 * 1024;
const LARGEST_QUEUE = 4 * 1024 * 1024;
const SWEEP_INTERVAL_MS = 3_600_000;
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | NO_FOLLOW | NO_WAIT;

/**
 * A log file that is rotated by size and UTC day, compressed and removed by age and total size, and that never disturbs
 * the work of its process: on a full disk, a read-only or missing folder, lines are dropped and counted, the file
 * is opened again with increasing delays, and the first line after the gap says how many are missing.
 *
 * One file belongs to one process; the caller ensures that by the number of the worker.
 * A second writer is noticed and reported, but lines may be lost when both rotate.
 */
export function openRotatingLog(options: RotatingLogOptions): RotatingLog {
  return new ResilientLog(options);
}

class ResilientLog implements RotatingLog {
  readonly #options: RotatingLogOptions;
  readonly #path: string;
  readonly #waiting: LogBatchQueue;
  readonly #maintenance: LogMaintenance;
  readonly #file: LogAppender;
  readonly #backoff = new LogBackoff();
  readonly #sweepTimer: NodeJS.Timeout;
  #batchTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #nextTryAt: number | undefined;
  /** Everything that touches the file happens one after the other in this sequence, which never rejects. */
  #work: Promise<void>;
  #writeScheduled = false;
  #inFlight: { bytes: Buffer; lines: number } | undefined;
  #outage: LogOutage | undefined;
  #failing = false;
  #closed = false;
  #sharedReported = false;
  #written = 0;
  #dropped = 0;
  #lastError: string | undefined;

  constructor(options: RotatingLogOptions) {
    const { directory, instance, clock, retentionMs, maxTotalBytes } = options;
    const name = logName(instance, options.worker);
    const maxSizeBytes = Math.max(1, Math.floor(Math.min(options.maxSizeBytes, maxTotalBytes / 4)));
    this.#options = options;
    this.#path = join(directory, activeFileName(name));
    this.#waiting = new LogBatchQueue({
      complete: Math.min(COMPLETE_BATCH, maxSizeBytes / 8),
      largest: Math.min(LARGEST_BATCH, maxSizeBytes / 8),
      waiting: LARGEST_QUEUE,
    });
    this.#maintenance = new LogMaintenance({
      ...{ directory, instance, name, retentionMs, maxTotalBytes, activeMaxBytes: maxSizeBytes },
      now: () => clock.now(),
      onProblem: (error) => this.#reportMaintenance(error, 'old log files cannot be compressed or removed'),
    });
    this.#file = new LogAppender({
      ...{ directory, name, maxSizeBytes, clock, maintenance: this.#maintenance },
      onShared: () => this.#reportShared(),
      onRotationFailed: (error) => this.#reportMaintenance(error, 'the full log file cannot be rotated and grows on'),
    });
    this.#work = this.#open();
    this.#sweepTimer = setInterval(() => this.#maintain(), SWEEP_INTERVAL_MS).unref();
    process.on('exit', this.#onExit);
  }

  write(line: string): void {
    if (this.#closed || this.#retryTimer || !this.#waiting.add(line)) this.#drop(1);
    else if (this.#waiting.hasComplete) this.#scheduleWrite();
    else this.#batchTimer ??= setTimeout(this.#scheduleWrite, BATCH_DELAY_MS).unref();
  }

  flush(): Promise<void> {
    this.#scheduleWrite();
    return this.#work;
  }

  flushSync(): void {
    const { bytes, lines } = this.#inFlight ?? { bytes: Buffer.alloc(0), lines: 0 };
    this.#inFlight = undefined;
    const batches: LogBatch[] = [];
    for (let batch = this.#waiting.take(); batch; batch = this.#waiting.take()) batches.push(batch);
    const count = batches.reduce((sum, batch) => sum + batch.lines, lines);
    if (count === 0) return;
    try {
      mkdirSync(this.#options.directory, { recursive: true, mode: 0o700 });
      const missing = this.#file.missingSync(bytes);
      const rest = Buffer.from(batches.map((batch) => batch.text).join(''));
      appendBytes(this.#path, Buffer.concat([missing, rest]));
      this.#written += count;
    } catch (error) {
      this.#lastError = describeError(error);
      this.#drop(count);
    }
  }

  async close(): Promise<void> {
    if (!this.#closed) {
      const flushed = this.flush();
      this.#closed = true;
      await flushed;
      clearInterval(this.#sweepTimer);
      clearTimeout(this.#retryTimer);
      process.off('exit', this.#onExit);
      await this.#file.close();
    }
    await this.#maintenance.idle();
  }

  status(): LogStatus {
    return {
      path: this.#path,
      written: this.#written,
      dropped: this.#dropped,
      healthy: !this.#outage,
      ...(this.#lastError !== undefined && { lastError: this.#lastError }),
      ...(this.#nextTryAt !== undefined && { nextTryAt: this.#nextTryAt }),
    };
  }

  readonly #onExit = (): void => this.flushSync();
  readonly #scheduleWrite = (): void => {
    clearTimeout(this.#batchTimer);
    this.#batchTimer = undefined;
    if (this.#writeScheduled) return;
    this.#writeScheduled = true;
    this.#work = this.#work.then(this.#writeWaiting);
  };

  async #open(): Promise<void> {
    try {
      await this.#file.open();
    } catch (error) {
      await this.#fail(error, 0);
    }
  }

  /** Hourly, so that an idle instance too gives its file of yesterday away and loses what is too old. */
  #maintain(): void {
    this.#work = this.#work.then(() => (this.#failing || this.#file.isOpenForToday ? undefined : this.#open()));
    void this.#maintenance.run();
  }

  readonly #writeWaiting = async (): Promise<void> => {
    this.#writeScheduled = false;
    if (this.#retryTimer) return;
    if (this.#failing) await this.#reportOutage();
    for (let batch = this.#waiting.take(); batch; batch = this.#waiting.take()) {
      await this.#append(batch.text, batch.lines);
    }
    // Lines dropped because too many were waiting.
    if (this.#outage && !this.#failing) await this.#reportOutage();
  };

  /** Also the test after a failure: the log works again when this line is in it. */
  async #reportOutage(): Promise<void> {
    const { instance, clock, onProblem } = this.#options;
    const outage = { since: 0, dropped: 0, ...this.#outage };
    const reported = await this.#append(`${recoveryLine(instance, clock.now(), outage)}\n`, 0);
    if (!reported) return;
    this.#failing = false;
    this.#nextTryAt = undefined;
    const later = (this.#outage?.dropped ?? 0) - outage.dropped;
    this.#outage = later > 0 ? { since: clock.now(), dropped: later } : undefined;
    onProblem?.({ kind: 'recovered', message: describeOutage(outage) });
  }

  /** Appends whole lines and accounts for them. False when the file has failed. */
  async #append(text: string, lines: number): Promise<boolean> {
    const bytes = Buffer.from(text);
    this.#inFlight = { bytes, lines };
    const { written, error } = await this.#file.append(bytes);
    // Gone when flushSync has taken care of it meanwhile.
    if (!this.#inFlight) return true;
    this.#inFlight = undefined;
    const writtenLines = written === bytes.length ? lines : countLines(bytes.subarray(0, written), lines);
    this.#written += writtenLines;
    if (error) await this.#fail(error, lines - writtenLines);
    return !error;
  }

  #drop(lines: number): void {
    if (lines === 0) return;
    this.#dropped += lines;
    this.#outage ??= { since: this.#options.clock.now(), dropped: 0 };
    this.#outage.dropped += lines;
  }

  async #fail(error: unknown, lostLines: number): Promise<void> {
    const { clock, onProblem } = this.#options;
    this.#outage ??= { since: clock.now(), dropped: 0 };
    this.#drop(lostLines + this.#waiting.clear());
    this.#lastError = describeError(error);
    const delay = this.#backoff.next(clock.monotonic());
    this.#nextTryAt = clock.now() + delay;
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      this.#scheduleWrite();
    }, delay).unref();
    if (!this.#failing) onProblem?.({ kind: 'failing', message: `log lines are being dropped: ${this.#lastError}` });
    this.#failing = true;
    await this.#file.close();
  }

  #reportShared(): void {
    if (this.#sharedReported) return;
    this.#sharedReported = true;
    const message = `another process writes to ${this.#path}: lines may be lost; give each instance its own folder`;
    this.#options.onProblem?.({ kind: 'shared', message });
  }

  #reportMaintenance(error: unknown, what: string): void {
    this.#lastError = describeError(error);
    const message = `${what}: ${this.#lastError}`;
    this.#options.onProblem?.({ kind: 'maintenance', message });
  }
}

function appendBytes(path: string, bytes: Buffer): void {
  const descriptor = openSync(path, APPEND, 0o600);
  try {
    writeFileSync(descriptor, bytes);
  } finally {
    closeSync(descriptor);
  }
}

function countLines(bytes: Buffer, lines: number): number {
  let count = 0;
  for (let at = bytes.indexOf(0x0a); at >= 0 && count < lines; at = bytes.indexOf(0x0a, at + 1)) count++;
  return count;
}
