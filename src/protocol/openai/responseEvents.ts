import { ApiError } from '../../core/errors.ts';
import { asString, isObject, type Json, type JsonObject } from '../../core/json.ts';
import { HeldBudget, heldTooMuch, stuckIn } from '../bounds.ts';
import type { Delta } from '../delta.ts';
import { isErrorBody, readErrorBody, type UpstreamErrorBody, withStatus } from './errors.ts';
import { SearchResults } from './hostedSearch.ts';
import {
  createIdMaps,
  type ItemKind,
  incompleteReason,
  indexOf,
  kindOf,
  OutputPlaces,
  partText,
  ResponseItem,
  SkippedItems,
  TYPE_LETTERS_MAX,
} from './responseItem.ts';
import { readUsage } from './tokenUsage.ts';

const NOTHING: JsonObject = {};

/** Where the text of a message goes on. */
interface TextPlace {
  readonly item: ResponseItem;
  readonly part: number | undefined;
}

/**
 * Reads the events of the Responses API, and whole responses, into deltas. An answer is a list of items of which several may come at the
 * same time, each in up to four forms: pieces, whole parts, the whole item, the whole response at the end. Any one of them is enough,
 * and the deltas come in the order of the list: what belongs to a later item waits until the one before it is done.
 */
export class ResponseEventReader {
  readonly #emit: (delta: Delta) => void;
  readonly #toApiError: (error: UpstreamErrorBody) => ApiError;
  readonly #held = new HeldBudget();
  readonly #items = new Map<number, ResponseItem>();
  /** By the id of the item and by that of its call; of several the first. */
  readonly #byId = createIdMaps();
  readonly #newest = new Map<ItemKind, ResponseItem>();
  /** The item that is being written, and the first place behind all of them. */
  #current = 0;
  #next = 0;
  #hasIndices = false;
  readonly #skipped = new SkippedItems();
  /** Undefined where nobody searches the web. */
  readonly #searches: SearchResults | undefined;
  #hasEnded = false;
  /** Of the text that came last, and of the text that `continueText` goes on with. */
  #lastPlace: TextPlace | undefined;
  #textPlace: TextPlace | undefined;

  /** @param searches whether the provider may search the web for this answer */
  constructor(emit: (delta: Delta) => void, toApiError: (error: UpstreamErrorBody) => ApiError, searches = false) {
    this.#emit = emit;
    this.#toApiError = toApiError;
    this.#searches = searches ? new SearchResults(emit) : undefined;
  }

