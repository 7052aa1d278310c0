import { ApiError, asApiError } from '../../core/errors.ts';
import { Budget } from '../../resilience/retryBudget.ts';
import type { ExchangeResult } from '../../upstream/exchange.ts';
import { blameFor } from '../../upstream/faultDomain.ts';
import type { Output } from '../../upstream/upstream.ts';
import type { Answerer } from '../adapters/adapter.ts';
import { type Run, recordError } from '../requestContext.ts';
import { EventStream, type EventStreamOptions } from '../responseWriter.ts';
import { Candidates, candidateLabel, type PassedOver, type Route, routeTo } from '../route.ts';
import type { Plan } from '../routePlan.ts';
import type { Cuttable, Services } from '../services.ts';
import { Attempts } from './retry.ts';

/** A candidate that could not serve a request. */
export interface Failure {
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
export function finalError(failures: readonly [Failure, ...Failure[]]): ApiError {
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

export interface ChainOptions {
  readonly services: Services;
  /** For the log. */
  readonly requestId: string;
  readonly plan: Pick<Plan, 'candidates' | 'conversation'>;
  /** @throws ApiError for a request that the candidate cannot be sent */
  readonly createAnswerer: (route: Route) => Answerer;
  /** Output for the client as it arrives; `last` comes with the end of the answer. */
  readonly onOutput: (output: Output, last: boolean) => void;
}

/** The candidates for one answer, asked one after the other until one serves it, and only as long as the client has got nothing of it. */
export class Chain implements Cuttable {
  readonly #options: ChainOptions;
  readonly #budget: Budget;
  readonly #candidates: Candidates;
  readonly #fallbacks = new Map<string, string>();
  readonly #failures: Failure[] = [];
  #answerer: Answerer | undefined;
  #attempts: Attempts | undefined;
  #stopped: ExchangeResult | undefined;

  constructor(options: ChainOptions) {
    const { services, plan } = options;
    this.#options = options;
    this.#budget = new Budget(services.config.budget, services.clock);
    this.#candidates = new Candidates(services, plan.candidates);
  }

  /** How often a provider was asked. */
  get count(): number {
    return this.#budget.spent;
  }

  /** The candidate that is asked or was asked last. */
  get answerer(): Answerer | undefined {
    return this.#answerer;
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
      if (blameFor(result.error) === 'request') return result;
      const isOneOfSeveral = this.#options.services.config.providers.length > 1;
      const error = isOneOfSeveral ? nameProvider(result.error, route.provider) : result.error;
      this.#failures.push({ candidate: candidateLabel(route), error });
      const next = this.#budget.mayGoOn ? this.#next() : undefined;
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
    const { services, plan, createAnswerer, onOutput } = this.#options;
    this.#fallbacks.delete(candidateLabel(route));
    try {
      const answerer = createAnswerer(route);
      this.#answerer = answerer;
      this.#attempts = new Attempts({
        services,
        answerer,
        budget: this.#budget,
        conversation: plan.conversation,
        hasNext: () => this.#budget.mayGoOn && this.#candidates.hasPassable,
        isFreeElsewhere: () => this.#budget.mayGoOn && this.#candidates.isFreeElsewhere(route.destination),
        onOutput,
      });
      return await this.#attempts.run();
    } catch (thrown) {
      return { kind: 'failed', error: asApiError(thrown) };
    }
  }

  #noteFallback({ route, reason }: PassedOver): void {
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

export interface TurnOptions extends Pick<EventStreamOptions, 'ping' | 'errorText'> {
  readonly createAnswerer: (route: Route) => Answerer;
}

/** Who answers, and how many candidates before did not. */
function answerHeaders({ answerer, fallbacks }: Chain): Record<string, string> {
  if (answerer === undefined) return {};
  const { length } = fallbacks;
  return { 'x-provider': answerer.route.provider, ...(length === 0 ? {} : { 'x-fallback': String(length) }) };
}

/** Runs the chain while the client is there and the instance is not told to stop. Never rejects. */
async function runChain(run: Run, chain: Chain): Promise<ExchangeResult> {
  const { record, services } = run;
  run.port.onGone(() => chain.abort());
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
  return result.error.code === 'missing_provider_key' || blameFor(result.error) === 'request';
}

/** Answers a request from the first candidate of its plan that can, streamed or whole; throws what can still have a status of its own. */
export async function answerInTurn(
  run: Run,
  plan: Plan,
  { createAnswerer, ping, errorText }: TurnOptions,
): Promise<void> {
  const { services, incoming, port, record } = run;
  const [first = ''] = plan.candidates;
  const { pingMs, headerWaitMs } = routeTo(services, first).target.settings;
  let whole = '';
  const chain = new Chain({
    services,
    requestId: incoming.id,
    plan,
    createAnswerer,
    onOutput: (output, last) => {
      record.firstEventMs ??= run.elapsed();
      if (chain.answerer?.isWhole === true) whole += output;
      else if (last) stream.end(output);
      else stream.write(output);
      if (stream.blocked) chain.pause();
    },
  });
  // A stream that begins with pings begins before it is known who will answer.
  const headers = () => (chain.sent || plan.candidates.length === 1 ? answerHeaders(chain) : {});
  const stream = new EventStream(port, { ping, errorText, pingMs, headerWaitMs, headers }, () => chain.resume());
  try {
    const result = await runChain(run, chain);
    if (result.kind === 'aborted') return;
    const { answerer } = chain;
    const failure = result.kind === 'failed' ? result.error : failureOfWhole(answerer, stream);
    if (failure !== undefined) {
      if (!stream.open) throw failure;
      stream.fail(failure);
      recordError(run, failure, 'interrupted');
    } else if (answerer !== undefined) {
      keepConversation(services, plan, answerer.route);
      if (answerer.isWhole) port.sendJson(200, answerHeaders(chain), answerer.bodyOf(whole));
    }
  } finally {
    stream.close();
    chain.answerer?.record();
  }
}

/** The conversation stays with the provider that has served it, unless something else than its tier led there. */
function keepConversation({ config, order }: Services, { decision, conversation }: Plan, { provider }: Route): void {
  if (config.providers.length > 1 && decision.intent === 'tier') order.keep(conversation(), provider);
}

/** An event stream that has begun with pings cannot become one JSON body any more. */
function failureOfWhole(answerer: Answerer | undefined, stream: EventStream): ApiError | undefined {
  if (answerer?.isWhole !== true || !stream.open) return undefined;
  return new ApiError('bad_gateway', 'the provider answered with one body, too late for a stream that has begun');
}
