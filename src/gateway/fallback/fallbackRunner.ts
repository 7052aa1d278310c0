import type { Config } from '../../config/config.ts';
import { ApiError, asApiError } from '../../core/errors.ts';
import { backoffMs, RetryBudget } from '../../resilience/circuitBreaker.ts';
import { isRetryable } from '../../upstream/errors.ts';
import {
  Exchange,
  type ExchangeResult,
  type FirstByteTimeout,
  type OutputSink,
  resultOfAbort,
} from '../../upstream/exchange.ts';
import type { Adapter } from '../adapters/adapter.ts';
import { elapsedMs, type RequestContext, recordError } from '../requestContext.ts';
import { type SseFormat, SseResponse, type SseSource } from '../responseWriter.ts';
import { Candidates, candidateLabel, isNative, otherTierModel, type Plan, type Route, routeTo } from '../route.ts';
import {
  type CandidateFailure,
  classifyFault,
  finalError,
  nameProvider,
  recordSuccess,
  reportOutcome,
  traceAttempt,
} from './outcome.ts';

/** A candidate that did not serve the request, and why. */
export interface Fallback {
  /** As `<provider>,<model>`. */
  readonly from: string;
  readonly reason: string;
}

/** An attempt that took longer than this is not repeated: the client would wait too long for too little. */
const REPEATABLE_WITHIN_MS = 15_000;

/** For the log: a refusal that neither its code nor its words say anything of, so that the client gets it as it is. */
const UNCLASSIFIED = 'refusal not classified';

/** So many parts of one request may be refused one after the other. */
const MAX_ADAPTATIONS = 5;

/**
 * Asks the candidates for one answer, one after the other and each as often as it makes sense, until one serves it, and only as long as
 * the client has got nothing of it. One signal ends all of this at any moment: the request to the provider as well as the waits between.
 */
export class FallbackRunner implements SseSource {
  readonly #context: RequestContext;
  readonly #plan: Pick<Plan, 'candidates' | 'conversation' | 'decision'>;
  readonly #createAdapter: (route: Route) => Adapter | Promise<Adapter>;
  readonly #budget: RetryBudget;
  readonly #candidates: Candidates;
  readonly #fallbacks: Fallback[] = [];
  readonly #failures: CandidateFailure[] = [];
  #hasLeftTier = false;
  /** Of the candidate that is asked or was asked last. */
  adapter: Adapter | undefined;
  #exchange: Exchange | undefined;

  /** @param createAdapter throws an ApiError for a request that the candidate cannot be sent */
  constructor(
    context: RequestContext,
    plan: Pick<Plan, 'candidates' | 'conversation' | 'decision'>,
    createAdapter: (route: Route) => Adapter | Promise<Adapter>,
  ) {
    const { services } = context;
    this.#context = context;
    this.#plan = plan;
    this.#createAdapter = createAdapter;
    this.#budget = new RetryBudget(services.config.budget, services.clock);
    this.#candidates = new Candidates(services, plan.candidates);
  }

  /** Whether the answer is one JSON body. */
  get isWhole(): boolean {
    return this.adapter?.isWhole === true;
  }

  /** Whether the client has got a part of the answer. */
  get hasOutput(): boolean {
    return this.#exchange?.hasOutput === true;
  }

  /** Goes on after the sink was slow. */
  resume(): void {
    this.#exchange?.resume();
  }

  /** A stream that begins with pings begins before it is known who will answer. */
  responseHeaders(): Record<string, string> {
    return this.hasOutput || this.#plan.candidates.length === 1 ? this.answerHeaders : {};
  }

  /** Who answers, how many candidates before did not, and how many tools it was not offered. */
  get answerHeaders(): Record<string, string> {
    if (this.adapter === undefined) return {};
    const { length } = this.#fallbacks;
    const { toolsLeftOut } = this.#context.record;
    return {
      'x-provider': this.adapter.route.provider,
      ...(length === 0 ? {} : { 'x-fallback': String(length) }),
      ...(toolsLeftOut === undefined ? {} : { 'x-tools-left-out': String(toolsLeftOut) }),
    };
  }

