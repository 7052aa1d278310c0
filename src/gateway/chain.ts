import { type ApiError, asApiError } from '../core/errors.ts';
import { Budget } from '../resilience/retryBudget.ts';
import type { ExchangeResult } from '../upstream/exchange.ts';
import { blameFor } from '../upstream/faultDomain.ts';
import type { Output } from '../upstream/upstream.ts';
import type { Answerer } from './answerer.ts';
import { Attempts } from './attempts.ts';
import { Candidates, candidateLabel, type PassedOver } from './candidates.ts';
import { type Failure, finalError, nameProvider } from './finalError.ts';
import type { Cuttable } from './inFlight.ts';
import type { Plan } from './planRequest.ts';
import type { Route } from './route.ts';
import type { Services } from './services.ts';

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
