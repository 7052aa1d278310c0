import type { ProviderKey } from '../../config/config.ts';
import { ApiError } from '../../core/errors.ts';
import type { CircuitPermit } from '../../resilience/circuitBreaker.ts';
import { backoffMs, type RetryBudget } from '../../resilience/retryBudget.ts';
import { isRetryable } from '../../upstream/errors.ts';
import { Exchange, type ExchangeResult, type FirstByteTimeout } from '../../upstream/exchange.ts';
import { classifyFault } from '../../upstream/faultDomain.ts';
import type { Output } from '../../upstream/upstream.ts';
import type { Adapter, PreparedAttempt } from '../adapters/adapter.ts';
import type { Cuttable, Services } from '../services.ts';
import { recordSuccess, reportOutcome } from './feedback.ts';

export interface RetryLoopOptions {
  readonly services: Services;
  readonly adapter: Adapter;
  readonly budget: RetryBudget;
  /** What the requests of the conversation have in common, by which it keeps its key. */
  readonly conversation: () => string;
  /** Whether another candidate can be asked in place of a repetition. */
  readonly hasNext: () => boolean;
  /** Whether another server could be asked that nothing speaks against, so that a silent one is not waited for as long as it may take. */
  readonly isFreeElsewhere: () => boolean;
  /** Output for the client as it arrives; `last` comes with the end of the answer. */
  readonly onOutput: (output: Output, last: boolean) => void;
}

/** An attempt that took longer than this is not repeated: the client would wait too long for too little (R409). */
const REPEATABLE_WITHIN_MS = 15_000;

/** So many parts of one request may be refused one after the other. */
const MAX_HEALINGS = 5;

/** The requests to one candidate for one answer: the first, and repetitions as long as nothing was sent (R409, R215). */
export class RetryLoop implements Cuttable {
  readonly #options: RetryLoopOptions;
  #exchange: Exchange | undefined;
  #sent = false;
  #stopped: ExchangeResult | undefined;
  #wake: () => void = () => {};

  constructor(options: RetryLoopOptions) {
    this.#options = options;
  }

  /** Whether the client has got a part of the answer. */
  get sent(): boolean {
    return this.#sent;
  }

  /** The provider's own id of the latest attempt, for the log. */
  get upstreamRequestId(): string | undefined {
    const headers = this.#exchange?.headers ?? {};
    const id = headers['x-request-id'] ?? headers['request-id'] ?? headers['x-trace-id'] ?? headers['x-mm-request-id'];
    return Array.isArray(id) ? id[0] : id;
  }

