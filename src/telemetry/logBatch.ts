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

  /** False when there is no room for the line. */
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

  /** Forgets everything that waits and tells how many lines that were. */
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