  /** @param name of the event, where its data does not say it */
  read(event: JsonObject, name?: string): void {
    if (this.#hasEnded) return;
    this.#readEvent(asString(event['type']) || name, event);
    if (this.#held.isExceeded) this.#fail(heldTooMuch());
  }

  /** A response that came as one JSON body, or an error in spite of its status 200. */
  readWhole(body: JsonObject): void {
    if (Array.isArray(body['output']) || asString(body['status'])) this.#readResponse(body, undefined);
    else if (isErrorBody(body)) this.#failBy(body);
    else this.#fail(new ApiError('bad_gateway', 'the provider answered with neither output nor an error'));
  }

  /** From now on `continueText` means the text that was read last. */
  rememberText(): void {
    this.#textPlace = this.#lastPlace;
  }

  /** Goes on with the text that was remembered, the shortcut for the most frequent event; false where it may belong elsewhere by now. */
  continueText(text: string): boolean {
    if (this.#textPlace === undefined) return false;
    if (text !== '' && !this.#hasEnded) this.#addText(this.#textPlace.item, this.#textPlace.part, text);
    if (this.#held.isExceeded) this.#fail(heldTooMuch());
    return true;
  }

  /** The body has ended without a last event; some gateways send none, and then all items being done means that all is said. */
  endWithout(): void {
    const isAllDone = this.#next > 0 && this.#current === this.#next;
    if (isAllDone && !this.#hasEnded) this.#end('completed');
  }

  #readEvent(type: string | undefined, event: JsonObject): void {
    switch (type) {
      case 'response.output_item.added':
        this.#itemOf(event, event['item'], true);
        break;
      case 'response.output_item.done': {
        const given = event['item'];
        const item = this.#itemOf(event, given, false);
        if (item !== undefined && isObject(given)) this.#complete(item, given, false);
        break;
      }
      case 'response.output_text.delta':
      case 'response.refusal.delta':
        this.#readText(event, asString(event['delta']));
        break;
      case 'response.output_text.done':
        this.#readWholePart(event, asString(event['text']));
        break;
      case 'response.refusal.done':
        this.#readWholePart(event, asString(event['refusal']));
        break;
      case 'response.content_part.done':
        this.#readContentPart(event, event['part']);
        break;
      case 'response.reasoning_summary_text.delta':
        this.#readReasoning('summary', event, asString(event['delta']), false);
        break;
      case 'response.reasoning_text.delta':
        this.#readReasoning('content', event, asString(event['delta']), false);
        break;
      case 'response.reasoning_summary_text.done':
        this.#readReasoning('summary', event, asString(event['text']), true);
        break;
      case 'response.reasoning_summary_part.done':
        this.#readReasoning('summary', event, partText(event['part']), true);
        break;
      case 'response.reasoning_text.done':
        this.#readReasoning('content', event, asString(event['text']), true);
        break;
      case 'response.function_call_arguments.delta':
        this.#readArguments(event);
        break;
      case 'response.function_call_arguments.done':
        this.#find(event, 'call', event, false).setArguments(asString(event['arguments']) ?? '');
        break;
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
      case 'response.cancelled': {
        const response = event['response'];
        this.#readResponse(isObject(response) ? response : NOTHING, type.slice('response.'.length));
        break;
      }
      case 'error':
        this.#failBy(event);
        break;
      case undefined:
        if (isErrorBody(event)) this.#failBy(event);
        else if (Array.isArray(event['output'])) this.#readResponse(event, undefined);
    }
  }

  #readArguments(event: JsonObject): void {
    const item = this.#find(event, 'call', NOTHING, false);
    if (item.addArguments(asString(event['delta']) ?? '')) this.#fail(stuckIn('the arguments of a tool call'));
  }

  #readText(event: JsonObject, text: string | undefined): void {
    if (!text) return;
    const item = this.#find(event, 'message', NOTHING, false);
    const part = indexOf(event['content_index']);
    this.#lastPlace = { item, part };
    this.#addText(item, part, text);
  }

  #readContentPart(event: JsonObject, part: Json | undefined): void {
    const type = isObject(part) ? part['type'] : undefined;
    if (type === 'reasoning_text') this.#readReasoning('content', event, partText(part), true);
    else if (type === 'output_text' || type === 'refusal') this.#readWholePart(event, partText(part));
  }

  #readReasoning(form: 'summary' | 'content', event: JsonObject, text: string | undefined, isWhole: boolean): void {
    if (!text) return;
    const item = this.#find(event, 'reasoning', NOTHING, false);
    if (item.isDone || !item.takesForm(form)) return;
    const part = indexOf(event[form === 'summary' ? 'summary_index' : 'content_index']);
    if (isWhole) item.text.addWhole(part, text);
    else item.text.add(part, text);
    this.#writeText(item);
  }

  #readWholePart(event: JsonObject, text: string | undefined): void {
    if (!text) return;
    const item = this.#find(event, 'message', NOTHING, false);
    if (item.isDone) return;
    item.text.addWhole(indexOf(event['content_index']), text);
    this.#writeText(item);
  }

