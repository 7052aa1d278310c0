import type { Clock } from '../core/clock.ts';
import { ApiError } from '../core/errors.ts';
import type { Logger } from '../telemetry/logger.ts';

/** Enough for all clients of a machine that still have the token of yesterday. */
const MOST_FAILURES = 20;
const WINDOW_MS = 60_000;
/** Beyond so many addresses, the one that failed first is forgotten. */
const MOST_ADDRESSES = 1000;

interface Failures {
  count: number;
  /** When counting begins anew, by the monotonic clock. */
  readonly until: number;
}

/**
 * Keeps guessing slow (A9): after many wrong tokens from one address, none from there is looked at for the rest of a minute, so
 * that a right one among them cannot be told from the others. A request without a token is no guess.
 */
export class Attempts {
  readonly #clock: Clock;
  readonly #logger: Pick<Logger, 'warn'>;
  readonly #failures = new Map<string, Failures>();

  constructor(clock: Clock, logger: Pick<Logger, 'warn'>) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Lets the token of a request be checked; throws what that throws, or `too_many_attempts` without doing it. */
  check(address: string, hasToken: boolean, checkToken: () => void): void {
    const failures = this.#current(address);
    if (failures !== undefined && failures.count >= MOST_FAILURES && hasToken) {
      const seconds = Math.ceil((failures.until - this.#clock.monotonic()) / 1000);
      throw new ApiError(
        'too_many_attempts',
        `too many wrong tokens came from this address; none is looked at for ${seconds} s`,
        { retryAfterSeconds: seconds },
      );
    }
    try {
      checkToken();
    } catch (error) {
      if (hasToken) this.#count(address, failures);
      throw error;
    }
  }

  #current(address: string): Failures | undefined {
    const failures = this.#failures.get(address);
    if (failures === undefined || failures.until > this.#clock.monotonic()) return failures;
    this.#failures.delete(address);
    return undefined;
  }

  #count(address: string, failures: Failures | undefined): void {
    const counted = failures ?? { count: 0, until: this.#clock.monotonic() + WINDOW_MS };
    counted.count += 1;
    this.#failures.set(address, counted);
    if (counted.count === MOST_FAILURES) {
      this.#logger.warn('tokens from an address are not looked at for a while, as too many were wrong', { address });
    }
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > MOST_ADDRESSES && oldest !== undefined) this.#failures.delete(oldest);
  }
}
