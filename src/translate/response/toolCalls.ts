import type { JsonObject } from '../../core/json.ts';
import { encodeCallFields, type ToolCallDelta } from '../../protocol/delta.ts';
import type { ContentBlocks } from './blocks.ts';
import { addNote, type OutcomeRecord, type ResponseContext } from './context.ts';
import { repairBySchema, ToolArguments } from './toolArguments.ts';

/** What is known of one call while its pieces come in. */
export interface RoutedCall {
  readonly index: number | undefined;
  id: string | undefined;
  name: string | undefined;
  readonly arguments: { readonly empty: boolean; readonly whole: boolean };
}

/**
 * The call that a piece belongs to, undefined when it begins a new one (R310). Providers leave out index, id or name,
 * repeat them, or give every call the index 0: so the index decides, unless the piece shows that it begins another
 * call; without an index the id does, then the name, then the order.
 */
export function routeCall<C extends RoutedCall>(calls: readonly C[], delta: ToolCallDelta): C | undefined {
  if (delta.index !== undefined) {
    const call = calls.findLast((one) => one.index === delta.index);
    return call !== undefined && beginsAnother(call, delta) ? undefined : call;
  }
  if (delta.id !== undefined) {
    const call = calls.findLast((one) => one.id === delta.id);
    return call !== undefined || delta.name !== undefined ? call : calls.findLast((one) => one.id === undefined);
  }
  const last = calls.at(-1);
  if (delta.name === undefined) return last;
  const repeatsName = last?.name === delta.name && !last.arguments.empty && !last.arguments.whole;
  return repeatsName ? last : undefined;
}

/** A piece with the index of a call that is complete, and with a name, and not with its id. */
function beginsAnother(call: RoutedCall, delta: ToolCallDelta): boolean {
  if (delta.name === undefined || call.name === undefined) return false;
  if (delta.id !== undefined && call.id !== undefined) {
    if (delta.id === call.id) return false;
    return call.arguments.whole || (call.arguments.empty && delta.name !== call.name);
  }
  return call.arguments.whole && delta.arguments.trimStart().startsWith('{');
}

const BLANKS_MAX = 500;
const REPEATS_MAX = 200;

/**
 * Notices a model that is stuck while it writes arguments (R327): endless blanks, or the same piece again and again.
 */
export class RunawayGuard {
  #blanks = 0;
  #repeats = 0;
  #last = '';

  /** Takes the next piece; true when it is enough. */
  push(piece: string): boolean {
    if (piece === '') return false;
    this.#blanks = piece.trim() === '' ? this.#blanks + piece.length : 0;
    this.#repeats = piece === this.#last ? this.#repeats + 1 : 1;
    this.#last = piece;
    return this.#blanks > BLANKS_MAX || this.#repeats >= REPEATS_MAX;
  }
}

class Call implements RoutedCall {
  readonly index: number | undefined;
  readonly arguments: ToolArguments;
  readonly guard = new RunawayGuard();
  id: string | undefined;
  name: string | undefined;
  fields: JsonObject | undefined;

  constructor(index: number | undefined, toolArguments: ToolArguments) {
    this.index = index;
    this.arguments = toolArguments;
  }
}

/**
 * The tool calls of one answer, in the order of their first appearance. The arguments of one call are written as they
 * come; the others wait until it is complete (R308). A block begins when the name is known (R309) and there is
 * something to write, so a call that is held until it is complete never reaches the client half (R329).
 */
export class ToolCalls {
  readonly #context: ResponseContext;
  readonly #blocks: ContentBlocks;
  readonly #outcome: OutcomeRecord;
  readonly #calls: Call[] = [];
  /** Calls before this one are written and closed; it may be open itself. */
  #current = 0;
  #currentOpen = false;
  #unfinished = false;
  #stuck = false;

  constructor(context: ResponseContext, blocks: ContentBlocks, outcome: OutcomeRecord) {
    this.#context = context;
    this.#blocks = blocks;
    this.#outcome = outcome;
  }

  /** The last call's arguments never became complete (R203). */
  get unfinished(): boolean {
    return this.#unfinished;
  }

  /** The model makes no headway in a call's arguments (R327). */
  get stuck(): boolean {
    return this.#stuck;
  }

  /** There are calls, and the arguments of each are complete as they stand (R316). */
  get whole(): boolean {
    return this.#calls.length > 0 && this.#calls.every((call) => call.arguments.whole);
  }

  get some(): boolean {
    return this.#calls.length > 0;
  }

  /** Takes a piece of a call. */
  push(delta: ToolCallDelta): void {
    const call = routeCall(this.#calls, delta) ?? this.#begin(delta);
    call.id ??= delta.id;
    call.name ??= delta.name;
    call.fields = delta.extra ?? call.fields;
    call.arguments.push(delta.arguments);
    this.#stuck ||= call.guard.push(delta.arguments);
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

  #begin(delta: ToolCallDelta): Call {
    const { toolArgs, argsCumulative } = this.#context.settings;
    const call = new Call(delta.index, new ToolArguments(toolArgs === 'live', argsCumulative));
    this.#calls.push(call);
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
    const { createToolId: mintToolId, toolNames, provider } = this.#context;
    const fields = call.fields === undefined ? {} : encodeCallFields(provider, call.fields);
    this.#blocks.openTool(mintToolId(), toolNames.toClient(name), fields);
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
    this.#unfinished = unfinished;
    if (note !== undefined) addNote(this.#outcome, note);
    // A half call that nobody has seen yet is better not seen at all.
    if (unfinished && !this.#currentOpen) return;
    if (!this.#currentOpen) this.#open(call, name);
    this.#blocks.append(text);
    this.#blocks.close();
  }

  /** The name that a nameless call must have when only one tool was offered (R309). */
  #onlyTool(): string | undefined {
    const names = [...this.#context.offeredTools.keys()];
    return names.length === 1 ? names[0] : undefined;
  }

  #repairInput(name: string, input: JsonObject): JsonObject {
    const clientName = this.#context.toolNames.toClient(name);
    const schema = this.#context.offeredTools.get(clientName);
    return schema === undefined ? input : repairBySchema(clientName, input, schema);
  }
}
