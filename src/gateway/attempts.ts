import { ApiError } from '../core/errors.ts';
import { backoffMs } from '../resilience/backoff.ts';
import type { Leave } from '../resilience/breaker.ts';
import type { AnswerReader } from '../upstream/answerReader.ts';
import { Exchange, type ExchangeResult } from '../upstream/exchange.ts';
import { type FailureContext, isRetryable } from '../upstream/failure.ts';
import type { UpstreamRequest } from '../upstream/upstream.ts';
import type { Destination } from './destinations.ts';
import type { Cuttable } from './inFlight.ts';
import type { Services } from './services.ts';

/** One request as it is sent, and who reads its answer. */
export interface Attempt<Reader extends AnswerReader> extends Omit<UpstreamRequest, 'authorization'> {
  readonly reader: Reader;
  /** Silence within the answer after which it is given up, in ms (R326). */
  readonly idleTimeoutMs: number;
  /** How long to wait for the usage after the answer has finished, in ms (R313). */
  readonly usageWaitMs: number;
}

export interface AttemptsOptions<Reader extends AnswerReader> {
  readonly services: Services;
  readonly destination: Destination;
  readonly authorization: string | undefined;
  /** Makes the next attempt; each has a reader of its own. */
  readonly createAttempt: () => Attempt<Reader>;
  /** Changes what the provider refused; false when nothing can be changed (R413). */
  readonly heal: (error: ApiError) => boolean;
  readonly failureContext: () => FailureContext;
  /** Whether an answer that says nothing is asked for once more (R215). */
  readonly mayRepeatEmpty: boolean;
  /** Output for the client as it arrives; `last` comes with the end of the answer. */
  readonly onOutput: (output: string | Uint8Array, last: boolean) => void;
}

/** An attempt that took longer than this is not repeated: the client would wait too long for too little (R409). */
const REPEATABLE_WITHIN_MS = 15_000;

/** So many parts of one request may be refused one after the other. */
const MAX_HEALINGS = 5;

/** The requests to the provider for one answer: the first, and repetitions as long as nothing was sent (R409, R215). */
export class Attempts<Reader extends AnswerReader> implements Cuttable {
  readonly #options: AttemptsOptions<Reader>;
  #attempt: Attempt<Reader>;
  #exchange: Exchange | undefined;
  readonly #replaced: Reader[] = [];
  #count = 0;
  #sent = false;
  #stopped: ExchangeResult | undefined;
  #wake: () => void = () => {};

  constructor(options: AttemptsOptions<Reader>) {
    this.#options = options;
    this.#attempt = options.createAttempt();
  }

  /** How often the provider was asked. */
  get count(): number {
    return this.#count;
  }

  /** The reader of the latest attempt. */
  get reader(): Reader {
    return this.#attempt.reader;
  }

  /** The readers of the attempts before it, whose tokens were paid for, too. */
  get replaced(): readonly Reader[] {
    return this.#replaced;
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
    const { gate } = this.#options.destination;
    let isIn = false;
    const ticket = gate.request(() => {
      isIn = true;
      this.#wake();
    });
    if (ticket === undefined) return this.#refusalOfGate();
    try {
      if (!isIn) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      return await this.#repeat();
    } finally {
      ticket.leave();
    }
  }

  async #repeat(): Promise<ExchangeResult> {
    const { services, destination, heal } = this.#options;
    let mayRepeatEmpty = this.#options.mayRepeatEmpty;
    let healings = 0;
    let repetitions = 0;
    let failure: ExchangeResult | undefined;
    for (;;) {
      if (this.#stopped !== undefined) return this.#stopped;
      const leave = destination.breaker.enter();
      if (leave.waitMs > 0) return failure ?? this.#refusalOfBreaker(leave.waitMs);
      const startedAt = services.clock.monotonic();
      const result = await this.#send(mayRepeatEmpty);
      this.#tellBreaker(leave, result);
      if (result.kind === 'done') return result;
      if (this.#stopped !== undefined) return this.#stopped;
      if (result.kind === 'empty') {
        mayRepeatEmpty = false;
        continue;
      }
      if (result.kind === 'aborted' || this.#sent) return result;
      if (healings < MAX_HEALINGS && heal(result.error)) {
        healings += 1;
        continue;
      }
      const quick = services.clock.monotonic() - startedAt <= REPEATABLE_WITHIN_MS;
      if (!quick || repetitions >= services.config.maxRetries || !isRetryable(result.error)) return result;
      failure = result;
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
    this.#exchange?.cut(error);
  }

  #stop(result: ExchangeResult): void {
    this.#stopped ??= result;
    this.#wake();
  }

  #refusalOfGate(): ExchangeResult {
    const { destination, failureContext } = this.#options;
    const { inside, waiting } = destination.gate;
    const message = `[${failureContext().provider}] ${inside} requests are under way (MAX_CONCURRENT) and ${waiting} more are waiting`;
    return { kind: 'failed', error: new ApiError('queue_full', message) };
  }

  /** A provider that could not be reached just now is not asked again at once (R410). */
  #refusalOfBreaker(waitMs: number): ExchangeResult {
    const { failureContext } = this.#options;
    const message = `[${failureContext().provider}] the provider could not be reached several times; it is asked again shortly`;
    return {
      kind: 'failed',
      error: new ApiError('overloaded', message, { retryAfterSeconds: Math.ceil(waitMs / 1000) }),
    };
  }

  #tellBreaker(leave: Leave, result: ExchangeResult): void {
    const { services, destination } = this.#options;
    const { logger } = services;
    const { breaker } = destination;
    if (this.#exchange?.isReached === true) breaker.succeed();
    else if (result.kind !== 'failed' || result.error.code !== 'overloaded') breaker.withdraw(leave);
    else if (breaker.fail(leave))
      logger.warn('the provider cannot be reached; requests fail at once for a while', {
        reason: result.error.message,
      });
  }

  #send(holdEmpty: boolean): Promise<ExchangeResult> {
    const { services, destination, authorization, createAttempt, failureContext, onOutput } = this.#options;
    if (this.#count > 0) {
      this.#replaced.push(this.#attempt.reader);
      this.#attempt = createAttempt();
    }
    this.#count += 1;
    const { reader, idleTimeoutMs, usageWaitMs, ...request } = this.#attempt;
    this.#exchange = new Exchange({
      upstream: destination.upstream,
      request: { ...request, authorization },
      reader,
      idleTimeoutMs,
      requestTimeoutMs: services.config.requestTimeoutMs,
      usageWaitMs,
      holdEmpty,
      failureContext,
      onOutput: (output, last) => {
        this.#sent ||= output.length > 0;
        onOutput(output, last);
      },
      now: () => services.clock.monotonic(),
    });
    return this.#exchange.result;
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
