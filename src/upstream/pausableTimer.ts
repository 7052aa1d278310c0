/** A timer that stands still while the answer is paused, and begins anew when the answer goes on. */
export class PausableTimer {
  #ms = 0;
  #onElapsed: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #paused = false;

  /** Begins to wait for so many milliseconds; an earlier wait is forgotten. */
  start(ms: number, onElapsed: () => void): void {
    this.#ms = ms;
    this.#onElapsed = onElapsed;
    if (!this.#paused) this.#run();
  }

  /** Begins the same wait anew, also one that is over. */
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
    this.#onElapsed = undefined;
    this.#clear();
  }

  #run(): void {
    this.#clear();
    if (this.#onElapsed !== undefined) this.#timer = setTimeout(this.#onElapsed, this.#ms);
  }

  #clear(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
