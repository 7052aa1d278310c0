import type { JsonObject } from '../../core/json.ts';
import { encodeCallFields, type ToolCallDelta } from '../../protocol/delta.ts';
import type { Blocks } from './blocks.ts';
import { type RoutedCall, routeCall } from './callRouter.ts';
import { addNote, type OutcomeRecord } from './outcome.ts';
import type { ResponseContext } from './responseContext.ts';
import { RunawayGuard } from './runawayGuard.ts';
import { repairBySchema } from './schemaRepair.ts';
import { ToolArguments } from './toolArguments.ts';

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
  readonly #blocks: Blocks;
  readonly #outcome: OutcomeRecord;
  readonly #calls: Call[] = [];
  /** Calls before this one are written and closed; it may be open itself. */
  #current = 0;
  #currentOpen = false;
  #unfinished = false;
  #stuck = false;

  constructor(context: ResponseContext, blocks: Blocks, outcome: OutcomeRecord) {
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
    const { mintToolId, toolNames, provider } = this.#context;
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
