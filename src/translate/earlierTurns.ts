import type { RequestMessage } from '../protocol/anthropic/request.ts';
import type { ChatMessage } from '../protocol/openai/types.ts';
import type { Context } from './context.ts';
import type { ToolDefinition } from './tools.ts';

/** A place before an answer of the model: what has been written until then never changes (R104). */
export interface Mark {
  /** Of the answer, among the client's messages. */
  readonly index: number;
  /** Messages that had been written for the provider, without the system prompt. */
  readonly size: number;
  /** Calls that stand before it. */
  readonly calls: number;
  /** What had been noted about the messages before it. */
  readonly notes: readonly string[];
}

/** A conversation as it was translated last. */
export interface TranslatedTurns {
  readonly context: Context;
  readonly messages: readonly RequestMessage[];
  readonly marks: readonly Mark[];
  /** The provider's messages, without the system prompt. */
  readonly written: readonly ChatMessage[];
}

/**
 * By the first message: requests of one conversation share their messages as objects, so that what turn N was translated to need not
 * be made again for turn N+1. This and the printing of it were two thirds of the work on a long request (measured).
 */
const lastTurns = new WeakMap<RequestMessage, TranslatedTurns>();

export function rememberTurns(turns: TranslatedTurns): void {
  const [first] = turns.messages;
  // Breakpoints move with each turn.
  if (first !== undefined && turns.context.breakpoints.size === 0) lastTurns.set(first, turns);
}

/** The last place until which an earlier translation holds, what it wrote until there, and the places before it. */
export interface RecalledTurns extends Mark {
  readonly written: readonly ChatMessage[];
  readonly marks: readonly Mark[];
}

/** How far an earlier translation holds for these messages: to an answer that they still have, as an answer closes what is before it. */
export function recallTurns(messages: readonly RequestMessage[], context: Context): RecalledTurns | undefined {
  const [first] = messages;
  const earlier = first === undefined ? undefined : lastTurns.get(first);
  if (earlier === undefined || !isSameContext(earlier.context, context)) return undefined;
  let same = 0;
  while (same < messages.length && messages[same] === earlier.messages[same]) same += 1;
  const reached = earlier.marks.findLastIndex(({ index }) => index < same);
  const calls = sameCalls(earlier.context, context, earlier.marks[reached]?.calls ?? 0);
  const holding = earlier.marks.findLastIndex((mark, position) => position <= reached && mark.calls <= calls);
  const mark = earlier.marks[holding];
  return mark && { ...mark, written: earlier.written.slice(0, mark.size), marks: earlier.marks.slice(0, holding) };
}

function isSameContext(one: Context, other: Context): boolean {
  return one.target === other.target && haveSameTools(one.tools, other.tools);
}

function haveSameTools(one: ReadonlyMap<string, ToolDefinition>, other: ReadonlyMap<string, ToolDefinition>): boolean {
  if (one.size !== other.size) return false;
  const others = other.values();
  for (const tool of one.values()) {
    const { value } = others.next();
    if (tool.schema !== value?.schema || tool.name !== value.name || tool.description !== value.description)
      return false;
  }
  return true;
}

/** How many of the first calls have the same results as before; one that was interrupted may have got its result since. */
function sameCalls(one: Context, other: Context, count: number): number {
  const { calls } = other.pairing;
  for (let position = 0; position < count; position += 1) {
    const call = calls[position];
    if (call === undefined || one.pairing.results.get(call) !== other.pairing.results.get(call)) return position;
  }
  return count;
}