  #addText(item: ResponseItem, part: number | undefined, text: string): void {
    if (item.isDone) return;
    item.text.add(part, text);
    this.#writeText(item);
  }

  /** The item that an event brings with it; undefined where it brings none. */
  #itemOf(event: JsonObject, given: Json | undefined, isNew: boolean): ResponseItem | undefined {
    if (!isObject(given)) return undefined;
    const kind =
      kindOf(given, this.#searches !== undefined) ?? this.#items.get(indexOf(event['output_index']) ?? -1)?.kind;
    return kind === undefined ? undefined : this.#find(event, kind, given, isNew);
  }

  /**
   * The item that an event belongs to: by its place, else by its id, else the newest of its kind. An item that nobody has announced is
   * begun. Some servers change an item's id from event to event, so that the place comes first.
   */
  #find(event: JsonObject, kind: ItemKind, given: JsonObject, isNew: boolean): ResponseItem {
    const index = indexOf(event['output_index']);
    this.#hasIndices ||= index !== undefined;
    const id = asString(event['item_id']) || asString(given['id']) || undefined;
    const found = this.#known(index, kind, id, given, isNew) ?? this.#begin(index, kind, given);
    this.#identify(found, id, given);
    return found;
  }

  #known(
    index: number | undefined,
    kind: ItemKind,
    id: string | undefined,
    given: JsonObject,
    isNew: boolean,
  ): ResponseItem | undefined {
    const placed = index === undefined ? undefined : this.#items.get(index);
    if (index !== undefined && placed === undefined) return undefined;
    const named = this.#named(id, given, kind);
    // Some servers give each item the same place.
    const isOther = placed?.isDone === true && id !== undefined && id !== placed.id && (isNew || named !== undefined);
    if (placed?.kind === kind && !isOther) return placed;
    if (named !== undefined || isNew) return named;
    return id === undefined || placed !== undefined ? this.#newest.get(kind) : undefined;
  }

  /** By the id of the item, else by that of its call, which some give to several calls. */
  #named(id: string | undefined, given: JsonObject, kind: ItemKind): ResponseItem | undefined {
    const known = this.#byId[kind];
    const item = known.get(id ?? '');
    if (item !== undefined) return item;
    const called = known.get(asString(given['call_id']) ?? '');
    return id === undefined || called?.id === undefined ? called : undefined;
  }

  #begin(index: number | undefined, kind: ItemKind, given: JsonObject): ResponseItem {
    const position = index === undefined || this.#items.has(index) ? this.#next : index;
    this.#textPlace = undefined;
    const item = new ResponseItem(position, kind, this.#held);
    this.#items.set(position, item);
    this.#next = Math.max(this.#next, position + 1);
    this.#newest.set(kind, item);
    if (kind === 'other') this.#skipped.add(given);
    if (item.isDone) this.#advance();
    return item;
  }

  #identify(item: ResponseItem, id: string | undefined, given: JsonObject): void {
    item.identify(id, given);
    const known = this.#byId[item.kind];
    for (const name of [item.id === id ? id : undefined, item.callId]) {
      if (name === undefined || known.has(name)) continue;
      known.set(name, item);
      this.#textPlace = undefined;
    }
  }

  #complete(item: ResponseItem, given: JsonObject, isIncomplete: boolean): void {
    if (item.isDone) return;
    this.#textPlace = undefined;
    this.#identify(item, asString(given['id']), given);
    item.complete(given, isIncomplete);
    if (!this.#held.isExceeded) this.#advance();
  }

  #writeText(item: ResponseItem): void {
    if (item.position !== this.#current) return;
    const searches = item.kind === 'message' && this.#searches?.isWaiting ? this.#searches : undefined;
    // Its citations name what the searches have found, which stands before it.
    if (searches !== undefined && !item.isDone) return;
    const text = item.text.take();
    if (text === '') return;
    searches?.write(item.citations);
    this.#emit({ kind: item.kind === 'reasoning' ? 'thinking' : 'text', text });
  }

  /** Writes what is done, and what there is of the first item that is not. */
  #advance(): void {
    for (;;) {
      const item = this.#items.get(this.#current);
      if (item === undefined) return;
      this.#writeText(item);
      if (!item.isDone) return;
      this.#writeEnd(item);
      this.#current += 1;
    }
  }

  #writeEnd(item: ResponseItem): void {
    if (item.kind === 'other') return;
    if (item.kind === 'call') this.#emit(item.toCall());
    if (item.search !== undefined) this.#searches?.begin(item.search);
    if (item.text.differs) this.#emit({ kind: 'note', note: 'a text that was repeated differed' });
    const { reasoning, citations } = item;
    this.#emit({
      kind: 'itemEnd',
      isCut: item.isCut || item.mayBeCut,
      ...(reasoning === undefined ? {} : { reasoning }),
      ...(citations.length === 0 || this.#searches === undefined ? {} : { citations }),
    });
    item.release();
  }

  /**
   * The response as a whole, at its end.
   * @param eventStatus what the name of the event says about it
   */
  #readResponse(response: JsonObject, eventStatus: string | undefined): void {
    const status = asString(response['status']) || eventStatus;
    if (status === 'failed' || status === 'cancelled' || isErrorBody(response)) {
      const error = response['error'];
      this.#failBy({ error: isObject(error) || typeof error === 'string' ? error : {} });
      return;
    }
    const isIncomplete = status === 'incomplete';
    const output = response['output'];
    if (Array.isArray(output)) this.#readOutput(output, isIncomplete);
    if (this.#held.isExceeded) {
      this.#fail(heldTooMuch());
      return;
    }
    this.#writeRest(isIncomplete);
    const usage = readUsage(response['usage']);
    if (usage !== undefined) this.#emit({ kind: 'usage', usage });
    if (isIncomplete) {
      this.#end(incompleteReason(response['incomplete_details']));
    } else if (status === 'completed') {
      this.#end(status);
    } else if (this.#next > 0) {
      this.#emit({
        kind: 'note',
        note: `an answer with the status ${status?.slice(0, TYPE_LETTERS_MAX) ?? 'undefined'}`,
      });
      this.#end('completed');
    } else {
      this.#fail(new ApiError('overloaded', 'the provider ended its answer before it had begun'));
    }
  }

  /** What the events have left out. */
  #readOutput(output: readonly Json[], isIncomplete: boolean): void {
    const places = new OutputPlaces(this.#items);
    const listed = new Set<ResponseItem>();
    for (const [index, given] of output.entries()) {
      const kind = isObject(given) ? kindOf(given, this.#searches !== undefined) : undefined;
      if (!isObject(given) || kind === undefined || this.#held.isExceeded) continue;
      const counted = this.#items.size === 0 ? undefined : places.next(kind);
      const placed = this.#items.get(index);
      const known =
        (placed?.kind === kind ? placed : undefined) ??
        this.#named(asString(given['id']), given, kind) ??
        // Some leave items out of the list, so that the others move up in it.
        (placed !== undefined || !this.#hasIndices ? counted : undefined);
      const item = known === undefined || listed.has(known) ? this.#begin(index, kind, given) : known;
      listed.add(item);
      this.#complete(item, given, isIncomplete);
    }
  }

  /** Nothing more will come of any item. */
  #writeRest(isIncomplete: boolean): void {
    const rest = [...this.#items.values()].filter(({ position }) => position >= this.#current);
    for (const item of rest.sort((a, b) => a.position - b.position)) {
      if (!item.isDone) item.breakOff(isIncomplete);
      this.#current = item.position;
      this.#writeText(item);
      this.#writeEnd(item);
    }
    this.#current = this.#next;
  }

  #end(reason: string): void {
    this.#searches?.write([]);
    if (this.#skipped.note !== '') this.#emit({ kind: 'note', note: this.#skipped.note });
    this.#emit({ kind: 'finish', reason });
    this.#hasEnded = true;
    this.#emit({ kind: 'end' });
  }

  #failBy(body: JsonObject): void {
    this.#fail(this.#toApiError(withStatus(readErrorBody(body))));
  }

  #fail(error: ApiError): void {
    this.#hasEnded = true;
    this.#emit({ kind: 'error', error });
  }
}
