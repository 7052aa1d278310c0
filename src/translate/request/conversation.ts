import type { RequestMessage } from '../../protocol/anthropic/request.ts';
import type { ChatContentPart, ChatMessage } from '../../protocol/openai/types.ts';
import type { QuirkSettings } from '../../quirks/settings.ts';
import { replaceLoneSurrogatesOnce } from '../wellFormed.ts';
import type { Context } from './context.ts';
import type { ToolDefinition } from './tools.ts';

/** A user or tool message whose content may still grow. */
interface Draft {
  readonly head: ChatMessage;
  readonly parts: ChatContentPart[];
}

/** Builds the provider's message list from front to back; what an answer has followed never changes (R104). */
export class Conversation {
  readonly #textArrays: boolean;
  readonly #entries: (ChatMessage | Draft)[];
  /** The last user or tool message, as long as it may grow. */
  #open: Draft | undefined;
  /** The open message is the user's but of our own making: the next user message is merged into it. */
  #waiting = false;

  /** @param written complete messages that it begins with */
  constructor(content: QuirkSettings['content'], written: readonly ChatMessage[]) {
    this.#textArrays = content === 'parts';
    this.#entries = [...written];
  }

  /** Messages so far. */
  get size(): number {
    return this.#entries.length;
  }

  /** Role of the message that may grow; undefined after an answer, a system message and at the start. */
  get openRole(): ChatMessage['role'] | undefined {
    return this.#open?.head.role;
  }

  get lastRole(): ChatMessage['role'] | undefined {
    const last = this.#entries.at(-1);
    return last === undefined || isDraft(last) ? last?.head.role : last.role;
  }

  /** Adds a message that is complete; undefined stands for an answer that left nothing to send. */
  add(message: ChatMessage | undefined): void {
    this.#open = undefined;
    if (message !== undefined) this.#entries.push(message);
  }

  addTool(head: ChatMessage, parts: readonly ChatContentPart[]): void {
    this.#start(head, parts, false);
  }

  addUser(parts: readonly ChatContentPart[]): void {
    if (this.#open === undefined || !this.#waiting) this.#start({ role: 'user' }, parts, false);
    else this.#open.parts.push(...parts);
    this.#waiting = false;
  }

  /** Adds parts that belong to the user but came without a message: to the next user message, or as one of their own. */
  addLoose(parts: readonly ChatContentPart[]): void {
    this.#start({ role: 'user' }, parts, true);
  }

  /** Appends to the open message; says whether there was one. */
  append(part: ChatContentPart): boolean {
    this.#open?.parts.push(part);
    return this.#open !== undefined;
  }

  #start(head: ChatMessage, parts: readonly ChatContentPart[], waiting: boolean): void {
    this.#open = { head, parts: [...parts] };
    this.#entries.push(this.#open);
    this.#waiting = waiting;
  }

  finish(): ChatMessage[] {
    return this.#entries.map((entry) => replaceLoneSurrogatesOnce(isDraft(entry) ? this.#close(entry) : entry));
  }

  #close({ head, parts }: Draft): ChatMessage {
    const separator = head.role === 'tool' ? '\n\n' : '\n';
    const join = head.role === 'tool' || parts.length === 1 || !this.#textArrays;
    return { ...head, content: join ? joinTexts(parts, separator) : parts };
  }
}

function isDraft(entry: ChatMessage | Draft): entry is Draft {
  return 'parts' in entry;
}

/** Plain texts as one string; parts stay parts as soon as one of them is more than text (R120). */
export function joinTexts(parts: ChatContentPart[], separator: string): string | ChatContentPart[] {
  const texts: string[] = [];
  for (const part of parts) {
    if (part.type !== 'text' || part['cache_control'] !== undefined) return parts;
    texts.push(part.text);
  }
  return texts.join(separator);
}

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
