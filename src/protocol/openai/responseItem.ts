import { asString, isObject, type Json, type JsonObject } from '../../core/json.ts';
import { type HeldBudget, Repetition } from '../bounds.ts';
import type { Citation, ReasoningItem, ToolCallDelta } from '../delta.ts';
import { type HostedSearch, readCitations, readSearch } from './hostedSearch.ts';
import { isWorthCarrying, readReasoningItem } from './reasoningItem.ts';

export type ItemKind = 'message' | 'reasoning' | 'call' | 'search' | 'other';

const KINDS: Readonly<Record<string, ItemKind>> = {
  message: 'message',
  reasoning: 'reasoning',
  function_call: 'call',
  web_search_call: 'search',
};

/**
 * What an item of an answer is here; undefined when it does not say.
 * @param searches whether searches of the web have a meaning
 */
export function kindOf(item: JsonObject, searches: boolean): ItemKind | undefined {
  const type = asString(item['type']);
  if (!type) return undefined;
  const kind = Object.hasOwn(KINDS, type) ? KINDS[type] : 'other';
  return kind === 'search' && !searches ? 'other' : kind;
}

/**
 * The text of one item. It may come in deltas, as whole parts, and with the whole item: each letter is given out once. What came
 * first stands, should the forms differ.
 */
class ItemText {
  readonly #separator: string;
  readonly #held: HeldBudget;
  /** All that has come in order; never cut per delta, as that would copy it each time. */
  #text = '';
  /** The end of it, which was not given out yet. */
  #waiting = '';
  /** The part that grows, and where it begins. */
  #part = 0;
  #partStart = 0;
  /** Texts of parts before which another one is missing. */
  #later: Map<number, string> | undefined;
  #cost = 0;
  /** Whether another form of the text was not what had come before. */
  differs = false;

  /** @param separator between two parts */
  constructor(separator: string, held: HeldBudget) {
    this.#separator = separator;
    this.#held = held;
  }

  /** A piece of a part; of the one that grows where it does not say. */
  add(part: number | undefined, text: string): void {
    if (part === undefined || part === this.#part) {
      this.#grow(text);
    } else if (part === this.#part + 1 && this.#text.length > this.#partStart) {
      this.#beginPart(part);
      this.#grow(text);
    } else if (part > this.#part) {
      this.#later ??= new Map();
      this.#later.set(part, (this.#later.get(part) ?? '') + text);
      this.#cost += this.#held.add(text.length);
    }
  }

  /** A part as a whole, of which pieces may have come. */
  addWhole(part: number | undefined, text: string): void {
    const isNext = part === this.#part + 1 && this.#text.length > this.#partStart;
    if (part === undefined || part === this.#part) {
      this.#complete(this.#partStart, text);
      if (part !== undefined) this.#beginPart(part + 1);
    } else if (isNext) {
      this.#beginPart(part);
      this.addWhole(part, text);
    } else if (part > this.#part && this.#later?.has(part) !== true) {
      this.add(part, text);
    }
  }

  /** The item has ended; '' where its text is not known as a whole. */
  end(whole: string): void {
    const later = this.#later ?? [];
    this.#later = undefined;
    if (whole !== '') {
      this.#complete(0, whole);
      return;
    }
    for (const [part, text] of [...later].sort(([a], [b]) => a - b)) {
      this.#beginPart(part);
      this.#grow(text);
    }
  }

  /** What was not given out yet. */
  take(): string {
    const text = this.#waiting;
    this.#waiting = '';
    return text;
  }

  /** All the text. */
  get whole(): string {
    return this.#text;
  }

  /** It will not be needed any more. */
  release(): void {
    this.#held.release(this.#cost);
    this.#cost = 0;
    this.#text = '';
    this.#waiting = '';
  }

  #beginPart(part: number): void {
    this.#part = part;
    this.#partStart = this.#text.length;
    const kept = this.#later?.get(part);
    if (kept === undefined) return;
    this.#later?.delete(part);
    this.#grow(kept);
  }

  #grow(text: string): void {
    const begins = this.#text.length === this.#partStart && this.#partStart > 0;
    if (begins) this.#partStart += this.#separator.length;
    this.#append(begins ? this.#separator + text : text);
  }

  #append(piece: string): void {
    this.#text += piece;
    this.#waiting += piece;
    this.#cost += this.#held.add(piece.length);
  }

  /** Adds what the text from there on lacks. */
  #complete(start: number, whole: string): void {
    const length = this.#text.length - start;
    // A shorter one is not compared, so that many of them cost no more than their bytes.
    if (length === 0) this.#grow(whole);
    else if (whole.length < length || !whole.startsWith(this.#text.slice(start))) this.differs = true;
    else if (whole.length > length) this.#append(whole.slice(length));
  }
}

