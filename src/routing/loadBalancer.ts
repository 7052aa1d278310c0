import type { Config, NamedProvider } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { rankParticipants } from '../core/rendezvous.ts';

/** How long a provider that has failed a conversation badly is asked last for it, in ms. */
const AVOID_MS = 600_000;
/** Conversations come from clients, so that the number of those that are remembered is bounded. */
const MAX_AVOIDED = 10_000;

type Choice = Pick<Config, 'providers' | 'strategy'>;

/**
 * The order in which the providers are asked for a conversation. It follows from the conversation, the providers and the strategy
 * alone, so that every process of every machine has the same: the provider's prompt cache stays of use whoever gets the next request.
 */
export function orderProviders({ providers, strategy }: Choice, conversation: () => string): readonly NamedProvider[] {
  if (providers.length === 1 || strategy === 'priority') return providers;
  const participants = providers.map((provider) => ({
    name: provider.name,
    weight: strategy === 'weighted' ? provider.weight : 1,
    provider,
  }));
  return rankParticipants(conversation(), participants).map(({ provider }) => provider);
}

/**
 * The same order, but for what this process has seen to fail: a provider that has cost a conversation much time, or does not know its
 * model, is asked last for it for a while. What fails quickly is left to circuits and keys, which all conversations share.
 */
export class LoadBalancer {
  readonly #clock: Clock;
  /** Until when, by the monotonic clock, in ms; by the conversation and the provider. */
  readonly #avoided = new Map<string, Map<string, number>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param conversation what its requests have in common; asked for only where there is a choice */
  order(choice: Choice, conversation: () => string): readonly NamedProvider[] {
    const ordered = orderProviders(choice, conversation);
    if (this.#avoided.size === 0 || ordered.length === 1) return ordered;
    const untils = this.#avoided.get(conversation());
    if (untils === undefined) return ordered;
    const now = this.#clock.monotonic();
    const isAvoided = ({ name }: NamedProvider) => (untils.get(name) ?? 0) > now;
    if (ordered.some(isAvoided))
      return [...ordered.filter((provider) => !isAvoided(provider)), ...ordered.filter(isAvoided)];
    this.#avoided.delete(conversation());
    return ordered;
  }

  /** The provider is asked last for the conversation, for ten minutes. */
  avoid(conversation: string, provider: string): void {
    const untils = this.#avoided.get(conversation) ?? new Map<string, number>();
    untils.set(provider, this.#clock.monotonic() + AVOID_MS);
    this.#avoided.delete(conversation);
    this.#avoided.set(conversation, untils);
    const [oldest] = this.#avoided.keys();
    if (this.#avoided.size > MAX_AVOIDED && oldest !== undefined) this.#avoided.delete(oldest);
  }
}
