import { ApiError } from '../../core/errors.ts';
import { isObject, type JsonObject } from '../../core/json.ts';
import type { Message } from '../../protocol/anthropic/message.ts';
import type { Delta } from '../../protocol/delta.ts';
import { ChunkReader, TextChunkTemplate } from '../../protocol/openai/chunk.ts';
import { isErrorBody, readErrorBody } from '../../protocol/openai/errors.ts';
import { createSseReader } from '../../protocol/sse.ts';
import { createOutcome, type Outcome, type ResponseContext } from './context.ts';
import { EventWriter } from './eventWriter.ts';
import { MessageBuilder } from './messageBuilder.ts';
import { MessageStateMachine } from './stateMachine.ts';

/** Largest answer that is gathered whole, in bytes. */
const BODY_LIMIT = 64 * 1024 * 1024;

const BLANKS: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);
const BYTE_ORDER_MARK: ReadonlySet<number> = new Set([0xef, 0xbb, 0xbf]);
const BODY_OPENERS: ReadonlySet<number> = new Set(['{', '[', '<'].map((letter) => letter.charCodeAt(0)));

/**
 * Index of the first byte that is neither white space nor a byte order mark: servers send blank lines to keep a
 * connection alive.
 */
export function firstSignificant(bytes: Uint8Array): number {
  const at = bytes.findIndex((byte) => !BLANKS.has(byte) && !BYTE_ORDER_MARK.has(byte));
  return at < 0 ? bytes.length : at;
}

/**
 * Whether an answer that begins so is one JSON body, or a page, and not a stream of events (R220). No field name begins
 * so.
 */
export function looksLikeBody(first: number | undefined): boolean {
  return first !== undefined && BODY_OPENERS.has(first);
}

/** Gathers a body that is not a stream. */
export class BodyCollector {
  readonly #parts: Uint8Array[] = [];
  #size = 0;