/** What an item costs beside its texts, in bytes, as long as the answer runs. */
const ITEM_COST = 2048;

/** How much arguments count for: they are held as text, and parsed and printed in one piece. */
const ARGUMENTS_WEIGHT = 2;

/** Longest id of a call that the provider can get back. */
const CALL_ID_MAX = 64;

/** Greater indices are taken for none. */
const INDEX_MAX = 1_000_000;

/** A place that can be one; undefined for what is missing or absurd. */
export function indexOf(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= INDEX_MAX ? value : undefined;
}

/** What is known of one item of an answer while its events come in. */
export class ResponseItem {
  /** Place among the items of the answer. */
  readonly position: number;
  readonly kind: ItemKind;
  readonly text: ItemText;
  readonly #held: HeldBudget;
  /** Which form of the reasoning is given out: the first that had any text. */
  #form: 'summary' | 'content' | undefined;
  id: string | undefined;
  callId: string | undefined;
  name: string | undefined;
  arguments = '';
  #hasWholeArguments = false;
  #repetition: Repetition | undefined;
  #argumentsCost = 0;
  /** A reasoning item as it came. */
  reasoning: ReasoningItem | undefined;
  #reasoningCost = 0;
  /** A search as it came, and the sources that a message names for its text. */
  search: HostedSearch | undefined;
  citations: readonly Citation[] = [];
  /** Nothing of it can change any more. */
  isDone: boolean;
  /** The provider says that it broke off. */
  isCut = false;
  /** It may be where an answer broke off. */
  mayBeCut = false;

  constructor(position: number, kind: ItemKind, held: HeldBudget) {
    this.position = position;
    this.kind = kind;
    this.#held = held;
    this.text = new ItemText(kind === 'reasoning' ? '\n\n' : '', held);
    // Nothing of it will be written, so that nothing has to wait for it.
    this.isDone = kind === 'other';
    held.add(ITEM_COST);
  }

  /** Learns what identifies the item; what is known already stands. */
  identify(id: string | undefined, item: JsonObject): void {
    if (this.id === undefined && id) this.id = this.#keep(id);
    if (this.kind !== 'call') return;
    const callId = asString(item['call_id']);
    if (this.callId === undefined && callId && callId.length <= CALL_ID_MAX) this.callId = callId;
    const name = asString(item['name'])?.trim();
    if (this.name === undefined && name) this.name = this.#keep(name);
  }

  /** Whether a piece of reasoning in this form is to be given out: the same is often sent as a summary and in full. */
  takesForm(form: 'summary' | 'content'): boolean {
    this.#form ??= form;
    return this.#form === form;
  }

