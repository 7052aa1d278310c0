/**
 * A limit in time, one at once: it stands still while the answer is paused, and begins anew when the answer goes on. `refresh` comes with
 * each read, so that it only notes the time; the timer finds out when it fires (a timer put off with each read cost twice as much).
 */
export class Limit {
  #ms = 0;
  #onReached: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #since = 0;
  #paused = false;

  /** Begins a limit of so many milliseconds; an earlier one is forgotten. */
  start(ms: number, onReached: () => void): void {
    this.#ms = ms;
    this.#onReached = onReached;
    if (!this.#paused) this.#run();
  }

  /** Begins the same limit anew, also one that was reached. */
  refresh(): void {
    this.#since = performance.now();
    if (this.#timer === undefined && !this.#paused && this.#onReached !== undefined) this.#wait(this.#ms);
  }

  pause(): void {
    this.#paused = true;
    this.#clear();
  }

  resume(): void {
    this.#paused = false;
    this.#run();
  }

  stop(): void {
    this.#onReached = undefined;
    this.#clear();
  }

  #run(): void {
    this.#clear();
    this.refresh();
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const rest = this.#ms - (performance.now() - this.#since);
      // Timers fire up to a millisecond early.
      if (rest > 1) this.#wait(rest);
      else this.#onReached?.();
    }, ms);
  }

  #clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
