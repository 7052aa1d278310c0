/**
 * Rendezvous hashing, also called highest random weight: who gets a conversation follows from its name and the names and weights of
 * those who may get it, so that several processes agree without talking, and one that is taken away moves only what it had.
 */

/** A hash of 32 bits in which every bit depends on every letter: FNV-1a, and the last step of MurmurHash3. */
function hashText(text: string, seed: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Somebody who may get a share of the conversations. */
export interface Participant {
  readonly name: string;
  /** Its share in proportion to that of the others; with 0 it comes last. */
  readonly weight: number;
}

/** The place of a participant for a conversation: the least is the first. */
function rankOf({ name, weight }: Participant, seed: number): number {
  const lot = (hashText(name, seed) + 0.5) / 2 ** 32; // between 0 and 1, neither of them included
  return weight > 0 ? -Math.log(lot) / weight : Number.MAX_VALUE;
}

/** The first in the order of `rankParticipants`, without putting the others in order; undefined where there is nobody. */
export function firstParticipant<P extends Participant>(
  conversation: string,
  participants: readonly P[],
): P | undefined {
  const seed = hashText(conversation, 0);
  let best: P | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const participant of participants) {
    const rank = rankOf(participant, seed);
    if (rank < least) [best, least] = [participant, rank];
  }
  return best;
}

/**
 * All participants in the order in which they are to be asked for a conversation. Each is the first for a part of all conversations
 * that is in proportion to its weight. Those of equal rank keep their order.
 */
export function rankParticipants<P extends Participant>(conversation: string, participants: readonly P[]): P[] {
  const seed = hashText(conversation, 0);
  return participants
    .map((participant) => ({ participant, rank: rankOf(participant, seed) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ participant }) => participant);
}