  /** Takes a piece of the arguments; whether the model makes no headway with it. */
  addArguments(piece: string): boolean {
    if (this.#hasWholeArguments || this.isDone) return false;
    this.arguments += piece;
    this.#argumentsCost += this.#held.add(ARGUMENTS_WEIGHT * piece.length);
    this.#repetition ??= new Repetition();
    return this.#repetition.isStuckAfter(piece);
  }

  setArguments(whole: string): void {
    if (whole === '' || this.isDone) return;
    this.#held.release(this.#argumentsCost);
    this.arguments = whole;
    this.#argumentsCost = this.#held.add(ARGUMENTS_WEIGHT * whole.length);
    this.#hasWholeArguments = true;
  }

  /**
   * The item as a whole.
   * @param isIncomplete the answer is known to have been broken off
   */
  complete(item: JsonObject, isIncomplete: boolean): void {
    const status = item['status'];
    this.isCut = status === 'incomplete';
    this.mayBeCut = isIncomplete && status !== 'completed';
    if (this.kind === 'call') this.setArguments(argumentsText(item['arguments']));
    else if (this.kind === 'message') {
      this.text.end(partsText(item['content'], ''));
      this.citations = readCitations(item['content'], this.#held);
    } else if (this.kind === 'search') this.search = readSearch(item, this.#held);
    else this.#completeReasoning(item);
    this.isDone = true;
  }

  /** The answer has ended without the item as a whole. */
  breakOff(isIncomplete: boolean): void {
    this.mayBeCut = isIncomplete;
    this.text.end('');
    this.isDone = true;
  }

  /** The call in one piece. */
  toCall(): ToolCallDelta {
    return {
      kind: 'toolCall',
      index: this.position,
      ...(this.name === undefined ? {} : { name: this.name }),
      ...(this.callId === undefined ? {} : { extra: { call_id: this.callId } }),
      // Nothing of a call that broke off may be used.
      arguments: this.isCut ? '' : this.arguments,
    };
  }

  /** It has been written. */
  release(): void {
    this.text.release();
    this.#held.release(this.#argumentsCost + this.#reasoningCost);
    this.#argumentsCost = 0;
    this.#reasoningCost = 0;
    this.arguments = '';
    this.reasoning = undefined;
  }

  #completeReasoning(item: JsonObject): void {
    const summary = this.#form === 'content' ? '' : partsText(item['summary'], '\n\n');
    this.text.end(summary === '' && this.#form !== 'summary' ? partsText(item['content'], '\n\n') : summary);
    const read = readReasoningItem(item);
    // Some name the words of the reasoning in its events alone.
    const isSpoken = !isWorthCarrying(read) && this.#form === 'content';
    const text = this.text.whole;
    this.reasoning = isSpoken ? { ...read, content: [{ type: 'reasoning_text', text }] } : read;
    this.#reasoningCost = this.#held.add(JSON.stringify(this.reasoning).length);
  }

  #keep(word: string): string {
    this.#held.add(word.length);
    return word;
  }
}

/** Types of items without a meaning here that the log names, and the letters of each. */
const SKIPPED_TYPES_MAX = 8;
export const TYPE_LETTERS_MAX = 100;

/** The items of an answer that are passed over, by their type. */
export class SkippedItems {
  readonly #counts = new Map<string, number>();

  add(given: JsonObject): void {
    const type = (asString(given['type']) ?? '').slice(0, TYPE_LETTERS_MAX);
    const count = this.#counts.get(type) ?? 0;
    if (count > 0 || this.#counts.size < SKIPPED_TYPES_MAX) this.#counts.set(type, count + 1);
  }

  /** For the log; '' where there are none. */
  get note(): string {
    const skipped = [...this.#counts].map(([type, count]) => `${count} ${type}`).join(', ');
    return skipped === '' ? '' : `items without a meaning here: ${skipped}`;
  }
}

/** Items by their ids, which are their own among those of one kind. */
export const createIdMaps = (): Readonly<Record<ItemKind, Map<string, ResponseItem>>> => ({
  message: new Map(),
  reasoning: new Map(),
  call: new Map(),
  search: new Map(),
  other: new Map(),
});

/** The items of each kind in their order, for a list that leaves some out. */
export class OutputPlaces {
  readonly #items: ReadonlyMap<number, ResponseItem>;
  readonly #counts = new Map<ItemKind, number>();
  #sorted: ReadonlyMap<ItemKind | undefined, ResponseItem[]> | undefined;

  constructor(items: ReadonlyMap<number, ResponseItem>) {
    this.#items = items;
  }

  /** The next one of the kind. */
  next(kind: ItemKind): ResponseItem | undefined {
    const count = this.#counts.get(kind) ?? 0;
    this.#counts.set(kind, count + 1);
    this.#sorted ??= Map.groupBy(
      [...this.#items.values()].sort((a, b) => a.position - b.position),
      (item) => item.kind,
    );
    return this.#sorted.get(kind)?.[count];
  }
}

/** Arguments are JSON text; some servers send the object itself. */
function argumentsText(value: Json | undefined): string {
  if (typeof value === 'string') return value;
  return isObject(value) ? JSON.stringify(value) : '';
}

/** The finish reason of an answer that was ended before its end; a word that nobody knows says no more than that. */
export function incompleteReason(details: Json | undefined): string {
  const reason = isObject(details) ? asString(details['reason']) : undefined;
  if (reason === 'max_output_tokens' || reason === 'content_filter') return reason;
  return `incomplete (${reason?.slice(0, TYPE_LETTERS_MAX) ?? 'no reason'})`;
}

/** The text of a content part, of whatever kind. */
export function partText(part: unknown): string {
  if (!isObject(part)) return '';
  return asString(part['text']) || asString(part['refusal']) || '';
}

function partsText(parts: Json | undefined, separator: string): string {
  if (typeof parts === 'string') return parts;
  if (!Array.isArray(parts)) return '';
  return parts
    .map(partText)
    .filter((text) => text !== '')
    .join(separator);
}
