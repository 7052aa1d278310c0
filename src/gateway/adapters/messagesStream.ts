import { ApiError } from '../../core/errors.ts';
import { asString, isObject, type Json, type JsonObject } from '../../core/json.ts';
import { errorEvent } from '../../protocol/anthropic/errors.ts';
import { readAnthropicUsage } from '../../protocol/anthropic/message.ts';
import {
  ByteBuffer,
  HELD_MAX,
  HeldBudget,
  heldTooMuch,
  parseBounded,
  parseBoundedObject,
} from '../../protocol/bounds.ts';
import type { Usage } from '../../protocol/delta.ts';
import { isErrorBody, readErrorBody, type UpstreamErrorBody } from '../../protocol/openai/errors.ts';
import { SseFrameSplitter, SseReader } from '../../protocol/sse.ts';
import type { ToolInputRepair } from '../../quirks/native.ts';
import { mergeUsage } from '../../translate/response/finish.ts';
import { type AnswerReader, type Output, openOutcome } from '../../upstream/upstream.ts';

/** Frames in a row that are not JSON, after which a stream is given up: no client could read them, and each costs as much as kilobytes. */
const BAD_FRAMES_MAX = 100;

/**
 * Hands the answer of a native endpoint on as it comes, byte for byte and frame by frame, and reads on the side what the log and
 * the errors need. The name of the model in it is the provider's own, which the client accepts. Nothing goes out before the first
 * event that says something, so that an error until then has a status of its own.
 */
export class PassthroughReader implements AnswerReader {
  readonly outcome = openOutcome();
  usage: Usage | undefined;
  stopReason: string | undefined;
  upstreamModel: string | undefined;
  /** Whether the provider answered with one JSON body. */
  isWhole = false;
  readonly #toApiError: (body: UpstreamErrorBody) => ApiError;
  readonly #repair: ToolInputFrames | undefined;
  readonly #sse = new SseReader((data, event) => this.#read(data, event));
  readonly #frames = new SseFrameSplitter();
  #begun = false;
  #badFrames = 0;
  /** Frames before the beginning: comments and pings. */
  readonly #held = new ByteBuffer();
  /** An error event, where the provider's own has a form that the client would not take for one. */
  #errorText = '';

  /** @param repair writes the frames anew, for a provider whose tool input needs it; then the bytes are not the provider's */
  constructor(toApiError: (body: UpstreamErrorBody) => ApiError, repair: ToolInputFrames | undefined) {
    this.#toApiError = toApiError;
    this.#repair = repair;
  }

  pushBytes(bytes: Uint8Array): Uint8Array {
    this.#sse.push(bytes);
    const whole = this.#frames.push(bytes);
    return this.#release(this.#repair === undefined ? whole : this.#repair.take());
  }

  pushJson(text: string): string {
    this.isWhole = true;
    const body = parseBoundedObject(text);
    if (body === undefined) return this.fail(new ApiError('bad_gateway', 'the provider did not answer with JSON'));
    if (isErrorBody(body)) return this.fail(this.#toApiError(readErrorBody(body)));
    this.#readMessage(body);
    this.#readStop(body);
    this.outcome.ended = true;
    return this.#repair?.repairMessage(body) ?? text;
  }

  /** Half an answer must not pass for a whole one. */
  end(): Output {
    this.#sse.end();
    if (!this.outcome.finished) return this.fail(new ApiError('overloaded', 'upstream stream ended early'));
    this.outcome.ended = true;
    return this.#release(this.#repair === undefined ? this.#frames.rest() : this.#repair.take());
  }

  /** The answer is complete, and the provider keeps its connection open. */
  settle(): string {
    this.outcome.ended = this.outcome.finished;
    return '';
  }

  fail(error: ApiError): string {
    if (this.outcome.finished) {
      this.outcome.ended = true;
      return '';
    }
    this.outcome.error ??= error;
    return this.#begun ? errorEvent(this.outcome.error) : '';
  }

  #release(bytes: Uint8Array): Uint8Array {
    if (!this.#begun) {
      if (this.#held.length + bytes.length > HELD_MAX) throw heldTooMuch();
      this.#held.append(bytes);
      return new Uint8Array();
    }
    if (this.#held.length === 0 && this.#errorText === '') return bytes;
    const all = Buffer.concat([this.#held.take(), bytes, Buffer.from(this.#errorText)]);
    this.#errorText = '';
    return all;
  }

  #read(data: string, event: string | undefined): void {
    if (this.outcome.error !== undefined) return;
    this.#repair?.push(data, event);
    // Most frames are these, and parsing them all would cost more than handing them on.
    if (event === 'content_block_delta') return;
    const frame = parseBoundedObject(data);
    this.#badFrames = frame === undefined ? this.#badFrames + 1 : 0;
    if (this.#badFrames > BAD_FRAMES_MAX) {
      const error = new ApiError(
        'bad_gateway',
        `the provider sent ${BAD_FRAMES_MAX} events in a row that are not JSON`,
      );
      this.outcome.error = error;
      if (this.#begun) this.#errorText = errorEvent(error);
    } else if (event === 'error' || (frame !== undefined && isErrorBody(frame))) this.#readError(data, event);
    else if (frame !== undefined) this.#readFrame(frame, event ?? asString(frame['type']));
  }

  #readError(data: string, event: string | undefined): void {
    const error = this.#toApiError(readErrorBody(data));
    this.outcome.error = error;
    if (this.#begun && event !== 'error') this.#errorText = errorEvent(error);
  }

  #readFrame(frame: JsonObject, type: string | undefined): void {
    if (type === 'ping') return;
    this.#begun = true;
    if (type === 'message_start' && isObject(frame['message'])) this.#readMessage(frame['message']);
    if (type === 'message_delta') {
      this.#addUsage(frame['usage']);
      if (isObject(frame['delta'])) this.#readStop(frame['delta']);
    }
    this.outcome.finished ||= type === 'message_stop';
  }

  #readMessage(message: JsonObject): void {
    this.upstreamModel = asString(message['model']) ?? this.upstreamModel;
    this.#addUsage(message['usage']);
  }

  #readStop(layer: JsonObject): void {
    this.stopReason = asString(layer['stop_reason']) ?? this.stopReason;
  }

  #addUsage(usage: unknown): void {
    const next = readAnthropicUsage(usage);
    if (next !== undefined) this.usage = mergeUsage(this.usage, next);
  }
}

