import { ApiError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { type HeldBudget, Repetition } from '../../protocol/bounds.ts';
import { encodeCallFields, type ToolCallDelta } from '../../protocol/delta.ts';
import type { ContentBlocks } from './blocks.ts';
import { addNote, type OutcomeRecord, type ResponseContext } from './context.ts';
import { RepairBudget, repairBySchema, ToolArguments } from './toolArguments.ts';

/** Letters of a tool's name; no API takes a tenth of it. */
const NAME_MAX = 1000;

/** What is known of one call while its pieces come in. */
class Call {
  /** Place among the calls of the answer. */
  readonly position: number;
  readonly arguments: ToolArguments;
  id: string | undefined;
  name: string | undefined;
  fields: JsonObject | undefined;
  readonly repetition = new Repetition();

  constructor(position: number, toolArguments: ToolArguments) {
    this.position = position;
    this.arguments = toolArguments;
  }

  /** Whether a piece with this call's index begins another call: this one is complete, or the piece has another id and name. */
  isFollowedBy(delta: ToolCallDelta): boolean {
    if (delta.name === undefined || this.name === undefined) return false;
    if (delta.id !== undefined && this.id !== undefined) {
      if (delta.id === this.id) return false;
      return this.arguments.whole || (this.arguments.empty && delta.name !== this.name);
    }
    return this.arguments.whole && delta.arguments.trimStart().startsWith('{');
  }
}

/**
 * Finds the call that a piece belongs to. Providers leave out index, id or name, repeat them, or give every call the
 * index 0: so the index decides, unless the piece shows that it begins another call; without an index the id does, then
 * the name, then the order. Of several calls that fit it is the last.
 */
class CallRouter {
  readonly #continuesName: (call: Call, piece: string) => boolean;
  readonly #byIndex = new Map<number, Call>();
  /** By their place among the calls. */
  readonly #withoutIndex = new Map<number, Call>();
  readonly #byId = new Map<string, Call>();
  /** In their order; those that have got an id since are left out when they are met. */
  readonly #withoutId: Call[] = [];
  #last: Call | undefined;

  /** @param continuesName whether a name is the next piece of the call's own */
  constructor(continuesName: (call: Call, piece: string) => boolean) {
    this.#continuesName = continuesName;
  }

  /** Undefined when the piece begins a new call. */
  find(delta: ToolCallDelta): Call | undefined {
    if (delta.index !== undefined) {
      const call = this.#byIndex.get(delta.index) ?? this.#withoutIndexYet(delta, delta.index);
      return call?.isFollowedBy(delta) === true ? undefined : call;
    }
    if (delta.id !== undefined) {
      const call = this.#byId.get(delta.id);
      return call !== undefined || delta.name !== undefined ? call : this.#lastWithoutId();
    }
    const last = this.#last;
    if (delta.name === undefined || (last !== undefined && this.#continuesName(last, delta.name))) return last;
    const repeatsName = last?.name === delta.name && !last.arguments.empty && !last.arguments.whole;
    return repeatsName ? last : undefined;
  }

  /** The call that began without the index under which it goes on: by its id, else by its place among the calls. */
  #withoutIndexYet(delta: ToolCallDelta, index: number): Call | undefined {
    const isNew = delta.id === undefined && delta.name !== undefined;
    if (this.#withoutIndex.size === 0 || isNew) return undefined;
    const call = delta.id === undefined ? this.#withoutIndex.get(index) : this.#byId.get(delta.id);
    if (call === undefined || !this.#withoutIndex.delete(call.position)) return undefined;
    this.#byIndex.set(index, call);
    return call;
  }

  add(call: Call, index: number | undefined): void {
    this.#last = call;
    if (index === undefined) this.#withoutIndex.set(call.position, call);
    else this.#byIndex.set(index, call);
    this.#withoutId.push(call);
  }

  setId(call: Call, id: string): void {
    call.id = id;
    const known = this.#byId.get(id);
    if (known === undefined || known.position < call.position) this.#byId.set(id, call);
  }

  #lastWithoutId(): Call | undefined {
    while (this.#withoutId.at(-1)?.id !== undefined) this.#withoutId.pop();
    return this.#withoutId.at(-1);
  }
}

/** What a call costs beside its arguments, in bytes, as long as the answer runs. */
const CALL_COST = 512;

/**
 * The tool calls of one answer, in the order of their first appearance. The arguments of one call are written as they
 * come; the others wait until it is complete. A block begins when the name is known and there is
 * something to write, so a call that is held until it is complete never reaches the client half.
 */
export class ToolCalls {
  readonly #context: ResponseContext;
  readonly #blocks: ContentBlocks;
  readonly #outcome: OutcomeRecord;
  readonly #held: HeldBudget;
  readonly #repairs = new RepairBudget();
  readonly #router = new CallRouter((call, piece) => this.#continuesName(call, piece));
  readonly #calls: Call[] = [];
  /** Calls before this one are written and closed; it may be open itself. */
  #current = 0;
  #currentOpen = false;
  /** The arguments of a call were cut off; its block, if it has one, is still open unless another one followed. */
  unfinished = false;
  /** The model makes no headway in a call's arguments. */
  stuck = false;

  constructor(context: ResponseContext, blocks: ContentBlocks, outcome: OutcomeRecord, held: HeldBudget) {
    this.#context = context;
    this.#blocks = blocks;
    this.#outcome = outcome;
    this.#held = held;
  }

  /** There are calls, and the arguments of each are complete as they stand. */
  get whole(): boolean {
    return this.some && this.#calls.every((call) => call.arguments.whole);
  }

  get some(): boolean {
    return this.#calls.length > 0;
  }

  /** Takes a piece of a call. Throws an ApiError for a name that no tool has. */
  push(delta: ToolCallDelta): void {
    if (delta.name !== undefined && delta.name.length > NAME_MAX) {
      throw new ApiError('bad_gateway', `the provider gave a tool a name of more than ${NAME_MAX} letters`);
    }
    const call = this.#router.find(delta) ?? this.#begin(delta.index);
    if (call.id === undefined && delta.id !== undefined) this.#router.setId(call, delta.id);
    if (call.name === undefined) call.name = delta.name;
    else if (delta.name !== undefined && this.#continuesName(call, delta.name)) call.name += delta.name;
    call.fields = delta.extra ?? call.fields;
    call.arguments.push(delta.arguments);
    this.stuck ||= call.repetition.isStuckAfter(delta.arguments);
    this.#advance();
  }

  /** The answer is over: writes what is left, in order. */
  finish(cutOff: boolean): void {
    for (; this.#current < this.#calls.length; this.#current += 1) {
      const call = this.#calls[this.#current];
      if (call !== undefined) this.#complete(call, cutOff);
      this.#currentOpen = false;
    }
  }

  /** Some cut names, too: into pieces of which none is an offered tool, but all of them together are the beginning of one. */
  #continuesName(call: Call, piece: string): boolean {
    if (call.name === undefined || !call.arguments.empty) return false;
    const { offeredTools, toolNames } = this.#context;
    const offered = [...offeredTools.keys()].map((name) => toolNames.toProvider(name));
    const joined = call.name + piece;
    return !offered.includes(call.name) && !offered.includes(piece) && offered.some((name) => name.startsWith(joined));
  }

  #begin(index: number | undefined): Call {
    const { settings, protocol } = this.#context;
    this.#held.add(CALL_COST);
    // A call that comes whole can be repaired before it is written.
    const isLive = settings.toolArgs === 'live' && protocol === 'chat';
    const call = new Call(
      this.#calls.length,
      new ToolArguments(isLive, settings.argsCumulative, this.#held, this.#repairs),
    );
    this.#calls.push(call);
    this.#router.add(call, index);
    return call;
  }

  #advance(): void {
    for (;;) {
      const call = this.#calls[this.#current];
      if (call?.name === undefined || !call.arguments.begun) return;
      if (!this.#currentOpen) this.#open(call, call.name);
      const text = call.arguments.take();
      if (text !== '') this.#blocks.append(text);
      if (!call.arguments.closed || this.#current + 1 === this.#calls.length) return;
      this.#complete(call, false);
      this.#current += 1;
      this.#currentOpen = false;
    }
  }

  #open(call: Call, name: string): void {
    const { createToolId, toolNames, provider } = this.#context;
    const fields = call.fields === undefined ? {} : encodeCallFields(provider, call.fields);
    this.#blocks.openTool(createToolId(), toolNames.toClient(name), fields);
    this.#currentOpen = true;
  }

  #complete(call: Call, cutOff: boolean): void {
    const name = call.name ?? this.#onlyTool();
    if (name === undefined) {
      addNote(this.#outcome, 'a tool call without a name was dropped');
      return;
    }
    const repairInput = (input: JsonObject) => this.#repairInput(name, input);
    const { text, unfinished, note } = call.arguments.finish(cutOff, repairInput);
    this.unfinished ||= unfinished;
    if (note !== undefined) addNote(this.#outcome, note);
    // A half call that nobody has seen yet is better not seen at all.
    if (unfinished && !this.#currentOpen) return;
    if (!this.#currentOpen) this.#open(call, name);
    this.#blocks.append(text);
    if (!unfinished) this.#blocks.close();
  }

  /** The name that a nameless call must have when only one tool was offered. */
  #onlyTool(): string | undefined {
    const { offeredTools } = this.#context;
    return offeredTools.size === 1 ? offeredTools.keys().next().value : undefined;
  }

  #repairInput(name: string, input: JsonObject): JsonObject {
    const clientName = this.#context.toolNames.toClient(name);
    const schema = this.#context.offeredTools.get(clientName)?.schema;
    return schema === undefined ? input : repairBySchema(clientName, input, schema);
  }
}
