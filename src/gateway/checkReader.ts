import type { ApiError } from '../core/errors.ts';
import { asString, isObject, parseObject } from '../core/json.ts';
import type { Usage } from '../protocol/delta.ts';
import { createSseReader } from '../protocol/sse.ts';
import { mergeUsage } from '../translate/response/finish.ts';
import { type AnswerReader, openOutcome } from '../upstream/upstream.ts';
import { listOf } from './requestBody.ts';

/** Reads the answer to a health check: that there is one, whatever it says, and what the provider counts for it. */
export class CheckReader implements AnswerReader {
  readonly outcome = openOutcome();
  usage: Usage | undefined;
  upstreamModel: string | undefined;
  readonly #readUsage: (usage: unknown) => Usage | undefined;
  readonly #sse = createSseReader((data) => this.#look(data));

  /** @param readUsage of the provider's protocol */
  constructor(readUsage: (usage: unknown) => Usage | undefined) {
    this.#readUsage = readUsage;
  }

  /** A stream, though none was asked for: the answer is there, and its usage may follow. */
  pushBytes(bytes: Uint8Array): string {
    this.outcome.finished = true;
    this.#sse.push(bytes);
    return '';
  }

  pushJson(text: string): string {
    this.#look(text);
    return this.end();
  }

  end(): string {
    this.outcome.ended = true;
    return '';
  }

  settle(): string {
    return this.end();
  }

  fail(error: ApiError): string {
    if (this.outcome.finished) return this.end();
    this.outcome.error = error;
    return '';
  }

  #look(data: string): void {
    if (!data.includes('"usage"')) return; // lists of models are long
    const body = parseObject(data);
    for (const part of [body, body?.['message'], listOf(body, 'choices')[0]]) {
      if (!isObject(part)) continue;
      this.upstreamModel = asString(part['model']) ?? this.upstreamModel;
      const next = this.#readUsage(part['usage']);
      if (next !== undefined) this.usage = mergeUsage(this.usage, next);
    }
  }
}
