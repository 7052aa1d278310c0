import type { ClientAccounts } from '../clients/clientAccounts.ts';
import {
  type ClientToken,
  type Config,
  fingerprint,
  type ModelRef,
  type ProviderConfig,
  type ProviderKey,
} from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { ApiError } from '../core/errors.ts';
import type { ReloadableHooks } from '../hooks/hooks.ts';
import type { TraceHeaders, Tracer } from '../otlp/tracer.ts';
import { modelSettings, protocolOf } from '../providers/preset.ts';
import { composeRepairs } from '../quirks/compose.ts';
import type { QuirkSettings } from '../quirks/settings.ts';
import type { CircuitBreaker } from '../resilience/circuitBreaker.ts';
import type { ConcurrencyLimiter } from '../resilience/concurrencyLimiter.ts';
import type { KeyPool } from '../resilience/keyPool.ts';
import { type NamedRoute, routeName } from '../routing/decision.ts';
import type { LoadBalancer } from '../routing/loadBalancer.ts';
import type { SearchClient } from '../search/searchClient.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { RequestCounters } from '../telemetry/requestCounters.ts';
import type { RequestRecord } from '../telemetry/requestRecord.ts';
import type { UsageAggregator } from '../telemetry/usage/aggregator.ts';
import type { ResolvedModel } from '../translate/request/context.ts';
import { RefusedReasoning } from '../translate/request/reasoningReplay.ts';
import type { TokenCalibration } from '../translate/tokenCalibration.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { JsonBodyCodec, RequestBody } from './requestBody.ts';

/** What the gateway works with under one configuration; a changed one gets services of its own. */
export interface Services {
  readonly config: Config;
  readonly clock: Clock;
  readonly backends: Backends;
  readonly models: ResolvedModels;
  /** Searches the web for clients; undefined where nobody does. */
  readonly search: SearchClient | undefined;
  /** The user's own functions; the same for every configuration. */
  readonly hooks: ReloadableHooks;
  /** What the clients with tokens of their own have used. */
  readonly clients: ClientAccounts;
  /** Which provider is asked first, by conversation. */
  readonly order: LoadBalancer;
  readonly stats: RequestCounters;
  readonly usage: UsageAggregator;
  readonly calibration: TokenCalibration;
  readonly bodies: JsonBodyCodec;
  readonly inFlight: InFlight;
  /** Asked only where the configuration names a model that sees. */
  readonly pictures?: PictureDescriber;
  /** Follows requests, where somebody wants traces or metrics of OpenTelemetry. */
  readonly tracer?: Tracer | undefined;
  readonly logger: Logger;
  /** Masks credentials in text that leaves the process. */
  readonly redact: (text: string) => string;
}

/** What of a request goes along as it came, to a provider that speaks the Messages API itself. */
export interface Forwarded {
  /** With its question mark; empty when there is none. */
  readonly query: string;
  /** `anthropic-version`, `anthropic-beta` and `accept`, as far as the client sent them. */
  readonly headers: Readonly<Record<string, string>>;
  /** To which trace the request belongs; absent for what no client has asked. */
  readonly trace?: TraceHeaders;
  /** `x-api-key` and `authorization` as they came, without the instance's own token. */
  readonly credentials: Readonly<Record<string, string>>;
  /** The client's own provider key, where there is one. */
  readonly providerKey: string | undefined;
}

/** One request to the gateway, after the server has checked who calls. */
export interface IncomingRequest {
  /** `req_...`, on every answer and in the log. */
  readonly id: string;
  /** The route, for the log. */
  readonly endpoint: string;
  /** The decoded JSON body. */
  readonly body: Buffer;
  readonly forwarded: Forwarded;
  /** Value of x-claude-code-session-id; only a hash of it is logged. */
  readonly session: string | undefined;
  readonly agent: string | undefined;
  readonly userAgent: string | undefined;
  /** Whose token came with it, where it is not the instance's own. */
  readonly client?: ClientToken | undefined;
  /** How long the client waits for the beginning of its answer; NaN where it does not say so in a number. */
  readonly timeoutSeconds?: number;
}

/** The request of a client for which something else is asked. */
export interface AskedRequest {
  readonly services: Services;
  readonly incoming: Pick<IncomingRequest, 'id' | 'forwarded'>;
  readonly record: RequestRecord;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}

/** The model that a request goes to, as far as it matters for what it sees. */
export interface PictureTarget {
  readonly model: ResolvedModel;
  /** Whether its server speaks the Messages API itself. */
  readonly native: boolean;
}

