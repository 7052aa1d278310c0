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
