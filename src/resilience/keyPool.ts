import type { Clock } from '../core/clock.ts';
import type { ErrorType } from '../core/errorTable.ts';
import { firstParticipant, type Participant, rankParticipants } from '../core/rendezvous.ts';

/** A while in which a key is not used, and why. */
export interface Cooldown {
  /** By the monotonic clock, in ms. */
  readonly since: number;
  /** By the monotonic clock, in ms. */
  readonly until: number;
  /** Milliseconds since 1970, to be shown. */
  readonly endsAt: number;
  readonly reason: string;
  /** Of the error that was the reason. */
  readonly errorType?: ErrorType | undefined;
}

/** A key with its cooldown, if it has any. */
export interface KeyState<Key> {
  readonly key: Key;
  readonly cooldown: Cooldown | undefined;
}

/**
 * The keys of one provider. Conversations are shared out among them, and each keeps to its key, because providers cache prompts
 * by account. A key that was refused cools down; it is used only when no other is left, so that a single key is always used.
 */
export class KeyPool<Key> {
  readonly #keys: readonly Key[];
  readonly #participants: readonly (Participant & { readonly key: Key })[];
  readonly #clock: Clock;
  readonly #cooldowns = new Map<Key, Cooldown>();

  /**
   * @param keys at least one
   * @param nameOf gives what a key has in common with itself in other processes, however many keys stand before it
   */
  constructor(keys: readonly [Key, ...Key[]], clock: Clock, nameOf: (key: Key) => string) {
    this.#keys = keys;
    this.#participants = keys.length === 1 ? [] : keys.map((key) => ({ key, name: nameOf(key), weight: 1 }));
    this.#clock = clock;
  }

  get size(): number {
    return this.#keys.length;
  }

  /** Whether there is a key that does not cool down. */
  get hasAvailable(): boolean {
    return this.#cooldowns.size === 0 || this.#keys.some((key) => this.#cooldownOf(key) === undefined);
  }

  /**
   * The key for a conversation: its own, else the next that does not cool down, else the one whose cooldown ends first.
   * @param conversation what the requests of one conversation have in common; asked for only where there is a choice
   */
  choose(conversation: () => string): Key {
    const [only] = this.#keys as readonly [Key, ...Key[]];
    if (this.#keys.length === 1) return only;
    const name = conversation();
    const available = this.#participants.filter(({ key }) => this.#cooldownOf(key) === undefined);
    const first = firstParticipant(name, available);
    if (first !== undefined) return first.key;
    const inOrder = rankParticipants(name, this.#participants).map(({ key }) => key);
    const until = (key: Key) => this.#cooldownOf(key)?.until ?? 0;
    return inOrder.reduce((best, key) => (until(key) < until(best) ? key : best));
  }

  /** The key was refused: it is not used for so long. */
  coolDown(key: Key, ms: number, reason: string, errorType?: ErrorType): void {
    const since = this.#clock.monotonic();
    this.#cooldowns.set(key, { since, until: since + ms, endsAt: this.#clock.now() + ms, reason, errorType });
  }

  /**
   * The key was accepted.
   * @param askedAt when, by the monotonic clock: an answer that was under way when the cooldown began says nothing about it
   */
  markHealthy(key: Key, askedAt: number): void {
    const cooldown = this.#cooldowns.get(key);
    if (cooldown !== undefined && cooldown.since <= askedAt) this.#cooldowns.delete(key);
  }

  list(): readonly KeyState<Key>[] {
    return this.#keys.map((key) => ({ key, cooldown: this.#cooldownOf(key) }));
  }

  #cooldownOf(key: Key): Cooldown | undefined {
    const cooldown = this.#cooldowns.get(key);
    if (cooldown === undefined || cooldown.until > this.#clock.monotonic()) return cooldown;
    this.#cooldowns.delete(key);
    return undefined;
  }
}
