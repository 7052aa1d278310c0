import { type JsonObject, replaceLoneSurrogatesOnce } from '../../core/json.ts';
import type { RequestMessage } from '../../protocol/anthropic/request.ts';
import type { ChatContentPart } from '../../protocol/openai/types.ts';
import type { Context } from './context.ts';

/** The call that a result answers, in the provider's words. */
export interface AnsweredCall {
  readonly id: string;
  readonly name: string;
}

/** What the pieces of a conversation look like in one of OpenAI's APIs; all else about a conversation is the same in both. */
export interface ConversationForm<Item extends JsonObject> {
  /** An answer of the model; empty when it has nothing to send. */
  answer(message: RequestMessage, context: Context): readonly Item[];
  user(parts: ChatContentPart[]): Item;
  result(call: AnsweredCall, parts: ChatContentPart[]): Item;
  system(role: 'system' | 'developer', text: string): Item;
  /** Whether what users say in a row becomes one message, as many chat templates want roles to alternate. */
  readonly joinsUsers: boolean;
}

/** What a user says, or the result of a call: its content may still grow. */
interface Draft {
  /** Undefined for what a user says. */
  readonly call: AnsweredCall | undefined;
  readonly parts: ChatContentPart[];
}

/** Builds the provider's list of messages or items from front to back; what an answer has followed never changes. */
export class Conversation<Item extends JsonObject> {
  readonly #form: ConversationForm<Item>;
  /** Those that are complete. */
  readonly #entries: Item[];
  readonly #wellFormed: WeakSet<object>;
  /** The last entry, as long as it may grow. */
  #open: Draft | undefined;
  endsWithAnswer = false;

  /**
   * @param written complete entries that it begins with
   * @param wellFormed values that are known to hold no lone surrogate; what is written joins them
   */
  constructor(form: ConversationForm<Item>, written: readonly Item[], wellFormed: WeakSet<object>) {
    this.#form = form;
    this.#entries = [...written];
    this.#wellFormed = wellFormed;
  }

  /** Entries so far. */
  get size(): number {
    return this.#entries.length + (this.#open === undefined ? 0 : 1);
  }

  /** What may grow; undefined after an answer, a system message and at the start. */
  get open(): 'user' | 'result' | undefined {
    if (this.#open === undefined) return undefined;
    return this.#open.call === undefined ? 'user' : 'result';
  }

  addAnswer(items: readonly Item[]): void {
    this.#close();
    for (const item of items) this.#add(item);
    this.endsWithAnswer = true;
  }

  addSystem(role: 'system' | 'developer', text: string): void {
    this.#close();
    this.#add(this.#form.system(role, text));
    this.endsWithAnswer = false;
  }

  /** Adds what the user says: to what is open when that is the user's, where that is the form. */
  addUser(parts: readonly ChatContentPart[]): void {
    if (this.open !== 'user' || !this.#form.joinsUsers) this.#start({ call: undefined, parts: [...parts] });
    else for (const part of parts) this.#open?.parts.push(part);
  }

  addResult(call: AnsweredCall, parts: readonly ChatContentPart[]): void {
    this.#start({ call, parts: [...parts] });
  }

  /** Appends to what is open; says whether there was anything. */
  append(part: ChatContentPart): boolean {
    this.#open?.parts.push(part);
    return this.#open !== undefined;
  }

  #start(draft: Draft): void {
    this.#close();
    this.#open = draft;
    this.endsWithAnswer = false;
  }

  finish(): Item[] {
    this.#close();
    return this.#entries;
  }

  #add(item: Item): void {
    this.#entries.push(replaceLoneSurrogatesOnce(item, this.#wellFormed));
  }

  /** Writes what is open, if anything is: at once and not at the end, so that a long conversation is written piece by piece. */
  #close(): void {
    if (this.#open === undefined) return;
    const { call, parts } = this.#open;
    this.#open = undefined;
    this.#add(call === undefined ? this.#form.user(parts) : this.#form.result(call, parts));
  }
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