  /**
   * Never rejects: with a rejection, nobody would end an event stream that has begun. Leaves in the record how the candidates were asked.
   * @param sink gets the answer as it arrives
   */
  async run(sink: OutputSink): Promise<ExchangeResult> {
    const result = await this.#askCandidates(sink);
    const { record } = this.#context;
    const { spent } = this.#budget;
    if (result.kind === 'aborted') record.outcome = 'client_closed';
    if (spent > 0 || !isRefusedHere(result)) record.attempts = spent;
    const headers = this.#exchange?.headers ?? {};
    const id = headers['x-request-id'] ?? headers['request-id'] ?? headers['x-trace-id'] ?? headers['x-mm-request-id'];
    record.upstreamRequestId = Array.isArray(id) ? id[0] : id;
    if (this.#fallbacks.length > 0) record.fallbacks = this.#fallbacks;
    // A native endpoint's own words are the client's to read; others are known here, or the log says that they are not.
    const isUnclassified =
      result.kind === 'failed' &&
      result.error.code === 'upstream_invalid_request' &&
      this.adapter !== undefined &&
      !isNative(this.adapter.route);
    if (isUnclassified) record.notes = [...(record.notes ?? []), UNCLASSIFIED];
    return result;
  }

  async #askCandidates(sink: OutputSink): Promise<ExchangeResult> {
    const { services, signal } = this.#context;
    let route = this.#next() ?? this.#candidates.takeFirst();
    while (route !== undefined && !signal.aborted) {
      const askedAt = services.clock.monotonic();
      const result = await this.#ask(route, sink);
      if (result.kind !== 'failed' || this.hasOutput || classifyFault(result.error) === 'request') return result;
      const isOneOfSeveral = services.config.providers.length > 1;
      const error = isOneOfSeveral ? nameProvider(result.error, route.provider) : result.error;
      this.#failures.push({ candidate: candidateLabel(route), error });
      const next = this.#budget.allowsFallback ? (this.#next() ?? this.#otherTier(route, result.error)) : undefined;
      if (next !== undefined) {
        this.#logFallback(route, next, error);
        this.#avoid(route, next, error, services.clock.monotonic() - askedAt);
      }
      route = next;
    }
    if (signal.aborted) return resultOfAbort(signal);
    const [first, ...others] = this.#failures;
    const error = first === undefined ? asApiError(new TypeError('no candidates')) : finalError([first, ...others]);
    return { kind: 'failed', error };
  }

