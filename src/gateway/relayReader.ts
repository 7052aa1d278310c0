import { ApiError } from '../core/errors.ts';
import { isObject, parseObject } from '../core/json.ts';
import type { Usage } from '../protocol/delta.ts';
import { chatErrorEvent } from '../protocol/openai/errors.ts';
import { readUsage } from '../protocol/openai/usage.ts';
import { createSseReader, FrameCutter } from '../protocol/sse.ts';
import { type AnswerReader, type Output, openOutcome } from '../upstream/upstream.ts';

/** A finish reason in the text of a chunk; inside a string its quotes would be escaped. */
const FINISH = /"finish_reason"\s*:\s*"/;

/** Hands an answer on as it comes, byte for byte, and reads usage and model on the side. */
export class RelayReader implements AnswerReader {
  readonly outcome = openOutcome();
  usage: Usage | undefined;
  upstreamModel: string | undefined;
  /** Whether the provider answered with one JSON body. */
  isWhole = false;
  readonly #sse = createSseReader((data) => this.#look(data));
  readonly #frames = new FrameCutter();
  #started = false;
  #finished = false;

  /** Hands whole frames on, so that an error event never stands in the middle of one. */
  pushBytes(bytes: Uint8Array): Uint8Array {
    this.#sse.push(bytes);
    const frames = this.#frames.push(bytes);
    this.#started ||= frames.length > 0;
    return frames;
  }

  pushJson(text: string): string {
    this.isWhole = true;
    this.#look(text);
    this.outcome.ended = true;
    return text;
  }

  /** Half an answer must not pass for a whole one (R316). */
  end(): Output {
    return this.fail(new ApiError('overloaded', 'upstream stream ended early'));
  }

  settle(): string {
    return '';
  }

  fail(error: ApiError): Output {
    if (this.#finished) {
      this.outcome.ended = true;
      return this.#frames.rest();
    }
    this.outcome.error = error;
    return this.#started ? chatErrorEvent(error) : '';
  }

  #look(data: string): void {
    this.#finished ||= FINISH.test(data);
    this.outcome.ended ||= data.trim() === '[DONE]';
    // Most events carry neither; parsing them all would cost more than handing them on.
    if (this.upstreamModel !== undefined && !data.includes('"usage"')) return;
    const chunk = parseObject(data);
    if (!isObject(chunk)) return;
    if (typeof chunk['model'] === 'string') this.upstreamModel = chunk['model'];
    this.usage = readUsage(chunk['usage']) ?? this.usage;
  }
}
