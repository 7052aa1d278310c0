const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 30_000;
const CALM_MS = 60_000;

/**
 * When to try the log again after a failure: after 1 s, then twice as long each time up to 30 s, so that it is back within
 * 60 s of the trouble's end (G1). The delay starts anew only after a minute without failures: a disk that is full again
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