/** Puts words into the place of pictures that a model cannot see; src/vision/ has the one that there is. */
export interface PictureDescriber {
  /** Since the start. */
  readonly counts: { readonly described: number; readonly failed: number };
  /**
   * The request as the model can read it; itself where there is nothing to describe. A picture that cannot be described becomes a note.
   * @throws ApiError for a request that itself asks for a description
   */
  describe(body: RequestBody, target: PictureTarget, asked: AskedRequest): RequestBody | Promise<RequestBody>;
  /** The same as far as descriptions are known: nobody is asked. */
  preview(body: RequestBody, target: PictureTarget, services: Services): Promise<RequestBody>;
}

/** Equal for equal settings of a provider, keys included, also when they come from two readings of the configuration. */
export function identifyProvider(provider: ProviderConfig): string {
  return fingerprint({ ...provider, preset: provider.preset.name });
}

/** A server that models are asked at: how it is reached, and whether it can be. */
export interface Backend {
  readonly provider: ProviderConfig;
  readonly upstream: Upstream;
  /** Keeps requests from a server that cannot be reached. */
  readonly breaker: CircuitBreaker;
  /** Limits how many requests it gets at the same time. */
  readonly limiter: ConcurrencyLimiter;
  readonly keys: KeyPool<ProviderKey>;
  /** Whether every failure to answer opens the breaker, because there is another provider; else only that to be reached does. */
  readonly countsAllFailures: boolean;
}

/** How backends come into being under one configuration. */
export interface Connections {
  /** @param earlierLimiter of the same server under the configuration before, as its requests may still be under way */
  readonly connect: (provider: ProviderConfig, earlierLimiter: ConcurrencyLimiter | undefined) => Backend;
  /** Equal for what can share a backend, also when it is of two configurations. */
  readonly identify?: (provider: ProviderConfig) => string;
}

/** The servers of an instance: its providers', and those of the models file, each connected to when it is first asked. */
export class Backends {
  readonly #connect: Connections['connect'];
  readonly #identify: (provider: ProviderConfig) => string;
  readonly #known = new Map<ProviderConfig, Backend>();
  readonly #byIdentity = new Map<string, Backend>();
  /** By address, of servers that are not connected to yet under this configuration. */
  readonly #limiters = new Map<string, ConcurrencyLimiter>();

  constructor({ connect, identify = identifyProvider }: Connections) {
    this.#connect = connect;
    this.#identify = identify;
  }

  of(provider: ProviderConfig): Backend {
    const known = this.#known.get(provider);
    if (known !== undefined) return known;
    const identity = this.#identify(provider);
    const backend = this.#byIdentity.get(identity) ?? this.#connect(provider, this.#takeLimiter(provider));
    this.#known.set(provider, backend);
    this.#byIdentity.set(identity, backend);
    return backend;
  }

