import { ApiError, asApiError } from '../../core/errors.ts';
import { RetryBudget } from '../../resilience/retryBudget.ts';
import type { ExchangeResult } from '../../upstream/exchange.ts';
import { classifyFault } from '../../upstream/faultDomain.ts';
import type { Output } from '../../upstream/upstream.ts';
import type { Adapter } from '../adapters/adapter.ts';
import { type RequestContext, recordError } from '../requestContext.ts';
import { SseResponse, type SseResponseOptions } from '../responseWriter.ts';
import { Candidates, candidateLabel, type Route, routeTo, type SkippedCandidate } from '../route.ts';
import type { Plan } from '../routePlan.ts';
import type { Cuttable, Services } from '../services.ts';
import { RetryLoop } from './retry.ts';

/** A candidate that could not serve a request. */
export interface CandidateFailure {
  /** As `<provider>,<model>`. */
  readonly candidate: string;
  readonly error: ApiError;
}

/** The same error with other words. */
function reword(error: ApiError, message: string): ApiError {
  const { code, status, shouldRetry, retryAfterSeconds } = error;
  return new ApiError(code, message, {
    status,
    ...(shouldRetry === undefined ? {} : { shouldRetry }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

/** The error with the name of the provider in front, where its words do not begin with one already. */
export function nameProvider(error: ApiError, provider: string): ApiError {
  return error.message.startsWith('[') ? error : reword(error, `[${provider}] ${error.message}`);
}

/** Whether the client may succeed by repeating the request. */
function isPassing({ shouldRetry, status }: ApiError): boolean {
  return shouldRetry ?? (status === 408 || status === 409 || status === 429 || status >= 500);
}

function chooseError(errors: readonly [ApiError, ...ApiError[]]): ApiError {
  const [first] = errors;
  if (!errors.every(({ code }) => code === 'rate_limited')) return errors.find(isPassing) ?? first;
  const wait = ({ retryAfterSeconds }: ApiError) => retryAfterSeconds ?? Number.POSITIVE_INFINITY;
  return errors.reduce((best, error) => (wait(error) < wait(best) ? error : best));
}

/**
 * What the client is told when every candidate has failed: the first candidate's error, but rather one after which it may repeat the
 * request, so that a session does not end for a refused key while another provider is only busy; of rate limits the shortest.
 */
export function finalError(failures: readonly [CandidateFailure, ...CandidateFailure[]]): ApiError {
  const [first, ...others] = failures;
  const error = chooseError([first.error, ...others.map((failure) => failure.error)]);
  if (others.length === 0) return error;
  const tried = failures.map(({ candidate }) => candidate).join('; ');
  return reword(error, `${error.message} (${failures.length} were tried in turn: ${tried})`);
}

/** A candidate that did not serve the request, and why. */
export interface Fallback {
  /** As `<provider>,<model>`. */
  readonly from: string;
  readonly reason: string;
}

export interface FallbackRunnerOptions {
  readonly services: Services;
  /** For the log. */
  readonly requestId: string;
  readonly plan: Pick<Plan, 'candidates' | 'conversation'>;
  /** @throws ApiError for a request that the candidate cannot be sent */
  readonly createAdapter: (route: Route) => Adapter;
  /** Output for the client as it arrives; `last` comes with the end of the answer. */
  readonly onOutput: (output: Output, last: boolean) => void;
}

/** The candidates for one answer, asked one after the other until one serves it, and only as long as the client has got nothing of it. */
export class FallbackRunner implements Cuttable {
  readonly #options: FallbackRunnerOptions;
  readonly #budget: RetryBudget;
  readonly #candidates: Candidates;
  readonly #fallbacks = new Map<string, string>();
  readonly #failures: CandidateFailure[] = [];
  #adapter: Adapter | undefined;
  #attempts: RetryLoop | undefined;
  #stopped: ExchangeResult | undefined;

  constructor(options: FallbackRunnerOptions) {
    const { services, plan } = options;
    this.#options = options;
    this.#budget = new RetryBudget(services.config.budget, services.clock);
    this.#candidates = new Candidates(services, plan.candidates);
  }

  /** How often a provider was asked. */
  get count(): number {
    return this.#budget.spent;
  }

  /** The candidate that is asked or was asked last. */
  get adapter(): Adapter | undefined {
    return this.#adapter;
  }

  get fallbacks(): readonly Fallback[] {
    return [...this.#fallbacks].map(([from, reason]) => ({ from, reason }));
  }

  /** Whether the client has got a part of the answer. */
  get sent(): boolean {
    return this.#attempts?.sent === true;
  }

  get upstreamRequestId(): string | undefined {
    return this.#attempts?.upstreamRequestId;
  }

  /** Never rejects: with a rejection, nobody would end an event stream that has begun. */
  async run(): Promise<ExchangeResult> {
    let route = this.#next() ?? this.#candidates.takeFirst();
    while (route !== undefined && this.#stopped === undefined) {
      const result = await this.#ask(route);
      if (result.kind !== 'failed' || this.sent) return result;
      if (classifyFault(result.error) === 'request') return result;
      const isOneOfSeveral = this.#options.services.config.providers.length > 1;
      const error = isOneOfSeveral ? nameProvider(result.error, route.provider) : result.error;
      this.#failures.push({ candidate: candidateLabel(route), error });
      const next = this.#budget.allowsFallback ? this.#next() : undefined;
      if (next !== undefined) this.#tellFallback(route, next, error);
      route = next;
    }
    if (this.#stopped !== undefined) return this.#stopped;
    const [first, ...others] = this.#failures;
    const error = first === undefined ? asApiError(new TypeError('no candidates')) : finalError([first, ...others]);
    return { kind: 'failed', error };
  }

  pause(): void {
    this.#attempts?.pause();
  }

  resume(): void {
    this.#attempts?.resume();
  }

  /** The client is gone: nobody is asked any more (R320). */
  abort(): void {
    this.#stopped ??= { kind: 'aborted' };
    this.#attempts?.abort();
  }

  /** Ends the answer with an error, because the instance stops. */
  cut(error: ApiError): void {
    this.#stopped ??= { kind: 'failed', error };
    this.#attempts?.cut(error);
  }

  #next(): Route | undefined {
    const taken = this.#candidates.take();
    for (const passed of taken?.passedOver ?? []) this.#noteFallback(passed);
    return taken?.route;
  }

  async #ask(route: Route): Promise<ExchangeResult> {
    const { services, plan, createAdapter, onOutput } = this.#options;
    this.#fallbacks.delete(candidateLabel(route));
    try {
      const adapter = createAdapter(route);
      this.#adapter = adapter;
      this.#attempts = new RetryLoop({
        services,
        adapter,
        budget: this.#budget,
        conversation: plan.conversation,
        hasNext: () => this.#budget.allowsFallback && this.#candidates.hasPassable,
        isFreeElsewhere: () => this.#budget.allowsFallback && this.#candidates.isFreeElsewhere(route.backend),
        onOutput,
      });
      return await this.#attempts.run();
    } catch (thrown) {
      return { kind: 'failed', error: asApiError(thrown) };
    }
  }

  #noteFallback({ route, reason }: SkippedCandidate): void {
    this.#fallbacks.set(candidateLabel(route), reason);
  }

  #tellFallback(from: Route, to: Route, error: ApiError): void {
    this.#noteFallback({ route: from, reason: error.message });
    const { services, requestId } = this.#options;
    services.logger.warn('a request goes on to the next model or provider, because one failed', {
      id: requestId,
      from: candidateLabel(from),
      to: candidateLabel(to),
      reason: error.message,
    });
  }
}

