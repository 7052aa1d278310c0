import { createHash } from 'node:crypto';
import { ApiError } from '../core/errors.ts';
import { isObject, type JsonObject } from '../core/json.ts';
import { type MessagesRequest, parseCountRequest, parseRequest } from '../protocol/anthropic/request.ts';
import { measureInSteps, measureTokens, type TokenParts } from '../translate/tokens.ts';

/** So much is measured at a stretch before a pause, in tokens: about 2 ms. */
const STRETCH_TOKENS = 250_000;

/** The body of one request, read as far as somebody asks and no part of it twice. */
export class RequestBody {
  readonly bytes: Buffer;
  readonly value: unknown;
  #parsed: MessagesRequest | undefined;
  #measured: Readonly<TokenParts> | undefined;
  #firstMessage: string | undefined;

  /** @param value what the bytes are when parsed */
  constructor(bytes: Buffer, value: unknown) {
    this.bytes = bytes;
    this.value = value;
  }

  /** As far as the way through the proxy depends on it; all else is the provider's to judge. */
  get object(): JsonObject & { model: string } {
    const { value } = this;
    if (!isObject(value)) throw new ApiError('invalid_request', 'body: must be a JSON object');
    const { model } = value;
    if (typeof model !== 'string' || model.trim() === '') throw new ApiError('invalid_request', 'model: is missing');
    return value as JsonObject & { model: string };
  }

  /** As a request that can be translated (R105). */
  get parsed(): MessagesRequest {
    this.#parsed ??= parseRequest(this.value);
    return this.#parsed;
  }

  /** Does most of the work for the following figures in advance, piece by piece. */
  *measureInSteps(): Generator<void> {
    try {
      yield* measureInSteps(this.#parsed ?? parseCountRequest(this.value), STRETCH_TOKENS);
    } catch {
      // What cannot be measured is told to who asks for the figure.
    }
  }

  /** The size of the input before a model's factors (R502). Throws for what cannot be translated. */
  get measured(): Readonly<TokenParts> {
    this.#measured ??= measureTokens(this.#parsed ?? parseCountRequest(this.value));
    return this.#measured;
  }

  /** The same; undefined where only the provider can make sense of the request. */
  get measuredIfReadable(): Readonly<TokenParts> | undefined {
    try {
      return this.measured;
    } catch {
      return undefined;
    }
  }

  /** Stands for the first message, which all requests of one conversation have in common. */
  get firstMessage(): string {
    this.#firstMessage ??= createHash('sha256')
      .update(JSON.stringify(listOf(this.value, 'messages')[0] ?? ''))
      .digest('base64');
    return this.#firstMessage;
  }
}

/** A list in a body that nobody has checked yet. */
export function listOf(value: unknown, field: string): readonly unknown[] {
  const list = isObject(value) ? value[field] : undefined;
  return Array.isArray(list) ? list : [];
}
