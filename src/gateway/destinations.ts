import type { ProviderConfig, ProviderKey } from '../config/config.ts';
import type { Breaker } from '../resilience/circuitBreaker.ts';
import type { Gate } from '../resilience/concurrencyLimiter.ts';
import type { KeyRing } from '../resilience/keyPool.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { identifyProvider } from './identifyProvider.ts';

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