export interface FallbackOptions extends Pick<SseResponseOptions, 'ping' | 'errorText'> {
  readonly createAdapter: (route: Route) => Adapter;
}

/** Who answers, and how many candidates before did not. */
function answerHeaders({ adapter, fallbacks }: FallbackRunner): Record<string, string> {
  if (adapter === undefined) return {};
  const { length } = fallbacks;
  return { 'x-provider': adapter.route.provider, ...(length === 0 ? {} : { 'x-fallback': String(length) }) };
}

/** Runs the chain while the client is there and the instance is not told to stop. Never rejects. */
async function runFallback(context: RequestContext, chain: FallbackRunner): Promise<ExchangeResult> {
  const { record, services } = context;
  context.writer.onGone(() => chain.abort());
  services.inFlight.add(chain);
  const result = await chain.run();
  services.inFlight.remove(chain);
  if (result.kind === 'aborted') record.outcome = 'client_closed';
  if (chain.count > 0 || !isRefusedHere(result)) record.attempts = chain.count;
  record.upstreamRequestId = chain.upstreamRequestId;
  if (chain.fallbacks.length > 0) record.fallbacks = chain.fallbacks;
  return result;
}

/** Whether what ended the request, if nobody was asked, was the request itself. */
function isRefusedHere(result: ExchangeResult): boolean {
  if (result.kind !== 'failed') return false;
  return result.error.code === 'missing_provider_key' || classifyFault(result.error) === 'request';
}

/** Answers a request from the first candidate of its plan that can, streamed or whole; throws what can still have a status of its own. */
export async function respondWithFallback(
  context: RequestContext,
  plan: Plan,
  { createAdapter, ping, errorText }: FallbackOptions,
): Promise<void> {
  const { services, incoming, writer, record } = context;
  const [first] = plan.candidates;
  if (first === undefined) throw new TypeError('a plan without candidates');
  const { pingMs, headerWaitMs } = routeTo(services, first).model.settings;
  let whole = '';
  const chain = new FallbackRunner({
    services,
    requestId: incoming.id,
    plan,
    createAdapter: createAdapter,
    onOutput: (output, last) => {
      record.firstEventMs ??= context.elapsed();
      if (chain.adapter?.isWhole === true) whole += output;
      else if (last) stream.end(output);
      else stream.write(output);
      if (stream.blocked) chain.pause();
    },
  });
  // A stream that begins with pings begins before it is known who will answer.
  const headers = () => (chain.sent || plan.candidates.length === 1 ? answerHeaders(chain) : {});
  const stream = new SseResponse(writer, { ping, errorText, pingMs, headerWaitMs, headers }, () => chain.resume());
  try {
    const result = await runFallback(context, chain);
    if (result.kind === 'aborted') return;
    const { adapter } = chain;
    const failure = result.kind === 'failed' ? result.error : failureOfWhole(adapter, stream);
    if (failure !== undefined) {
      if (!stream.open) throw failure;
      stream.fail(failure);
      recordError(context, failure, 'interrupted');
    } else if (adapter !== undefined) {
      keepConversation(services, plan, adapter.route);
      if (adapter.isWhole) writer.sendJson(200, answerHeaders(chain), adapter.bodyOf(whole));
    }
  } finally {
    stream.close();
    chain.adapter?.record();
  }
}

/** The conversation stays with the provider that has served it, unless something else than its tier led there. */
function keepConversation({ config, order }: Services, { decision, conversation }: Plan, { provider }: Route): void {
  if (config.providers.length > 1 && decision.intent === 'tier') order.keep(conversation(), provider);
}

/** An event stream that has begun with pings cannot become one JSON body any more. */
function failureOfWhole(adapter: Adapter | undefined, stream: SseResponse): ApiError | undefined {
  if (adapter?.isWhole !== true || !stream.open) return undefined;
  return new ApiError('bad_gateway', 'the provider answered with one body, too late for a stream that has begun');
}
