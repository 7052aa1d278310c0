import { replaceLoneSurrogatesOnce } from '../../core/json.ts';
import type { ChatContentPart, ChatMessage } from '../../protocol/openai/types.ts';
import type { QuirkSettings } from '../../quirks/settings.ts';

/** Few enough that they are written in less than a millisecond, and enough that the pauses cost nothing. */
export const MESSAGES_PER_STEP = 16;

/** A user or tool message whose content may still grow. */
interface Draft {
  readonly head: ChatMessage;
  readonly parts: ChatContentPart[];
}

/** Builds the provider's message list from front to back; what an answer has followed never changes. */
export class Conversation {
  readonly #textArrays: boolean;
  readonly #entries: (ChatMessage | Draft)[];
  readonly #wellFormed: WeakSet<object>;
  /** The last user or tool message, as long as it may grow. */
  #open: Draft | undefined;

  /**
   * @param written complete messages that it begins with
   * @param wellFormed values that are known to hold no lone surrogate; what is written joins them
   */
  constructor(content: QuirkSettings['content'], written: readonly ChatMessage[], wellFormed: WeakSet<object>) {
    this.#textArrays = content === 'parts';
    this.#entries = [...written];
    this.#wellFormed = wellFormed;
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

  /** Adds a message that is complete. */
  add(message: ChatMessage): void {
    this.#open = undefined;
    this.#entries.push(message);
  }

  /** Adds what the user says: to the message that is open when that is the user's, as many chat templates want roles to alternate. */
  addUser(parts: readonly ChatContentPart[]): void {
    if (this.#open?.head.role !== 'user') this.start({ role: 'user' }, parts);
    else for (const part of parts) this.#open.parts.push(part);
  }

  /** Appends to the open message; says whether there was one. */
  append(part: ChatContentPart): boolean {
    this.#open?.parts.push(part);
    return this.#open !== undefined;
  }

  /** Begins a message that may grow. */
  start(head: ChatMessage, parts: readonly ChatContentPart[]): void {
    this.#open = { head, parts: [...parts] };
    this.#entries.push(this.#open);
  }

  /** All messages, with pauses. */
  *finish(): Generator<void, ChatMessage[]> {
    const messages: ChatMessage[] = [];
    for (const entry of this.#entries) {
      messages.push(replaceLoneSurrogatesOnce(isDraft(entry) ? this.#close(entry) : entry, this.#wellFormed));
      if (messages.length % MESSAGES_PER_STEP === 0) yield;
    }
    return messages;
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

/** Plain texts as one string; parts stay parts as soon as one of them is more than text. */
export function joinTexts(parts: ChatContentPart[], separator: string): string | ChatContentPart[] {
  const texts: string[] = [];
  for (const part of parts) {
    if (part.type !== 'text' || part['cache_control'] !== undefined) return parts;
    texts.push(part.text);
  }
  return texts.join(separator);
}