  /** The next request of the conversation shall not lose the same time, nor ask in vain for the same model. */
  #avoid(from: Route, to: Route, { code }: ApiError, ms: number): void {
    const { conversation, decision } = this.#plan;
    if (decision.rule !== 'tier' || from.provider === to.provider) return;
    if (ms <= REPEATABLE_WITHIN_MS && code !== 'unknown_model') return;
    this.#context.services.order.avoid(conversation(), from.provider);
  }

  /** Before a request fails for a model that its provider does not know, another tier's model is asked there, once. */
  #otherTier(route: Route, { code }: ApiError): Route | undefined {
    if (code !== 'unknown_model' || this.#hasLeftTier) return undefined;
    this.#hasLeftTier = true;
    const { decision, candidates } = this.#plan;
    const ref = decision.rule === 'tier' ? otherTierModel(this.#context, route, decision.tier, candidates) : undefined;
    return ref === undefined ? undefined : routeTo(this.#context.services, ref);
  }

  #next(): Route | undefined {
    const taken = this.#candidates.take();
    for (const { route, reason } of taken?.skipped ?? []) this.#noteFallback(route, reason);
    return taken?.route;
  }

  #noteFallback(route: Route, reason: string): void {
    const from = candidateLabel(route);
    const noted = this.#fallbacks.findIndex((fallback) => fallback.from === from);
    this.#fallbacks.splice(noted === -1 ? this.#fallbacks.length : noted, 1, { from, reason });
  }

  /** A candidate that was skipped before is asked after all. */
  #forgetFallback(route: Route): void {
    const noted = this.#fallbacks.findIndex(({ from }) => from === candidateLabel(route));
    if (noted !== -1) this.#fallbacks.splice(noted, 1);
  }

  #logFallback(from: Route, to: Route, error: ApiError): void {
    this.#noteFallback(from, error.message);
    const { services, incoming } = this.#context;
    services.logger.warn('a request goes on to the next model or provider, because one failed', {
      id: incoming.id,
      from: candidateLabel(from),
      to: candidateLabel(to),
      reason: error.message,
    });
  }

  /** Waits for a slot at the provider, then asks it as often as it takes. */
  async #ask(route: Route, sink: OutputSink): Promise<ExchangeResult> {
    const { signal } = this.#context;
    if (this.#fallbacks.length > 0) this.#forgetFallback(route);
    try {
      const created = this.#createAdapter(route);
      const adapter = created instanceof Promise ? await created : created;
      this.adapter = adapter;
      const permit = route.backend.limiter.acquire();
      if (permit === undefined) return refusalOfLimiter(adapter);
      try {
        if (!permit.isActive) {
          await waitFor(signal, (done) => {
            permit.onActive = done;
          });
        }
        return await this.#askRepeatedly(adapter, sink);
      } finally {
        permit.release();
      }
    } catch (thrown) {
      return signal.aborted ? resultOfAbort(signal) : { kind: 'failed', error: asApiError(thrown) };
    }
  }

  /** The requests to one candidate: the first, and repetitions as long as the client has got nothing. */
  async #askRepeatedly(adapter: Adapter, sink: OutputSink): Promise<ExchangeResult> {
    const { services, signal, record, trace } = this.#context;
    const { backend, provider, named } = adapter.route;
    const { breaker, keys, upstream } = backend;
    const requestTimeoutMs = named?.requestTimeoutMs ?? services.config.requestTimeoutMs;
    let { mayRepeatEmpty } = adapter;
    let [adaptations, retries] = [0, 0];
    let failure: ExchangeResult | undefined;
    while (!signal.aborted) {
      const key = keys.choose(this.#plan.conversation);
      const created = adapter.createAttempt(key);
      const upstreamAttempt = created instanceof Promise ? await created : created;
      const permit = breaker.acquire();
      if (permit.waitMs > 0) return failure ?? refusalOfBreaker(adapter, services.config, permit.waitMs);
      const askedAt = services.clock.monotonic();
      this.#budget.spent += 1;
      const traced = trace && traceAttempt(trace, adapter.route, upstreamAttempt);
      const attempt = { backend, provider, key, permit, askedAt, traced };
      // An answer that is not streamed is silent until it is whole, which says nothing.
      const mayFailOver = upstreamAttempt.request.stream && !this.#candidates.isEmpty;
      const exchange = new Exchange({
        upstream,
        attempt: traced?.attempt ?? upstreamAttempt,
        requestTimeoutMs,
        firstByteTimeout: mayFailOver ? this.#firstByteTimeout(adapter, requestTimeoutMs) : undefined,
        holdEmpty: mayRepeatEmpty && this.#budget.hasAttemptsLeft,
        failures: adapter,
        sink,
        onFirstOutput: () => {
          // Others need not wait for the end of an answer to learn that the provider is there again.
          if (permit.isTrial) recordSuccess(services, attempt);
          record.firstEventMs ??= elapsedMs(this.#context);
        },
        signal,
        clock: services.clock,
      });
      this.#exchange = exchange;
      const result = await exchange.result;
      reportOutcome(services, attempt, result, exchange.isReached);
      if (result.kind === 'done') return result;
      if (signal.aborted) break;
      if (result.kind === 'empty') {
        mayRepeatEmpty = false;
        continue;
      }
      if (result.kind === 'aborted' || exchange.hasOutput) return result;
      const mayAskAgain = this.#budget.hasAttemptsLeft;
      if (mayAskAgain && adaptations < MAX_ADAPTATIONS && (await adapter.adaptRequest(result.error))) {
        adaptations += 1;
        continue;
      }
      const answer = adapter.answerInstead?.(result.error);
      if (answer !== undefined) {
        sink.end(answer);
        return { kind: 'done' };
      }
      if (!mayAskAgain) return result;
      failure = result;
      const isRefusedKey = classifyFault(result.error) === 'key';
      if (isRefusedKey && keys.size > 1 && keys.hasAvailable && this.#budget.allowsFallback) continue;
      const wasQuick = services.clock.monotonic() - askedAt <= REPEATABLE_WITHIN_MS;
      if (!wasQuick || !this.#mayRetry(adapter, result.error, retries)) return result;
      await sleep(retryDelayMs(result.error, retries), signal);
      retries += 1;
    }
    return resultOfAbort(signal);
  }

  /** Undefined where no other server could be asked now. */
  #firstByteTimeout({ route }: Adapter, requestTimeoutMs: number): FirstByteTimeout | undefined {
    const shouldFailOver = () => this.#budget.allowsFallback && this.#candidates.isFreeElsewhere(route.backend);
    if (!shouldFailOver()) return undefined;
    const ms = this.#budget.firstByteTimeoutMs(requestTimeoutMs);
    return { ms, setting: ms === requestTimeoutMs ? 'REQUEST_TIMEOUT' : 'FALLBACK_SECONDS', shouldFailOver };
  }

  /** Rather than repeat a request, the next candidate is asked, unless the user wants it so or the wait is short. */
  #mayRetry({ route }: Adapter, error: ApiError, retries: number): boolean {
    if (!isRetryable(error)) return false;
    const hasNext = this.#budget.allowsFallback && this.#candidates.hasCallable;
    const most = error.code !== 'rate_limited' && hasNext ? 0 : this.#context.services.config.maxRetries;
    return retries < (route.named?.maxRetries ?? most);
  }
}

