import type { ProviderConfig } from '../config/config.ts';
import type { Breaker } from '../resilience/breaker.ts';
import type { Gate } from '../resilience/gate.ts';
import type { Upstream } from '../upstream/upstream.ts';

/** A server that models are asked at: how it is reached, and whether it can be. */
export interface Destination {
  readonly provider: ProviderConfig;
  readonly upstream: Upstream;
  /** Keeps requests from a server that cannot be reached (R410). */
  readonly breaker: Breaker;
  /** Limits how many requests it gets at the same time. */
  readonly gate: Gate;
}

/** The servers of an instance: its provider's, and those of the models file, each connected to when it is first asked. */
export class Destinations {
  readonly #known = new Map<ProviderConfig, Destination>();
  readonly #connect: (provider: ProviderConfig) => Destination;

  constructor(connect: (provider: ProviderConfig) => Destination) {
    this.#connect = connect;
  }

  of(provider: ProviderConfig): Destination {
    const known = this.#known.get(provider);
    if (known !== undefined) return known;
    const destination = this.#connect(provider);
    this.#known.set(provider, destination);
    return destination;
  }

  /** Those that have been asked. */
  list(): readonly Destination[] {
    return [...this.#known.values()];
  }

  async close(): Promise<void> {
    await Promise.all([...this.#known.values()].map(({ upstream }) => upstream.close()));
  }
}