interface OpenCall {
  readonly index: Json | undefined;
  readonly name: string;
  /** Input that stood in the start of the block, where clients do not look for it. */
  readonly given: Json | undefined;
  text: string;
  /** What is held of it. */
  readonly budget: HeldBudget;
}

function frameText(data: string, event: string | undefined): string {
  const lines = data.split('\n').map((line) => `data: ${line}\n`);
  return `${event === undefined ? '' : `event: ${event}\n`}${lines.join('')}\n`;
}

function parseInput(text: string): Json | undefined {
  try {
    return parseBounded(text) as Json;
  } catch (error) {
    if (error instanceof ApiError) throw error;
    return undefined;
  }
}

function isEmpty(input: Json | undefined): boolean {
  return input === undefined || input === null || (isObject(input) && Object.keys(input).length === 0);
}

/**
 * Writes the frames of a stream anew with the input of each tool call repaired; every other frame keeps its data. The pieces of an
 * input are held until its block ends, because only the whole shows what is wrong with it.
 */
export class ToolInputFrames {
  readonly #repair: ToolInputRepair;
  #call: OpenCall | undefined;
  #output = '';

  constructor(repair: ToolInputRepair) {
    this.#repair = repair;
  }

  /** Takes one frame. */
  push(data: string, event: string | undefined): void {
    const frame = parseBoundedObject(data);
    if (frame === undefined || !this.#isHandled(frame, event)) this.#output += frameText(data, event);
  }

  /** What has become ready to be handed on. */
  take(): Uint8Array {
    const output = Buffer.from(this.#output);
    this.#output = '';
    return output;
  }

  /** A whole answer with the input of its calls repaired; undefined when nothing is wrong with it. */
  repairMessage(message: JsonObject): string | undefined {
    const { content } = message;
    if (!Array.isArray(content)) return undefined;
    const blocks = content.map((block) => (isObject(block) ? this.#repairBlock(block) : block));
    if (blocks.every((block, index) => block === content[index])) return undefined;
    return JSON.stringify({ ...message, content: blocks });
  }

  #repairBlock(block: JsonObject): JsonObject {
    const { type, name, input = {} } = block;
    const repaired = type === 'tool_use' ? this.#repair(asString(name) ?? '', input) : input;
    return repaired === input ? block : { ...block, input: repaired };
  }

  /** Whether the frame needs no writing as it is. */
  #isHandled(frame: JsonObject, event: string | undefined): boolean {
    const { type, index } = frame;
    if (type === 'content_block_start') return this.#begin(frame, event);
    if (this.#call === undefined || index !== this.#call.index) return false;
    if (type === 'content_block_stop') this.#finish(this.#call);
    const delta = frame['delta'];
    if (type !== 'content_block_delta' || !isObject(delta) || delta['type'] !== 'input_json_delta') return false;
    const piece = asString(delta['partial_json']) ?? '';
    this.#call.budget.add(piece.length);
    if (this.#call.budget.isExceeded) throw heldTooMuch();
    this.#call.text += piece;
    return true;
  }

  #begin(frame: JsonObject, event: string | undefined): boolean {
    const block = frame['content_block'];
    if (!isObject(block) || block['type'] !== 'tool_use') return false;
    const given = block['input'];
    this.#call = {
      index: frame['index'],
      name: asString(block['name']) ?? '',
      given,
      text: '',
      budget: new HeldBudget(),
    };
    if (isEmpty(given)) return false;
    this.#output += frameText(JSON.stringify({ ...frame, content_block: { ...block, input: {} } }), event);
    return true;
  }

  #finish({ index, name, given, text }: OpenCall): void {
    this.#call = undefined;
    // Text that is not JSON is for the client to check.
    const input = text === '' ? given : parseInput(text);
    const repaired = input === undefined ? undefined : this.#repair(name, input);
    const partial = text !== '' && repaired === input ? text : isEmpty(repaired) ? '' : JSON.stringify(repaired);
    if (partial === '') return;
    const delta = { type: 'input_json_delta', partial_json: partial };
    this.#output += frameText(JSON.stringify({ type: 'content_block_delta', index, delta }), 'content_block_delta');
  }
}