/** Whether what ended the request, if nobody was asked, was the request itself. */
function isRefusedHere(result: ExchangeResult): boolean {
  if (result.kind !== 'failed') return false;
  return result.error.code === 'missing_provider_key' || classifyFault(result.error) === 'request';
}

function retryDelayMs(error: ApiError, retries: number): number {
  return error.code === 'rate_limited' ? (error.retryAfterSeconds ?? 0) * 1000 : backoffMs(retries, Math.random());
}

function refusalOfLimiter(adapter: Adapter): ExchangeResult {
  const { active, waiting } = adapter.route.backend.limiter;
  const message = `[${adapter.failureContext().provider}] ${active} requests are under way (MAX_CONCURRENT) and ${waiting} more are waiting`;
  return { kind: 'failed', error: new ApiError('queue_full', message) };
}

/** A provider that failed several times just now is not asked again at once. */
function refusalOfBreaker(adapter: Adapter, { instance, manager }: Config, waitMs: number): ExchangeResult {
  const { provider } = adapter.failureContext();
  const { lastFailure } = adapter.route.backend.breaker;
  const reason = lastFailure === undefined ? '' : ` (the last time: ${lastFailure})`;
  // The command stands early, as Claude Code cuts the message while it waits.
  const message = `[${provider}] the provider could not be reached several times (${manager} test ${instance}); it is asked again shortly${reason}`;
  return {
    kind: 'failed',
    error: new ApiError('overloaded', message, { retryAfterSeconds: Math.ceil(waitMs / 1000) }),
  };
}

/**
 * Waits until something happens, or until the signal aborts; the caller sees by the signal which of the two it was.
 * @param begin is given what ends the wait
 */
function waitFor(signal: AbortSignal, begin: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      signal.removeEventListener('abort', done);
      resolve();
    };
    signal.addEventListener('abort', done);
    begin(done);
  });
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await waitFor(signal, (done) => {
    timer = setTimeout(done, ms);
  });
  clearTimeout(timer);
}

/** Answers a request from the first candidate of its plan that can, streamed or whole; throws what can still have a status of its own. */
export async function respondWithFallback(
  context: RequestContext,
  plan: Plan,
  format: SseFormat,
  createAdapter: (route: Route) => Adapter | Promise<Adapter>,
): Promise<void> {
  const { services, incoming, writer } = context;
  const runner = new FallbackRunner(context, plan, createAdapter);
  const [first] = plan.candidates;
  if (first === undefined) throw new TypeError('a plan without candidates');
  const { pingMs, headerWaitMs } = services.models.get(first).settings;
  // The answer begins before the client's own time limit is over, too: after half of it.
  const halfTimeoutMs = (incoming.timeoutSeconds ?? Number.NaN) * 500;
  const times = { pingMs, headerWaitMs: halfTimeoutMs > 0 ? Math.min(headerWaitMs, halfTimeoutMs) : headerWaitMs };
  const stream = new SseResponse(writer, runner, format, times);
  try {
    const result = await runner.run(stream);
    if (result.kind === 'aborted') return;
    const { adapter } = runner;
    let failure = result.kind === 'failed' ? result.error : undefined;
    // An event stream that has begun with pings cannot become one JSON body any more.
    if (adapter?.isWhole === true && stream.open) {
      failure ??= new ApiError(
        'bad_gateway',
        'the provider answered with one body, too late for a stream that has begun',
      );
    }
    if (failure !== undefined) {
      if (!stream.open) throw failure;
      stream.fail(failure);
      recordError(context, failure, 'interrupted');
    } else if (adapter !== undefined) {
      if (adapter.isWhole) writer.sendJson(200, runner.answerHeaders, adapter.bodyOf(stream.body));
    }
  } finally {
    stream.close();
    runner.adapter?.record();
  }
}
