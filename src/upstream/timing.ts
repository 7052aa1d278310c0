import type { Socket } from 'node:net';

/** A timer that stands still while the answer is paused, and begins anew when the answer goes on. */
export class PausableTimer {
  #ms = 0;
  #onElapsed: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #paused = false;

  /** Begins to wait for so many milliseconds; an earlier wait is forgotten. */
  start(ms: number, onElapsed: () => void): void {
    clearTimeout(this.#timer);
    this.#ms = ms;
    this.#onElapsed = onElapsed;
    this.#timer = this.#paused ? undefined : setTimeout(onElapsed, ms);
  }

  /** Begins the same wait anew, also one that is over. */
  refresh(): void {
    this.#timer?.refresh();
  }

  pause(): void {
    this.#paused = true;
    clearTimeout(this.#timer);
    // A timer that was cleared would run again when it is refreshed.
    this.#timer = undefined;
  }

  resume(): void {
    this.#paused = false;
    if (this.#onElapsed !== undefined) this.start(this.#ms, this.#onElapsed);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#onElapsed = undefined;
  }
}

/** So long answers are read in one turn of the event loop, in ms. */
const TURN_MS = 8;

/** Something that has come of an answer, and waits for its turn. */
export interface Waiting {
  /** Reads all of it. */
  readHeld(): void;
}

/**
 * Shares out the turns of the event loop among all answers: many that come at once would hold it as long as one that takes long to
 * read. What has been begun is read to its end.
 */
export class ReadingTurns {
  readonly #waiting: Waiting[] = [];
  /** When no more is read in this turn, by the monotonic clock; 0 before anything is. */
  #endsAt = 0;

  /** Whether everything else is to have its turn before more is read. */
  isOver(): boolean {
    if (this.#waiting.length > 0) return true;
    if (this.#endsAt === 0) this.#begin();
    return performance.now() >= this.#endsAt;
  }

  /** Has something read in one of the next turns, after what waits already. */
  wait(waiting: Waiting): void {
    this.#waiting.push(waiting);
    if (this.#endsAt === 0) this.#begin();
  }

  #begin(): void {
    this.#endsAt = performance.now() + TURN_MS;
    setImmediate(this.#next);
  }

  readonly #next = (): void => {
    this.#endsAt = 0;
    if (this.#waiting.length === 0) return;
    this.#begin();
    do this.#waiting.shift()?.readHeld();
    while (this.#waiting.length > 0 && performance.now() < this.#endsAt);
  };
}

/**
 * Undici ends a connection whose headers are too large, but reads on to the end of the 64 kB that have come, and makes an error of each
 * further header: 20,000 of them held the event loop for 200 ms, most of it for their stacks, which nobody reads.
 */
export function makeOverflowsCheap(socket: Socket): void {
  const { destroy } = socket;
  socket.destroy = (error?: Error & { code?: string }) => {
    if (error?.code === 'UND_ERR_HEADERS_OVERFLOW') {
      const { stackTraceLimit } = Error;
      Error.stackTraceLimit = 0;
      // Behind what undici still reads, and before anything else runs.
      queueMicrotask(() => {
        Error.stackTraceLimit = stackTraceLimit;
      });
    }
    return destroy.call(socket, error);
  };
}
