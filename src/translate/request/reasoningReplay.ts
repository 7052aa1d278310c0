import { asString, isObject, type JsonObject } from '../../core/json.ts';
import { shortHash } from './toolNames.ts';

/** Which encrypted reasoning of a conversation may go back: its provider reads it with the key alone that it was made for. */
export interface ReasoningReplay {
  /** Of the provider's address and the key that will be sent. */
  readonly fingerprint: string;
  readonly refused: Pick<RefusedReasoning, 'count' | 'has'>;
}

/** Most pieces of reasoning that are remembered: those of some long conversations. */
const REMEMBERED_MAX = 5000;
const HASH_LENGTH = 16;
/** Letters of a piece that are hashed, beside its length: no two that were encrypted begin alike. */
const HASHED_LETTERS = 16_384;

/** Stands for a piece, which may be as long as a request. */
function hashOf(encrypted: string): string {
  return shortHash(`${encrypted.length} ${encrypted.slice(0, HASHED_LETTERS)}`, HASH_LENGTH);
}

/** Encrypted reasoning that a provider has refused once, and that is never sent again; the oldest is forgotten first. */
export class RefusedReasoning {
  readonly #hashes = new Set<string>();
  readonly #most: number;
  /** How many have been added so far: what was translated before is out of date when it has changed. */
  count = 0;

  constructor(most = REMEMBERED_MAX) {
    this.#most = most;
  }

  add(encrypted: string): void {
    const hash = hashOf(encrypted);
    this.#hashes.delete(hash);
    this.#hashes.add(hash);
    this.count += 1;
    const [oldest = hash] = this.#hashes;
    if (this.#hashes.size > this.#most) this.#hashes.delete(oldest);
  }

  /** Adds all pieces of a request, with a pause after each; of more than can be remembered the last. */
  *addInSteps(all: readonly string[]): Generator<void> {
    for (const encrypted of all.slice(-this.#most)) {
      this.add(encrypted);
      yield;
    }
  }

  has(encrypted: string): boolean {
    if (this.#hashes.size === 0) return false;
    const hash = hashOf(encrypted);
    if (!this.#hashes.delete(hash)) return false;
    // What is still asked for is forgotten last.
    this.#hashes.add(hash);
    return true;
  }
}

export const NO_REPLAY: ReasoningReplay = { fingerprint: '', refused: new RefusedReasoning() };

/** The encrypted reasoning in a request of the Responses API, piece by piece. */
export function encryptedReasoning({ input }: JsonObject): readonly string[] {
  if (!Array.isArray(input)) return [];
  return input.flatMap((item) => {
    const encrypted = isObject(item) && item['type'] === 'reasoning' ? asString(item['encrypted_content']) : undefined;
    return encrypted === undefined ? [] : [encrypted];
  });
}
