import { createHash } from 'node:crypto';
import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { ApiError } from '../core/errors.ts';
import { isObject, type JsonObject } from '../core/json.ts';
import { type MessagesRequest, parseCountRequest, parseInSteps, parseRequest } from '../protocol/anthropic/request.ts';
import { IncrementalJsonParser } from '../protocol/json/incrementalParser.ts';
import { JsonWriter } from '../protocol/json/jsonWriter.ts';
import { ConversationCache } from '../translate/conversationCache.ts';
import { measureInSteps, measureTokens, type TokenParts } from '../translate/tokens.ts';

/** So much is measured at a stretch before a pause, in tokens: about 2 ms. */
const STRETCH_TOKENS = 250_000;

/** The body of one request, read as far as somebody asks and no part of it twice. */
export class RequestBody {
  readonly bytes: Buffer;
  readonly value: unknown;
  /** What earlier requests of the conversation have left of the work on this one. */
  readonly cache: ConversationCache;
  #parsed: MessagesRequest | undefined;
  #measured: Readonly<TokenParts> | undefined;
  #firstMessage: string | undefined;

  /** @param value what the bytes are when parsed */
  constructor(bytes: Buffer, value: unknown, cache: ConversationCache) {
    this.bytes = bytes;
    this.value = value;
    this.cache = cache;
  }

  /** As far as the way through the proxy depends on it; all else is for the provider to check. */
  get object(): JsonObject & { model: string } {
    const { value } = this;
    if (!isObject(value)) throw new ApiError('invalid_request', 'body: must be a JSON object');
    const { model } = value;
    if (typeof model !== 'string' || model.trim() === '') throw new ApiError('invalid_request', 'model: is missing');
    return value as JsonObject & { model: string };
  }

  /** As a request that can be translated. */
  get parsed(): MessagesRequest {
    this.#parsed ??= parseRequest(this.value, this.cache);
    return this.#parsed;
  }

  /** Does most of the work for the following figures in advance, piece by piece. */
  *measureInSteps(): Generator<void> {
    try {
      yield* parseInSteps(this.value, this.cache);
      yield* measureInSteps(this.#countable, STRETCH_TOKENS, this.cache.tokens);
    } catch {
      // Whoever asks for the figure gets the error.
    }
  }

  /** The size of the input before a model's factors. Throws for what cannot be translated. */
  get measured(): Readonly<TokenParts> {
    this.#measured ??= measureTokens(this.#countable, this.cache.tokens);
    return this.#measured;
  }

  get #countable(): MessagesRequest {
    return this.#parsed ?? parseCountRequest(this.value, this.cache);
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

/** Shorter than the tools of the usual client alone: a question about a title, for instance. */
const SHORT_BYTES = 16 * 1024;

/** Most bytes of earlier bodies that are kept: some conversations of usual length. */
const REMEMBERED_BYTES = 8 * 1024 * 1024;

/** So much is parsed or printed at a stretch before a pause, in bytes: about 2 ms. */
const STRETCH_BYTES = 512 * 1024;

/** What the smallest piece takes, as the bytes of a text that are parsed in the same time. */
const PIECE_BYTES = 512;

/** Lists whose elements the requests of a conversation have in common. */
const COMMON = new Set(['messages', 'system', 'tools', 'input']);

/**
 * Reads the bodies of requests and writes those for the provider. Turn N+1 of a conversation repeats all of turn N, so that both
 * keep what they have seen: a long request then costs less than to parse it once and print it once.
 */
export class JsonBodyCodec {
  readonly cache = new ConversationCache();
  readonly #memory = new IncrementalJsonParser({ lists: COMMON, minBytes: SHORT_BYTES, maxBytes: REMEMBERED_BYTES });
  readonly #writer = new JsonWriter(COMMON);

  /**
   * Reads a JSON body, whose value nobody may change, piece by piece.
   * @throws ApiError `invalid_request` with the parser's words about where it fails, and `request_too_large` for more values than
   * there is time and memory for, whatever the limit of bytes is
   */
  *read(bytes: Buffer): Generator<void, unknown> {
    const steps = this.#memory.parseInSteps(bytes);
    let stretch = 0;
    try {
      for (;;) {
        const { done, value } = steps.next();
        if (done === true) return value;
        stretch += value + PIECE_BYTES;
        if (stretch < STRETCH_BYTES) continue;
        stretch = 0;
        yield;
      }
    } catch (error) {
      if (error instanceof ApiError) throw error;
      const reason = error instanceof Error ? error.message.replace(/ in JSON.*| \(line.*|, ".*/s, '') : '';
      throw new ApiError('invalid_request', `the body is not JSON: ${reason}`);
    }
  }

  /** Does most of the work of `write` in advance, piece by piece. */
  *prepare(body: JsonObject): Generator<void> {
    let stretch = 0;
    for (const length of this.#writer.prepare(body)) {
      stretch += length + PIECE_BYTES;
      if (stretch < STRETCH_BYTES) continue;
      stretch = 0;
      yield;
    }
  }

  /** The bytes of a body for the provider. */
  write(body: JsonObject): Buffer {
    return this.#writer.write(body);
  }
}

async function goOnCooperatively<T>(work: Generator<void, T>): Promise<T> {
  for (;;) {
    await yieldToEventLoop();
    const { done, value } = work.next();
    if (done === true) return value;
  }
}

/**
 * Carries out work that pauses, and lets the event loop do everything else in the pauses; undefined when it was over at once, without
 * any.
 */
export function runCooperatively(work: Generator<void>): Promise<void> | undefined {
  return work.next().done === true ? undefined : goOnCooperatively(work);
}

/** What reading a body takes of the services. */
interface BodyServices {
  readonly bodies: JsonBodyCodec;
  /** Makes a stop wait until the returned function is called. */
  readonly inFlight: { begin(): () => void };
}

/**
 * Reads the body of a request and goes on with it: at once, but between the pieces of a large one everything else has its turn.
 * @throws ApiError for what is not JSON
 */
export function withBody<T>(
  services: BodyServices,
  bytes: Buffer,
  goOn: (body: RequestBody) => Promise<T>,
): Promise<T> {
  const { bodies } = services;
  const reading = bodies.read(bytes);
  const { done, value } = reading.next();
  return done === true ? goOn(new RequestBody(bytes, value, bodies.cache)) : readOn(services, bytes, reading, goOn);
}

async function readOn<T>(
  { bodies, inFlight }: BodyServices,
  bytes: Buffer,
  reading: Generator<void, unknown>,
  goOn: (body: RequestBody) => Promise<T>,
): Promise<T> {
  const release = inFlight.begin();
  try {
    const body = new RequestBody(bytes, await goOnCooperatively(reading), bodies.cache);
    await runCooperatively(body.measureInSteps());
    // Not awaited here: what goes on is under way itself by now, and the body is let go.
    return goOn(body);
  } finally {
    release();
  }
}
