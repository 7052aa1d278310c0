import { ApiError } from '../core/errors.ts';
import { asString, isObject, type JsonObject, parseObject } from '../core/json.ts';
import { errorEvent } from '../protocol/anthropic/errors.ts';
import { readAnthropicUsage } from '../protocol/anthropic/message.ts';
import type { Usage } from '../protocol/delta.ts';
import { isErrorBody, readErrorBody, type UpstreamErrorBody } from '../protocol/openai/errors.ts';
import { createSseReader, FrameCutter } from '../protocol/sse.ts';
import { mergeUsage } from '../translate/response/finish.ts';
import { type AnswerReader, type Output, openOutcome } from '../upstream/upstream.ts';
import type { ToolInputFrames } from './toolInputFrames.ts';

/**
 * Hands the answer of a native endpoint on as it comes, byte for byte and frame by frame, and reads on the side what the log and
 * the errors need. The name of the model in it is the provider's own, which the client accepts. Nothing goes out before the first
 * event that says something, so that an error until then has a status of its own (R317).
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
  readonly #sse = createSseReader((data, event) => this.#read(data, event));
  readonly #frames = new FrameCutter();
  #begun = false;
  /** Frames before the beginning: comments and pings. */
  #held: Uint8Array[] = [];
  /** An error in a form that the client would not know for one is told once more. */
  #lastWords = '';

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
    const body = parseObject(text);
    if (body === undefined) return this.fail(new ApiError('bad_gateway', 'the provider did not answer with JSON'));
    if (isErrorBody(body)) return this.fail(this.#toApiError(readErrorBody(body)));
    this.#readMessage(body);
    this.#readStop(body);
    this.outcome.ended = true;
    return this.#repair?.repairMessage(body) ?? text;
  }

  /** Half an answer must not pass for a whole one (R316). */
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
      this.#held.push(bytes);
      return new Uint8Array();
    }
    if (this.#held.length === 0 && this.#lastWords === '') return bytes;
    const all = Buffer.concat([...this.#held, bytes, Buffer.from(this.#lastWords)]);
    this.#held = [];
    this.#lastWords = '';
    return all;
  }

  #read(data: string, event: string | undefined): void {
    if (this.outcome.error !== undefined) return;
    this.#repair?.push(data, event);
    // Most frames are these, and parsing them all would cost more than handing them on.
    if (event === 'content_block_delta') return;
    const frame = parseObject(data);
    if (event === 'error' || (frame !== undefined && isErrorBody(frame))) this.#readError(data, event);
    else if (frame !== undefined) this.#readFrame(frame, event ?? asString(frame['type']));
  }

  #readError(data: string, event: string | undefined): void {
    const error = this.#toApiError(readErrorBody(data));
    this.outcome.error = error;
    if (this.#begun && event !== 'error') this.#lastWords = errorEvent(error);
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
