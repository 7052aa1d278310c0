/**
 * What the upstream is asked to answer. It stands as words in the user's text, so that a proxy may map model names as it likes.
 */
export interface Order {
  readonly deltas: number;
  /** Milliseconds from one delta to the next; 0: as fast as it goes. */
  readonly everyMs: number;
  /** Milliseconds until the answer begins; absent: at once. */
  readonly afterMs?: number;
  /** Whether the deltas are pieces of a tool call's arguments, in place of text. */
  readonly toolCall?: true;
}

export function orderText({ deltas, everyMs, afterMs, toolCall }: Order): string {
  const more = `${afterMs === undefined ? '' : `, after ${afterMs} ms`}${toolCall ? ', tool call' : ''}`;
  return `[bench: ${deltas} deltas, ${everyMs} ms${more}]`;
}

/** No order is longer, in bytes. */
export const LONGEST_ORDER = 70;

const ORDER = /\[bench: (\d+) deltas, (\d+) ms(?:, after (\d+) ms)?(, tool call)?\]/;

export function findOrder(text: string): Order | undefined {
  const [, deltas, everyMs, afterMs, toolCall] = ORDER.exec(text) ?? [];
  if (deltas === undefined) return undefined;
  return {
    deltas: Number(deltas),
    everyMs: Number(everyMs),
    ...(afterMs !== undefined && { afterMs: Number(afterMs) }),
    ...(toolCall !== undefined && { toolCall: true }),
  };
}
