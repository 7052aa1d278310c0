import type { Config, NamedProvider } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';

/** A conversation that was silent for so long has nothing left in its provider's cache, in ms. */
const STICKY_MS = 600_000;
/** Conversations come from clients, so that their number is bounded. */
const MAX_CONVERSATIONS = 10_000;

interface Assignment {
  readonly provider: string;
  /** By the monotonic clock, in ms. */
  readonly seenAt: number;
}

/**
 * The order in which the providers are asked: by the strategy, but a conversation stays with the provider that served it, so that
 * this provider's prompt cache stays of use.
 */
export class LoadBalancer {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #assignments = new Map<string, Assignment>();
  #turn = 0;

  /** @param random a number from 0 to below 1 */
  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * The providers for one request; a conversation that has none yet gets the first.
   * @param conversation what its requests have in common; asked for only where there is a choice
   */
  take(config: Pick<Config, 'providers' | 'strategy'>, conversation: () => string): readonly NamedProvider[] {
    if (config.providers.length === 1) return config.providers;
    const ordered = this.look(config, conversation);
    const name = conversation();
    if (this.#assignmentOf(name) === undefined) this.#turn += 1;
    const [first] = ordered;
    if (first !== undefined) this.keep(name, first.name);
    return ordered;
  }

  /** The same without consequences, for a question that is no request. */
  look(
    { providers, strategy }: Pick<Config, 'providers' | 'strategy'>,
    conversation: () => string,
  ): readonly NamedProvider[] {
    if (providers.length === 1) return providers;
    const assignment = this.#assignmentOf(conversation());
    const own = providers.find(({ name }) => name === assignment?.provider);
    const ordered = this.#byStrategy(providers, strategy);
    return own === undefined ? ordered : [own, ...ordered.filter((provider) => provider !== own)];
  }

  /** The provider has served the conversation, which stays there from now on. */
  keep(conversation: string, provider: string): void {
    this.#assignments.delete(conversation);
    this.#assignments.set(conversation, { provider, seenAt: this.#clock.monotonic() });
    const [oldest] = this.#assignments.keys();
    if (this.#assignments.size > MAX_CONVERSATIONS && oldest !== undefined) this.#assignments.delete(oldest);
  }

  #assignmentOf(conversation: string): Assignment | undefined {
    const assignment = this.#assignments.get(conversation);
    if (assignment === undefined || this.#clock.monotonic() - assignment.seenAt < STICKY_MS) return assignment;
    this.#assignments.delete(conversation);
    return undefined;
  }

  #byStrategy(providers: readonly NamedProvider[], strategy: Config['strategy']): readonly NamedProvider[] {
    switch (strategy) {
      case 'priority':
        return providers;
      case 'round_robin': {
        const first = this.#turn % providers.length;
        return [...providers.slice(first), ...providers.slice(0, first)];
      }
      case 'random':
        return this.#draw(providers, () => 1);
      case 'weighted':
        return this.#draw(providers, ({ weight }) => weight);
    }
  }

  /** All providers, one after the other drawn by lot with these chances. */
  #draw(providers: readonly NamedProvider[], chanceOf: (provider: NamedProvider) => number): readonly NamedProvider[] {
    const left = [...providers];
    const drawn: NamedProvider[] = [];
    while (left.length > 0) {
      let lot = this.#random() * left.reduce((sum, provider) => sum + chanceOf(provider), 0);
      const index = left.findIndex((provider) => {
        lot -= chanceOf(provider);
        return lot < 0;
      });
      drawn.push(...left.splice(Math.max(index, 0), 1));
    }
    return drawn;
  }
}
