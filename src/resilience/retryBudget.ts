import type { Clock } from '../core/clock.ts';

export interface RetryBudgetOptions {
  /** Most requests to providers for one of the client's. */
  readonly attempts: number;
  /** Time after which nobody else is asked, in ms. */
  readonly timeMs: number;
}

/** What one of the client's requests may cost: so many requests to providers, and so much time until the last of them begins elsewhere. */
export class RetryBudget {
  readonly #clock: Clock;
  readonly #attempts: number;
  readonly #endsAt: number;
  /** How many requests have been made. */
  spent = 0;

  constructor({ attempts, timeMs }: RetryBudgetOptions, clock: Clock) {
    this.#clock = clock;
    this.#attempts = attempts;
    this.#endsAt = clock.monotonic() + timeMs;
  }

  /** Whether one more request may be made at all. */
  get hasAttemptsLeft(): boolean {
    return this.spent < this.#attempts;
  }

  /** Whether a failed request may be handed to a further model, key or provider. */
  get allowsFallback(): boolean {
    return this.hasAttemptsLeft && this.#clock.monotonic() < this.#endsAt;
  }

  /**
   * How long a silent provider is waited for while another could be asked, in ms: up to its own limit when that leaves time for
   * the other, else half of the time that is left.
   */
  firstByteTimeoutMs(limitMs: number): number {
    const leftMs = Math.max(0, this.#endsAt - this.#clock.monotonic());
    return limitMs < leftMs ? limitMs : leftMs / 2;
  }
}

/** First waiting time before a repetition, in ms; it doubles with each further one. */
const FIRST_MS = 500;

/**
 * Exponential backoff with full jitter: a random share of 0.5 s, 1 s, 2 s, ..., so that many clients of one provider
 * do not come back together.
 * @param repetition 0 for the first
 * @param random a number from 0 to below 1
 */
export function backoffMs(repetition: number, random: number): number {
  return Math.round(FIRST_MS * 2 ** repetition * random);
}