  /** Waits for a place at the provider, then asks it as often as it takes. */
  async run(): Promise<ExchangeResult> {
    if (this.#stopped !== undefined) return this.#stopped;
    const { limiter } = this.#options.adapter.route.backend;
    let isIn = false;
    const permit = limiter.acquire(() => {
      isIn = true;
      this.#wake();
    });
    if (permit === undefined) return this.#refusalOfGate();
    try {
      if (!isIn) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      return await this.#repeat();
    } finally {
      permit.release();
    }
  }

  async #repeat(): Promise<ExchangeResult> {
    const { services, adapter, budget, conversation } = this.#options;
    const { breaker, keys } = adapter.route.backend;
    let { mayRepeatEmpty } = adapter;
    let healings = 0;
    let repetitions = 0;
    let failure: ExchangeResult | undefined;
    const preparing = adapter.prepare?.();
    if (preparing !== undefined) await preparing;
    for (;;) {
      if (this.#stopped !== undefined) return this.#stopped;
      const key = keys.choose(conversation);
      const attempt = adapter.createAttempt(key);
      const permit = breaker.acquire();
      if (permit.waitMs > 0) return failure ?? this.#refusalOfBreaker(permit.waitMs);
      const startedAt = services.clock.monotonic();
      budget.spendAttempt();
      const result = await this.#send(attempt, key, permit, mayRepeatEmpty && budget.hasAttemptsLeft);
      if (result.kind === 'done') return result;
      if (this.#stopped !== undefined) return this.#stopped;
      if (result.kind === 'empty') {
        mayRepeatEmpty = false;
        continue;
      }
      if (result.kind === 'aborted' || this.#sent || !budget.hasAttemptsLeft) return result;
      if (healings < MAX_HEALINGS && adapter.adaptRequest(result.error)) {
        healings += 1;
        continue;
      }
      failure = result;
      if (classifyFault(result.error) === 'key' && keys.size > 1 && keys.hasAvailable && budget.allowsFallback)
        continue;
      const quick = services.clock.monotonic() - startedAt <= REPEATABLE_WITHIN_MS;
      if (!quick || !this.#mayRepeat(result.error, repetitions)) return result;
      await this.#wait(waitMs(result.error, repetitions));
      repetitions += 1;
    }
  }

  pause(): void {
    this.#exchange?.pause();
  }

  resume(): void {
    this.#exchange?.resume();
  }

  /** The client is gone: the provider's request is ended at once, also within a pause before a repetition (R320). */
  abort(): void {
    this.#stop({ kind: 'aborted' });
    this.#exchange?.abort();
  }

  /** Ends the answer with an error, because the instance stops. */
  cut(error: ApiError): void {
    this.#stop({ kind: 'failed', error });
    this.#exchange?.fail(error);
  }

  #stop(result: ExchangeResult): void {
    this.#stopped ??= result;
    this.#wake();
  }

  /** Rather than repeat a request, the next candidate is asked, unless the user wants it so or the wait is short. */
  #mayRepeat(error: ApiError, repetitions: number): boolean {
    if (!isRetryable(error)) return false;
    const { services, adapter, hasNext } = this.#options;
    const { maxRetries } = services.config;
    const own = adapter.route.named?.maxRetries;
    return repetitions < (own ?? (error.code !== 'rate_limited' && hasNext() ? 0 : maxRetries));
  }

  #refusalOfGate(): ExchangeResult {
    const { adapter } = this.#options;
    const { active: inside, waiting } = adapter.route.backend.limiter;
    const message = `[${adapter.failureContext().provider}] ${inside} requests are under way (MAX_CONCURRENT) and ${waiting} more are waiting`;
    return { kind: 'failed', error: new ApiError('queue_full', message) };
  }

  /** A provider that failed several times just now is not asked again at once (R410). */
  #refusalOfBreaker(waitMs: number): ExchangeResult {
    const { provider } = this.#options.adapter.failureContext();
    const message = `[${provider}] the provider could not be reached several times; it is asked again shortly`;
    return {
      kind: 'failed',
      error: new ApiError('overloaded', message, { retryAfterSeconds: Math.ceil(waitMs / 1000) }),
    };
  }

  async #send(
    { request, reader, idleTimeoutMs, usageWaitMs }: PreparedAttempt,
    key: ProviderKey,
    permit: CircuitPermit,
    holdEmpty: boolean,
  ): Promise<ExchangeResult> {
    const { services, adapter, onOutput } = this.#options;
    const { backend, named, provider } = adapter.route;
    const requestTimeoutMs = named?.requestTimeoutMs ?? services.config.requestTimeoutMs;
    const exchange = new Exchange({
      upstream: backend.upstream,
      request,
      reader,
      idleTimeoutMs,
      requestTimeoutMs,
      firstByteTimeout: request.stream ? this.#patience(requestTimeoutMs) : undefined,
      usageWaitMs,
      holdEmpty,
      failureContext: () => adapter.failureContext(),
      onOutput: (output, last) => {
        // Others need not wait for the end of an answer to learn that the provider is there again.
        if (permit.isTrial && !this.#sent) recordSuccess(services, { backend, provider, permit });
        this.#sent ||= output.length > 0;
        onOutput(output, last);
      },
      now: () => services.clock.monotonic(),
    });
    this.#exchange = exchange;
    const askedAt = services.clock.monotonic();
    const result = await exchange.result;
    reportOutcome(services, { backend, provider, key, permit, askedAt }, result, exchange.isReached);
    return result;
  }

  /** For streams only: an answer that is not streamed is silent until it is whole, which says nothing. */
  #patience(requestTimeoutMs: number): FirstByteTimeout | undefined {
    const { budget, isFreeElsewhere } = this.#options;
    if (!isFreeElsewhere()) return undefined;
    const ms = budget.firstByteTimeoutMs(requestTimeoutMs);
    return {
      ms,
      setting: ms === requestTimeoutMs ? 'REQUEST_TIMEOUT' : 'FALLBACK_SECONDS',
      shouldFailOver: isFreeElsewhere,
    };
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function waitMs(error: ApiError, repetitions: number): number {
  return error.code === 'rate_limited' ? (error.retryAfterSeconds ?? 0) * 1000 : backoffMs(repetitions, Math.random());
}
