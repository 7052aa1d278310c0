/** Lines that are written together: text with a newline after each line, and how many lines it is. */
export interface LogBatch {
  text: string;
  lines: number;
}

/** In characters, which are at most two bytes in memory and three in the file. */
export interface LogBatchLimits {
  /** From this size on, lines need not wait for more to come. */
  complete: number;
  /** A batch is not made larger than this, unless by a single line. */
  largest: number;
  /** Beyond this much in all, lines are refused. */
  waiting: number;
}

/** Lines waiting to be written, joined into batches because a write per line costs many times as much. */
export class LogBatchQueue {
  readonly #limits: LogBatchLimits;
  #complete: LogBatch[] = [];
  #open: LogBatch = { text: '', lines: 0 };
  #size = 0;

  constructor(limits: LogBatchLimits) {
    this.#limits = limits;
  }

  /** False when the queue is full. */
  add(line: string): boolean {
    const size = line.length + 1;
    if (this.#size + size > this.#limits.waiting) return false;
    this.#size += size;
    this.#open.text += `${line}\n`;
    this.#open.lines += 1;
    if (this.#open.text.length >= this.#limits.complete) this.#completeOpen();
    return true;
  }

  /** Whether a batch has reached its full size and should be written without waiting longer. */
  get hasComplete(): boolean {
    return this.#complete.length > 0;
  }

  /** The oldest lines, as many as one batch may hold; undefined when nothing waits. */
  take(): LogBatch | undefined {
    if (this.#open.lines > 0) this.#completeOpen();
    const first = this.#complete.shift();
    if (!first) return undefined;
    for (let next = this.#complete[0]; next; next = this.#complete[0]) {
      if (first.text.length + next.text.length > this.#limits.largest) break;
      first.text += next.text;
      first.lines += next.lines;
      this.#complete.shift();
    }
    this.#size -= first.text.length;
    return first;
  }

  /** Discards everything that waits; returns how many lines that were. */
  clear(): number {
    let lines = 0;
    for (let batch = this.take(); batch; batch = this.take()) lines += batch.lines;
    return lines;
  }

  #completeOpen(): void {
    this.#complete.push(this.#open);
    this.#open = { text: '', lines: 0 };
  }
}

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 30_000;
const CALM_MS = 60_000;

/**
 * When to try the log again after a failure: after 1 s, then twice as long each time up to 30 s, so that it is back within
 * 60 s of the problem's end. The delay starts anew only after a minute without failures: a disk that is full again
 * after every few lines must not be reported once a second.
 */
export class LogBackoff {
  #delay = FIRST_DELAY_MS;
  #lastFailure = Number.NEGATIVE_INFINITY;

  /** The delay before the next attempt, in milliseconds, given the monotonic time of this failure. */
  next(at: number): number {
    const delay = at - this.#lastFailure > this.#delay + CALM_MS ? FIRST_DELAY_MS : this.#delay;
    this.#lastFailure = at;
    this.#delay = Math.min(delay * 2, LONGEST_DELAY_MS);
    return delay;
  }
}

/** Something about the log itself that the operator should know. */
export interface LogProblem {
  /**
   * failing: lines are being dropped. recovered: logging is back. shared: another process writes the same file.
   * maintenance: old files cannot be removed or compressed.
   */
  kind: 'failing' | 'recovered' | 'shared' | 'maintenance';
  /** One sentence for a person. */
  message: string;
}

/** A short account of a file system error: its code and text, at most 200 characters, no stack. */
export function describeError(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 200);
}

/** A stretch of time in which lines were lost. */
export interface LogOutage {
  since: number;
  dropped: number;
}

export function describeOutage({ since, dropped }: LogOutage): string {
  return `logging is back; ${dropped} lines were dropped since ${new Date(since).toISOString()}`;
}

/** The line in the log that reports a gap in it. */
export function recoveryLine(instance: string, now: number, outage: LogOutage): string {
  return JSON.stringify({
    time: new Date(now).toISOString(),
    level: 'warn',
    event: 'log_recovered',
    instance,
    message: describeOutage(outage),
    dropped: outage.dropped,
    since: new Date(outage.since).toISOString(),
  });
}