  /** Those that have been asked, under this configuration or the one before. */
  list(): readonly Backend[] {
    return [...this.#byIdentity.values()];
  }

  /**
   * The backends of the next configuration: a provider that stays as it is keeps its own with its connections and its state, one
   * that has changed its limiter with the requests that run and wait.
   * @param providers all of the next configuration
   */
  renew(connections: Connections, providers: readonly ProviderConfig[]): Backends {
    const next = new Backends(connections);
    for (const provider of providers) {
      const identity = next.#identify(provider);
      const kept = this.#byIdentity.get(identity);
      if (kept !== undefined) next.#byIdentity.set(identity, kept);
    }
    for (const [endpoint, limiter] of this.#limiters) next.#limiters.set(endpoint, limiter);
    for (const [identity, { provider, limiter }] of this.#byIdentity) {
      if (!next.#byIdentity.has(identity)) next.#limiters.set(provider.endpoint, limiter);
    }
    return next;
  }

  #takeLimiter({ endpoint }: ProviderConfig): ConcurrencyLimiter | undefined {
    const limiter = this.#limiters.get(endpoint);
    this.#limiters.delete(endpoint);
    return limiter;
  }
}

/** Models come from clients as well, so that their number is bounded. */
const MAX_MODELS = 200;

interface KnownModel {
  readonly model: ResolvedModel;
  /** What a provider's refusals have taught beyond the configuration. */
  readonly learned: Partial<QuirkSettings>;
  /** Whether its server has turned out not to know the Responses API. */
  readonly isChat: boolean | undefined;
  /** Whether it has answered by the API by which it is asked. */
  hasAnswered: boolean;
}

/** A longer name is no model's that anybody has configured. */
const MAX_NAME = 400;

/**
 * What the names of models come to under one configuration, worked out once for each: where one that a client asks for leads, and
 * what requests to a model are translated for, as composing repairs costs more than using them.
 */
export class ResolvedModels {
  readonly #config: Config;
  readonly #known = new Map<string, KnownModel>();
  readonly #routes = new Map<string, NamedRoute>();
  readonly refusedReasoning: RefusedReasoning;
  /** Of keys and the addresses that they are for, so that they are not computed for each request. */
  readonly fingerprints = new WeakMap<ProviderKey, string>();

  constructor(config: Config, refusedReasoning = new RefusedReasoning()) {
    this.#config = config;
    this.refusedReasoning = refusedReasoning;
  }

  /** @param requested as the client wrote it */
  route(requested: string): NamedRoute {
    const known = this.#routes.get(requested);
    if (known !== undefined) return known;
    const route = routeName(requested, this.#config);
    if (this.#routes.size >= MAX_MODELS) this.#routes.clear();
    if (requested.length <= MAX_NAME) this.#routes.set(requested, route);
    return route;
  }

  get(ref: ModelRef): ResolvedModel {
    return this.#known.get(ref.name)?.model ?? this.#keep(ref, {});
  }

  /** Settings learned from a provider's refusal, for as long as the provider stays as it is configured. */
  learn(ref: ModelRef, settings: Partial<QuirkSettings>): ResolvedModel {
    const { learned, isChat } = this.#known.get(ref.name) ?? {};
    return this.#keep(ref, { ...learned, ...settings }, isChat);
  }

  /** The server does not know the Responses API: the model is asked by chat completions, for as long as the provider stays as it is configured. */
  learnChat(ref: ModelRef): ResolvedModel {
    return this.#keep(ref, {}, true);
  }

  /** The model has answered by the Responses API, so that it never changes from there. */
  markAnswered({ name }: ModelRef): void {
    const known = this.#known.get(name);
    if (known !== undefined) known.hasAnswered = true;
  }

  hasAnswered({ name }: ModelRef): boolean {
    return this.#known.get(name)?.hasAnswered === true;
  }

  /** The models of the next configuration, with what was learned of the providers that stay as they are. */
  renew(config: Config): ResolvedModels {
    const next = new ResolvedModels(config, this.refusedReasoning);
    for (const [name, { learned, isChat, hasAnswered }] of this.#known) {
      if (Object.keys(learned).length === 0 && isChat !== true && !hasAnswered) continue;
      const ref = config.modelRefs.of(name);
      const before = this.#config.modelRefs.of(name);
      const isSame = identifyProvider(before.provider) === identifyProvider(ref.provider);
      if (!isSame || before.model !== ref.model) continue;
      next.#keep(ref, learned, isChat);
      if (hasAnswered) next.markAnswered(ref);
    }
    return next;
  }

  #keep({ name, provider, model }: ModelRef, learned: Partial<QuirkSettings>, isChat?: boolean): ResolvedModel {
    const protocol = isChat === true ? 'chat' : protocolOf(provider, model);
    const { vision } = this.#config;
    // The user has said that this one sees, whatever else is set for the models of its provider.
    const sight = vision?.ref.provider === provider && vision.ref.model === model ? { vision: true } : {};
    const settings = { ...modelSettings(provider, model, protocol), ...sight, ...learned };
    const { maxTokens, minTokens } = this.#config.limits;
    const resolved: ResolvedModel = {
      provider: provider.preset.name,
      name: model,
      protocol: protocol === 'responses' ? 'responses' : 'chat',
      settings,
      ...(maxTokens === undefined ? {} : { maxTokensLimit: maxTokens }),
      ...(minTokens === undefined ? {} : { minTokensLimit: minTokens }),
      repairs: composeRepairs(settings),
    };
    const hasAnswered = this.#known.get(name)?.hasAnswered === true;
    if (this.#known.size >= MAX_MODELS) this.#known.clear();
    this.#known.set(name, { model: resolved, learned, isChat, hasAnswered });
    return resolved;
  }
}

/** The requests under way, so that a stop can wait for them and end those that take too long. */
export class InFlight {
  readonly #requests = new Set<AbortController>();
  #onEmpty: (() => void) | undefined;

  /** @param request aborts it with the error that shall be its answer */
  add(request: AbortController): void {
    this.#requests.add(request);
  }

  remove(request: AbortController): void {
    this.#requests.delete(request);
    if (this.#requests.size === 0) this.#onEmpty?.();
  }

  /** Makes a stop wait for what is over soon, so that there is nothing to abort. Gives what ends it. */
  begin(): () => void {
    const work = new AbortController();
    this.add(work);
    return () => this.remove(work);
  }

  get size(): number {
    return this.#requests.size;
  }

  /** Resolves as soon as nothing is under way. */
  whenEmpty(): Promise<void> {
    if (this.#requests.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  abortAll(error: ApiError): void {
    for (const request of [...this.#requests]) request.abort(error);
  }
}
