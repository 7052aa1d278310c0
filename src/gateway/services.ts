import type { Config, ProviderConfig, ProviderKey } from '../config/config.ts';
import { fingerprint } from '../config/identity.ts';
import { endpointOf, type ModelEndpoint, modelSettings } from '../config/modelRef.ts';
import type { Clock } from '../core/clock.ts';
import type { ApiError } from '../core/errors.ts';
import type { LiveHooks } from '../hooks/liveHooks.ts';
import { composeRepairs } from '../quirks/compose.ts';
import type { QuirkSettings } from '../quirks/settings.ts';
import type { Breaker } from '../resilience/circuitBreaker.ts';
import type { Gate } from '../resilience/concurrencyLimiter.ts';
import type { KeyRing } from '../resilience/keyPool.ts';
import type { ProviderOrder } from '../routing/loadBalancer.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { RequestStats } from '../telemetry/stats.ts';
import type { UsageMeter } from '../telemetry/usage/meter.ts';
import type { Target } from '../translate/request/context.ts';
import type { TokenCalibration } from '../translate/tokenCalibration.ts';
import type { Upstream } from '../upstream/upstream.ts';
import type { JsonBodyCodec } from './requestBody.ts';

/** What the gateway works with under one configuration; a changed one gets services of its own. */
export interface Services {
  readonly config: Config;
  readonly clock: Clock;
  readonly destinations: Destinations;
  readonly targets: Targets;
  /** The user's own functions; the same for every configuration. */
  readonly hooks: LiveHooks;
  /** Which provider is asked first, by conversation. */
  readonly order: ProviderOrder;
  readonly stats: RequestStats;
  readonly usage: UsageMeter;
  readonly calibration: TokenCalibration;
  readonly bodies: JsonBodyCodec;
  readonly inFlight: InFlight;
  readonly logger: Logger;
  /** Masks credentials in text that leaves the process (R407). */
  readonly redact: (text: string) => string;
}

/** What of a request goes along as it came, to a provider that speaks the Messages API itself. */
export interface Forwarded {
  /** With its question mark; empty when there is none. */
  readonly query: string;
  /** `anthropic-version`, `anthropic-beta` and `accept`, as far as the client sent them. */
  readonly headers: Readonly<Record<string, string>>;
  /** `x-api-key` and `authorization` as they came, without the instance's own token. */
  readonly credentials: Readonly<Record<string, string>>;
}

/** One request to the gateway, after the server has checked who calls. */
export interface IncomingRequest {
  /** `req_...`, on every answer and in the log. */
  readonly id: string;
  /** The route, for the log. */
  readonly endpoint: string;
  /** The decoded JSON body. */
  readonly body: Buffer;
  /** The client's own provider key, where there is one. */
  readonly providerKey: string | undefined;
  readonly forwarded: Forwarded;
  /** Value of x-claude-code-session-id; only a hash of it is logged (R511). */
  readonly session: string | undefined;
  readonly agent: string | undefined;
  readonly userAgent: string | undefined;
}

/** Equal for equal settings of a provider, keys included, also when they come from two readings of the configuration. */
export function identifyProvider(provider: ProviderConfig): string {
  return fingerprint({ ...provider, preset: provider.preset.name });
}

/** A server that models are asked at: how it is reached, and whether it can be. */
export interface Destination {
  readonly provider: ProviderConfig;
  readonly upstream: Upstream;
  /** Keeps requests from a server that cannot be reached (R410). */
  readonly breaker: Breaker;
  /** Limits how many requests it gets at the same time. */
  readonly gate: Gate;
  readonly keys: KeyRing<ProviderKey>;
  /** Whether every failure to answer opens the breaker, because there is another provider; else only that to be reached does. */
  readonly countsAllFailures: boolean;
}

/** How destinations come into being under one configuration. */
export interface Connections {
  /** @param earlierGate of the same server under the configuration before, as its requests may still be under way */
  readonly connect: (provider: ProviderConfig, earlierGate: Gate | undefined) => Destination;
  /** Equal for what can share a destination, also when it is of two configurations. */
  readonly identify?: (provider: ProviderConfig) => string;
}

/** The servers of an instance: its providers', and those of the models file, each connected to when it is first asked. */
export class Destinations {
  readonly #connect: Connections['connect'];
  readonly #identify: (provider: ProviderConfig) => string;
  readonly #known = new Map<ProviderConfig, Destination>();
  readonly #byIdentity = new Map<string, Destination>();
  /** By address, of servers that are not connected to yet under this configuration. */
  readonly #gates = new Map<string, Gate>();

  constructor({ connect, identify = identifyProvider }: Connections) {
    this.#connect = connect;
    this.#identify = identify;
  }

