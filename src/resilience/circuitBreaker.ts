import type { Clock } from '../core/clock.ts';

export type CircuitState = 'closed' | 'open' | 'half-open';

export interface CircuitBreakerOptions {
  /** So many failures within `windowMs` open the breaker. */
  readonly failures: number;
  readonly windowMs: number;
  /** How long nothing is tried, in ms; then one request is let through. */
  readonly openMs: number;
}

/** The answer to the question whether a request may be sent. */
export interface CircuitPermit {
  /** 0 when it may be sent now, else the ms to wait. */
  readonly waitMs: number;
  /** Whether this one request decides if the breaker closes. */
  readonly isTrial: boolean;
}

/** What every request gets while the breaker is closed. */
const GRANTED: CircuitPermit = { waitMs: 0, isTrial: false };

/**
 * Keeps requests from a provider that cannot be reached or cannot answer: after some failures in a short time it opens, and requests
 * fail at once; later one trial request decides whether it closes again. The time is compared when somebody asks; there are no timers.
 */
export class CircuitBreaker {
  readonly #clock: Clock;
  readonly #options: CircuitBreakerOptions;
  #failedAt: number[] = [];
  #openedAt: number | undefined;
  #isTrialUnderWay = false;
  #answeredAt: number | undefined;
  #lastFailure: string | undefined;

  constructor(clock: Clock, options: CircuitBreakerOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  get state(): CircuitState {
    if (this.#openedAt === undefined) return 'closed';
    return this.#remainingMs() > 0 ? 'open' : 'half-open';
  }

  /** Whether `acquire` would let a request through. */
  get canAcquire(): boolean {
    return this.#openedAt === undefined || (this.#remainingMs() === 0 && !this.#isTrialUnderWay);
  }

  /** Why the latest request failed, as long as nothing has been answered since. */
  get lastFailure(): string | undefined {
    return this.#lastFailure;
  }

  /** When the provider last answered, by the monotonic clock. */
  get answeredAt(): number | undefined {
    return this.#answeredAt;
  }

  /**
   * Asks whether a health check may be sent: also while the circuit is open, as nobody waits for it, and its answer closes the circuit.
   * Undefined while a trial is under way.
   */
  acquireCheck(): CircuitPermit | undefined {
    if (this.#openedAt === undefined) return GRANTED;
    if (this.#isTrialUnderWay) return undefined;
    this.#isTrialUnderWay = true;
    return { waitMs: 0, isTrial: true };
  }

  /**
   * Asks whether a request may be sent. How it ended must then be reported by `recordSuccess`, `recordFailure` or `release`. While a
   * trial is under way all others wait as if it had failed.
   */
  acquire(): CircuitPermit {
    if (this.#openedAt === undefined) return GRANTED;
    const remaining = this.#remainingMs();
    if (remaining > 0) return { waitMs: remaining, isTrial: false };
    if (this.#isTrialUnderWay) return { waitMs: this.#options.openMs, isTrial: false };
    this.#isTrialUnderWay = true;
    return { waitMs: 0, isTrial: true };
  }

  /** The provider answered, with whatever: it can be reached. While the breaker is open only the trial's answer closes it. */
  recordSuccess({ isTrial }: Pick<CircuitPermit, 'isTrial'>): void {
    this.#answeredAt = this.#clock.monotonic();
    if (this.#openedAt !== undefined && !isTrial) return;
    this.#failedAt = [];
    this.#lastFailure = undefined;
    this.#openedAt = undefined;
    this.#isTrialUnderWay = false;
  }

  /**
   * The provider could not be reached, or could not answer. Returns true when this failure has opened the breaker.
   * @param reason for those who are refused meanwhile
   */
  recordFailure({ isTrial }: CircuitPermit, reason?: string): boolean {
    const now = this.#clock.monotonic();
    this.#lastFailure = reason;
    if (this.#openedAt !== undefined) {
      // Requests that were under way when it opened say nothing new; a failed trial begins the waiting again.
      if (isTrial) {
        this.#openedAt = now;
        this.#isTrialUnderWay = false;
      }
      return false;
    }
    this.#failedAt = [...this.#failedAt.filter((at) => now - at < this.#options.windowMs), now];
    if (this.#failedAt.length < this.#options.failures) return false;
    this.#openedAt = now;
    return true;
  }

  /** The request ended without saying anything of the provider, because the client has gone. */
  release({ isTrial }: CircuitPermit): void {
    if (isTrial) this.#isTrialUnderWay = false;
  }

  #remainingMs(): number {
    const openedAt = this.#openedAt ?? Number.NEGATIVE_INFINITY;
    return Math.max(0, openedAt + this.#options.openMs - this.#clock.monotonic());
  }
}

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
