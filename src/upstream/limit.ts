/** A limit in time, one at once: it stands still while the answer is paused, and begins anew when the answer goes on. */
export class Limit {
  #ms = 0;
  #onReached: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #paused = false;

  /** Begins a limit of so many milliseconds; an earlier one is forgotten. */
  start(ms: number, onReached: () => void): void {
    this.#ms = ms;
    this.#onReached = onReached;
    if (!this.#paused) this.#run();
  }

  /** Begins the same limit anew, also one that was reached. */
  refresh(): void {
    this.#timer?.refresh();
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
    if (this.#onReached !== undefined) this.#timer = setTimeout(this.#onReached, this.#ms);
  }

  #clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