  of(provider: ProviderConfig): Destination {
    const known = this.#known.get(provider);
    if (known !== undefined) return known;
    const identity = this.#identify(provider);
    const destination = this.#byIdentity.get(identity) ?? this.#connect(provider, this.#takeGate(provider));
    this.#known.set(provider, destination);
    this.#byIdentity.set(identity, destination);
    return destination;
  }

  /** Those that have been asked, under this configuration or the one before. */
  list(): readonly Destination[] {
    return [...this.#byIdentity.values()];
  }

  /**
   * The destinations of the next configuration: a provider that stays as it is keeps its own with its connections and its state, one
   * that has changed the place in its queue.
   * @param providers all of the next configuration
   */
  renew(connections: Connections, providers: readonly ProviderConfig[]): Destinations {
    const next = new Destinations(connections);
    for (const provider of providers) {
      const identity = next.#identify(provider);
      const kept = this.#byIdentity.get(identity);
      if (kept !== undefined) next.#byIdentity.set(identity, kept);
    }
    for (const [endpoint, gate] of this.#gates) next.#gates.set(endpoint, gate);
    for (const [identity, { provider, gate }] of this.#byIdentity) {
      if (!next.#byIdentity.has(identity)) next.#gates.set(provider.endpoint, gate);
    }
    return next;
  }

  #takeGate({ endpoint }: ProviderConfig): Gate | undefined {
    const gate = this.#gates.get(endpoint);
    this.#gates.delete(endpoint);
    return gate;
  }
}

/** Models come from clients as well, so that their number is bounded. */
const MAX_TARGETS = 200;

interface KnownTarget {
  readonly target: Target;
  /** What a provider's refusals have taught beyond the configuration. */
  readonly learned: Partial<QuirkSettings>;
}

/** What requests are translated for, one per model and made once, as composing repairs costs more than using them. */
export class Targets {
  readonly #config: Config;
  readonly #known = new Map<string, KnownTarget>();

  constructor(config: Config) {
    this.#config = config;
  }

  get(model: string): Target {
    const known = this.#known.get(model);
    return known?.target ?? this.#keep(model, endpointOf(this.#config, model), {});
  }

  /** Settings that a provider's refusal has taught, for as long as the provider stays as it is configured (R413). */
  learn(model: string, settings: Partial<QuirkSettings>): Target {
    const learned = { ...this.#known.get(model)?.learned, ...settings };
    return this.#keep(model, endpointOf(this.#config, model), learned);
  }

  /** The targets of the next configuration, with what was learned of the providers that stay as they are. */
  renew(config: Config): Targets {
    const next = new Targets(config);
    for (const [name, { learned }] of this.#known) {
      if (Object.keys(learned).length === 0) continue;
      const endpoint = endpointOf(config, name);
      const before = endpointOf(this.#config, name);
      const isSame = identifyProvider(before.provider) === identifyProvider(endpoint.provider);
      if (isSame && before.model === endpoint.model) next.#keep(name, endpoint, learned);
    }
    return next;
  }

  #keep(name: string, { provider, model }: ModelEndpoint, learned: Partial<QuirkSettings>): Target {
    const settings = { ...modelSettings(provider, model), ...learned };
    const { maxTokens, minTokens } = this.#config.limits;
    const target: Target = {
      provider: provider.preset.name,
      model,
      settings,
      ...(maxTokens === undefined ? {} : { maxTokensLimit: maxTokens }),
      ...(minTokens === undefined ? {} : { minTokensLimit: minTokens }),
      repairs: composeRepairs(settings),
    };
    if (this.#known.size >= MAX_TARGETS) this.#known.clear();
    this.#known.set(name, { target, learned });
    return target;
  }
}

/** An answer under way that can be ended with an error. */
export interface Cuttable {
  cut(error: ApiError): void;
}

/** The answers under way, so that a stop can wait for them and end those that take too long (R512). */
export class InFlight {
  readonly #answers = new Set<Cuttable>();
  #onEmpty: (() => void) | undefined;

  add(answer: Cuttable): void {
    this.#answers.add(answer);
  }

  remove(answer: Cuttable): void {
    this.#answers.delete(answer);
    if (this.#answers.size === 0) this.#onEmpty?.();
  }

  /** Makes a stop wait for what is over soon, so that there is nothing to cut. Gives what ends it. */
  hold(): () => void {
    const held = { cut: () => {} };
    this.add(held);
    return () => this.remove(held);
  }

  get size(): number {
    return this.#answers.size;
  }

  /** Resolves as soon as no answer is under way. */
  whenEmpty(): Promise<void> {
    if (this.#answers.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  cutAll(error: ApiError): void {
    for (const answer of [...this.#answers]) answer.cut(error);
  }
}