  push(bytes: Uint8Array): void {
    this.#size += bytes.length;
    if (this.#size > BODY_LIMIT) throw new ApiError('bad_gateway', `the answer is larger than ${BODY_LIMIT} bytes`);
    this.#parts.push(Uint8Array.from(bytes));
  }

  text(): string {
    return Buffer.concat(this.#parts).toString('utf8');
  }
}

/** Lines in a row that are not JSON, after which the stream is given up (R322). */
const BAD_LINES_MAX = 3;

/**
 * One provider's answer, from its bytes to Anthropic's words. Everything is pushed and synchronous: each call returns
 * the event text to write now, '' when there is none or when the output is a message.
 */
export interface Translator {
  /** The next bytes of the body, cut anywhere: a stream of events, or a JSON answer whatever was asked for (R220). */
  pushBytes(bytes: Uint8Array): string;
  /** The whole body as JSON text. */
  pushJson(text: string): string;
  /** The body has ended as it should. */
  end(): string;
  /** The provider has finished, and its usage did not come in time (R313). Does nothing before the finish. */
  settle(): string;
  /** The connection has failed. Before the start nothing is written: `outcome.error` becomes the answer (R317). */
  fail(error: ApiError): string;
  readonly outcome: Outcome;
  /** The complete answer, for the output `message`. Throws the ApiError of an answer that failed. */
  message(): Message;
}

export function createTranslator(context: ResponseContext, output: 'events' | 'message'): Translator {
  return new ChatTranslator(context, output);
}

class ChatTranslator implements Translator {
  readonly #context: ResponseContext;
  readonly #outcome;
  readonly #writer: EventWriter | undefined;
  readonly #accumulator: MessageBuilder | undefined;
  readonly #machine: MessageStateMachine;
  readonly #sse = createSseReader((data, event) => this.#event(data, event));
  readonly #chunks: ChunkReader;
  readonly #frame = new TextChunkTemplate();
  #format: 'unknown' | 'events' | 'body' = 'unknown';
  readonly #body = new BodyCollector();
  #badLines = 0;
  /** Deltas of the chunk that is being read, and the last of them. */
  #deltas = 0;
  #lastDelta: Delta | undefined;

  constructor(context: ResponseContext, output: 'events' | 'message') {
    this.#context = context;
    this.#outcome = createOutcome(context.inputEstimate);
    const { messageId: id, requestedModel: model, inputEstimate } = context;
    const tail = context.safeguardResults === undefined ? {} : { safeguard_results: context.safeguardResults };
    const writer = new EventWriter({ id, model, inputEstimate, tail });
    const accumulator = new MessageBuilder(id, model, tail);
    this.#writer = output === 'events' ? writer : undefined;
    this.#accumulator = output === 'message' ? accumulator : undefined;
    this.#machine = new MessageStateMachine(context, this.#writer ?? accumulator, this.#outcome);
    this.#chunks = new ChunkReader((delta) => this.#delta(delta), context.toApiError);
  }

  get outcome(): Outcome {
    return this.#outcome;
  }

  pushBytes(bytes: Uint8Array): string {
    if (this.#outcome.ended) return '';
    return this.#guarded(() => {
      if (this.#format === 'unknown') this.#begin(bytes);
      else this.#take(bytes);
    });
  }

  pushJson(text: string): string {
    if (this.#outcome.ended) return '';
    const body = parseFirst(text);
    if (isObject(body)) {
      this.#identify(body);
      this.#chunks.readWhole(body);
      this.#machine.complete();
    } else {
      const { message } = readErrorBody(text);
      this.#machine.fail(new ApiError('bad_gateway', `the provider did not answer with JSON: ${message}`));
    }
    return this.#written();
  }

  end(): string {
    if (this.#format === 'body') return this.pushJson(this.#body.text());
    return this.#guarded(() => {
      this.#sse.end();
      this.#machine.end();
    });
  }

  settle(): string {
    if (this.#outcome.finished) this.#machine.complete();
    return this.#written();
  }

  fail(error: ApiError): string {
    this.#machine.fail(error);
    return this.#written();
  }

  message(): Message {
    if (this.#outcome.error !== undefined) throw this.#outcome.error;
    const message = this.#accumulator?.message;
    if (message === undefined) throw new TypeError('the answer is not complete, or is written as events');
    return message;
  }

  /** The readers throw when a body has no end in sight; that fails the answer, not the caller. */
  #guarded(read: () => void): string {
    try {
      read();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#machine.fail(error);
    }
    return this.#written();
  }

  #begin(bytes: Uint8Array): void {
    const first = firstSignificant(bytes);
    if (first === bytes.length) return;
    this.#format = looksLikeBody(bytes[first]) ? 'body' : 'events';
    this.#take(bytes.subarray(first));
  }

  #take(bytes: Uint8Array): void {
    if (this.#format === 'body') this.#body.push(bytes);
    else this.#sse.push(bytes);
  }

  #event(data: string, event: string | undefined): void {
    if (this.#outcome.ended) return;
    const text = event === undefined ? this.#frame.match(data) : undefined;
    if (text !== undefined) {
      this.#badLines = 0;
      if (text !== '') this.#delta({ kind: 'text', text });
    } else if (data.trim() === '[DONE]') {
      this.#machine.complete();
    } else {
      this.#chunk(data, event);
    }
  }

  #chunk(data: string, event: string | undefined): void {
    const chunk = parseFirst(data);
    if (event === 'error' && !(isObject(chunk) && isErrorBody(chunk))) {
      this.#machine.fail(this.#context.toApiError(readErrorBody(data)));
    } else if (isObject(chunk)) {
      this.#badLines = 0;
      this.#identify(chunk);
      this.#deltas = 0;
      this.#chunks.read(chunk);
      const last = this.#lastDelta;
      if (this.#deltas === 1 && last?.kind === 'text') this.#frame.learn(data, last.text);
    } else {
      this.#badLine();
    }
  }

  #badLine(): void {
    this.#outcome.skippedLines += 1;
    this.#badLines += 1;
    if (this.#badLines < BAD_LINES_MAX) return;
    this.#machine.fail(
      new ApiError('bad_gateway', `the provider sent ${BAD_LINES_MAX} lines in a row that are not JSON`),
    );
  }

  #delta(delta: Delta): void {
    this.#deltas += 1;
    this.#lastDelta = delta;
    for (const repaired of this.#context.deltaRepair(delta)) this.#machine.accept(repaired);
  }

  #identify(chunk: JsonObject): void {
    const { id, model } = chunk;
    if (typeof id === 'string' && id !== '') this.#outcome.upstreamId ??= id;
    if (typeof model === 'string' && model !== '') this.#outcome.upstreamModel ??= model;
  }

  #written(): string {
    return this.#writer === undefined ? '' : this.#writer.take();
  }
}

/** The JSON value, or the first one of a list: some providers wrap their errors. Undefined when it is not JSON. */
function parseFirst(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value[0] : value;
  } catch {
    return undefined;
  }
}
