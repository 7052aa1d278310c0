import { createHash } from 'node:crypto';
import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { ApiError } from '../core/errors.ts';
import { isObject, type JsonObject } from '../core/json.ts';
import { type MessagesRequest, parseCountRequest, parseInSteps, parseRequest } from '../protocol/anthropic/request.ts';
import { IncrementalJsonParser, KEPT_VALUES_MAX } from '../protocol/json/incrementalParser.ts';
import { JsonWriter } from '../protocol/json/jsonWriter.ts';
import { ConversationCache } from '../translate/conversationCache.ts';
import { measureInSteps, measureTokens, type TokenParts } from '../translate/tokens.ts';

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
      yield* measureInSteps(this.#countable, this.cache.tokens);
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
      .update(JSON.stringify(listOf(this.value, 'messages')[0] ?? '', beginningOf))
      .digest('base64');
    return this.#firstMessage;
  }
}

/** So many letters of a text, and elements of a list, distinguish one conversation from another. */
const BEGINNING_LETTERS = 16_384;
const BEGINNING_ELEMENTS = 100;

function beginningOf(_key: string, value: unknown): unknown {
  if (typeof value === 'string') return value.slice(0, BEGINNING_LETTERS);
  return Array.isArray(value) ? value.slice(0, BEGINNING_ELEMENTS) : value;
}

/** A list in a body that nobody has checked yet. */
export function listOf(value: unknown, field: string): readonly unknown[] {
  const list = isObject(value) ? value[field] : undefined;
  return Array.isArray(list) ? list : [];
}

/** Shorter than the tools of the usual client alone: a question about a title, for instance. */
const SHORT_BYTES = 16 * 1024;

/** Where reading already begins in a turn of its own, as one field of it may take long. */
const LARGE_BYTES = 2 * 1024 * 1024;

/** Most bytes of earlier bodies that are kept: some conversations of usual length. */
const REMEMBERED_BYTES = 8 * 1024 * 1024;

/** Lists whose elements the requests of a conversation have in common. */
const COMMON = new Set(['messages', 'system', 'tools', 'input']);

/**
 * After so many values in new parts of conversations everything is forgotten. What is known hangs weakly on these parts, in tables of V8's
 * that never become smaller: some huge conversations would leave 14 MiB for good. What is kept at a time is half of it at most, or one
 * that is as large would be forgotten each time that it comes.
 */
const FORGET_AFTER_VALUES = 2 * KEPT_VALUES_MAX;

function createParser(): IncrementalJsonParser {
  return new IncrementalJsonParser({ lists: COMMON, minBytes: SHORT_BYTES, maxBytes: REMEMBERED_BYTES });
}

/**
 * Reads the bodies of requests and writes those for the provider. Turn N+1 of a conversation repeats all of turn N, so that both
 * keep what they have seen: a long request then costs less than to parse it once and print it once.
 */
export class JsonBodyCodec {
  /** Of the conversations since it was last given up, so that nobody keeps it for longer than a request. */
  cache = new ConversationCache();
  /** Writes long bodies for the provider. */
  writer = new JsonWriter(COMMON);
  #parser = createParser();

  /**
   * Reads a JSON body, whose value nobody may change, piece by piece.
   * @throws ApiError `invalid_request` with the parser's words about where it fails, and `request_too_large` for more values than
   * there is time and memory for, whatever the limit of bytes is
   */
  *read(bytes: Buffer): Generator<void, unknown> {
    if (this.#parser.parsedValues > FORGET_AFTER_VALUES) this.#forget();
    try {
      return yield* this.#parser.parseInSteps(bytes);
    } catch (error) {
      if (error instanceof ApiError) throw error;
      const reason = error instanceof Error ? error.message.replace(/ in JSON.*| \(line.*|, ".*/s, '') : '';
      throw new ApiError('invalid_request', `the body is not JSON: ${reason}`);
    }
  }

  #forget(): void {
    this.cache = new ConversationCache();
    this.writer = new JsonWriter(COMMON);
    this.#parser = createParser();
  }

  /**
   * Does most of the work of `write` in advance, piece by piece.
   * @param source what the client sent
   */
  prepare(body: JsonObject, source: Buffer): Iterable<void> {
    return source.length < SHORT_BYTES ? [] : this.writer.prepare(body);
  }

  /** The bytes of a body for the provider. Nothing of a short one is the same object in the next request, so that nothing is kept. */
  write(body: JsonObject, source: Buffer): Buffer {
    return source.length < SHORT_BYTES ? Buffer.from(JSON.stringify(body)) : this.writer.write(body);
  }
}

/** So long work goes on at a stretch, in ms; then everything else has its turn. */
const STRETCH_MS = 2;

/** Goes on with work until it is done or has taken so long; how often it may pause is no question of time. */
function goOnForAStretch<T>(work: Generator<void, T>, stretchMs = STRETCH_MS): IteratorResult<void, T> {
  const until = performance.now() + stretchMs;
  for (;;) {
    const step = work.next();
    if (step.done === true || performance.now() >= until) return step;
  }
}

let lastTurn: Promise<void> = Promise.resolve();

/** A turn of the event loop in which no other such work goes on: many at once would hold it as long as work that does not pause. */
function nextTurn(): Promise<void> {
  lastTurn = lastTurn.then(() => yieldToEventLoop());
  return lastTurn;
}

async function goOnCooperatively<T>(work: Generator<void, T>): Promise<T> {
  for (;;) {
    await nextTurn();
    const { done, value } = goOnForAStretch(work);
    if (done === true) return value;
  }
}

/**
 * Carries out work that may pause, and lets the event loop do everything else when it takes long; at once where it does not.
 * @param bytes of the body that it is about: with a short one it never takes long
 */
export function runCooperatively<T>(work: Generator<void, T>, bytes: number): Promise<T> | T {
  const { done, value } = goOnForAStretch(work, bytes <= SHORT_BYTES ? Number.POSITIVE_INFINITY : STRETCH_MS);
  return done === true ? value : goOnCooperatively(work);
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
  if (bytes.length > LARGE_BYTES) return readOn(services, bytes, reading, goOn);
  const { done, value } = goOnForAStretch(reading);
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
    await runCooperatively(body.measureInSteps(), bytes.length);
    // Not awaited here: what goes on is under way itself by now, and the body is let go.
    return goOn(body);
  } finally {
    release();
  }
}
