/**
 * What the upstream is asked to answer. It stands as words in the user's text, so that a proxy may map model names as it likes.
 */
export interface Order {
  readonly deltas: number;
  /** Milliseconds from one delta to the next; 0: as fast as it goes. */
  readonly everyMs: number;
}

export const orderText = ({ deltas, everyMs }: Order): string => `[bench: ${deltas} deltas, ${everyMs} ms]`;

/** No order is longer, in bytes. */
export const LONGEST_ORDER = 40;

const ORDER = /\[bench: (\d+) deltas, (\d+) ms\]/;

export function findOrder(text: string): Order | undefined {
  const [, deltas, everyMs] = ORDER.exec(text) ?? [];
  return deltas === undefined ? undefined : { deltas: Number(deltas), everyMs: Number(everyMs) };
}
