import { ApiError } from '../../core/errors.ts';
import { isObject, type JsonObject } from '../../core/json.ts';
import type { Message } from '../../protocol/anthropic/message.ts';
import { ByteBuffer, checkWrittenSize, parseBounded } from '../../protocol/bounds.ts';
import type { Delta } from '../../protocol/delta.ts';
import { ChunkReader } from '../../protocol/openai/chunk.ts';
import { isErrorBody, readErrorBody } from '../../protocol/openai/errors.ts';
import { ResponseEventReader } from '../../protocol/openai/responseEvents.ts';
import { chatTextForm, responseTextForm, TextTemplate } from '../../protocol/openai/textTemplate.ts';
import { SseReader } from '../../protocol/sse.ts';
import type { MessageSink } from './blocks.ts';
import { createOutcome, type OutcomeRecord, type ResponseContext } from './context.ts';
import { EventWriter } from './eventWriter.ts';
import { MessageBuilder } from './messageBuilder.ts';
import { MessageStateMachine } from './stateMachine.ts';

/** What servers send to keep a connection alive before an answer: blanks, and a byte order mark. */
const NOTHING: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf]);

/** What a JSON body or a page begins with, and no field of an event stream. */
const BODY_OPENERS: ReadonlySet<number> = new Set(['{', '[', '<'].map((letter) => letter.charCodeAt(0)));

/** Letters of the provider's own id and model that are kept for the log. */
const NAME_MAX = 200;

/** Lines in a row that are not JSON, after which the stream is given up. */
const BAD_LINES_MAX = 3;

/**
 * One provider's answer, from its bytes to Anthropic's words. Everything is pushed and synchronous: each call returns
 * the event text to write now, '' when there is none or when the output is a message.
 */
export class Translator {
  readonly outcome: OutcomeRecord;
  readonly #context: ResponseContext;
  readonly #writer: EventWriter | undefined;
  readonly #builder: MessageBuilder | undefined;
  readonly #machine: MessageStateMachine;
  readonly #chunks: ChunkReader;
  /** In place of the chunks where the provider speaks the Responses API. */
  readonly #responses: ResponseEventReader | undefined;
  readonly #sse: SseReader;
  readonly #template: TextTemplate;
  #format: 'unknown' | 'events' | 'body' = 'unknown';
  readonly #body = new ByteBuffer();
  #badLines = 0;
  /** Deltas of the chunk that is being read, and the last of them. */
  #deltas = 0;
  #lastDelta: Delta | undefined;

  constructor(context: ResponseContext, output: 'events' | 'message') {
    this.#context = context;
    this.outcome = createOutcome(context.inputEstimate);
    const { messageId: id, requestedModel: model, inputEstimate, safeguardResults } = context;
    const tail = safeguardResults === undefined ? {} : { safeguard_results: safeguardResults };
    let sink: MessageSink;
    if (output === 'events') sink = this.#writer = new EventWriter({ id, model, inputEstimate, tail });
    else sink = this.#builder = new MessageBuilder(id, model, tail);
    this.#machine = new MessageStateMachine(context, sink, this.outcome);
    const isChat = context.protocol === 'chat';
    this.#chunks = new ChunkReader(this.#accept, context.toApiError);
    this.#responses = isChat
      ? undefined
      : new ResponseEventReader(this.#accept, context.toApiError, context.settings.webSearch === 'provider');
    this.#template = new TextTemplate(isChat ? chatTextForm : responseTextForm);
    this.#sse = new SseReader(this.#readEvent);
  }

  /** The next bytes of the body, cut anywhere: a stream of events, or a JSON answer whatever was asked for. */
  pushBytes(bytes: Uint8Array): string {
    if (this.outcome.ended) return '';
    try {
      let significant = bytes;
      if (this.#format === 'unknown') {
        const first = bytes.findIndex((byte) => !NOTHING.has(byte));
        if (first < 0) return '';
        significant = bytes.subarray(first);
        this.#format = BODY_OPENERS.has(bytes[first] ?? 0) ? 'body' : 'events';
      }
      if (this.#format === 'events') this.#sse.push(significant);
      else this.#body.append(significant);
      checkWrittenSize(Math.max(this.#builder?.size ?? 0, this.#body.length));
    } catch (error) {
      this.#failWith(error);
    }
    return this.#written();
  }

  /** The whole body as JSON text. */
  pushJson(text: string): string {
    if (this.outcome.ended) return '';
    try {
      checkWrittenSize(text.length);
      this.#readJson(text);
    } catch (error) {
      this.#failWith(error);
    }
    return this.#written();
  }

  /** The body has ended as it should. */
  end(): string {
    if (this.#format === 'body') return this.pushJson(Buffer.from(this.#body.take()).toString('utf8'));
    try {
      this.#sse.end();
      this.#endWithout();
    } catch (error) {
      this.#failWith(error);
    }
    return this.#written();
  }

  /** The provider has finished, and its usage did not come in time. Does nothing before the finish. */
  settle(): string {
    if (this.outcome.finished) this.#machine.complete();
    return this.#written();
  }

  /** The connection has failed. Before the start nothing is written: `outcome.error` becomes the answer. */
  fail(error: ApiError): string {
    this.#machine.fail(error);
    return this.#written();
  }

  /** The complete answer, for the output `message`. Throws the ApiError of an answer that failed. */
  message(): Message {
    if (this.outcome.error !== undefined) throw this.outcome.error;
    const message = this.#builder?.message;
    if (message === undefined) throw new TypeError('the answer is not complete, or is written as events');
    return message;
  }

  #readJson(text: string): void {
    const body = parseFirst(text);
    if (isObject(body)) {
      this.#identify(body);
      if (this.#isOfOtherApi(body)) return;
      (this.#responses ?? this.#chunks).readWhole(body);
      this.#machine.complete(true);
    } else {
      const { message } = readErrorBody(text);
      this.#machine.fail(new ApiError('bad_gateway', `the provider did not answer with JSON: ${message}`));
    }
  }

  /** The readers throw when an answer has no end in sight, or no bottom; that fails the answer, not the caller. */
  #failWith(error: unknown): void {
    if (!(error instanceof ApiError)) throw error;
    this.#machine.fail(error);
  }

  readonly #readEvent = (data: string, event: string | undefined): void => {
    if (this.outcome.ended) return;
    // The events of the Responses API say in their data what they are, too.
    const text = event === undefined || this.#responses !== undefined ? this.#template.match(data) : undefined;
    if (text !== undefined && this.#acceptText(text)) {
      this.#badLines = 0;
    } else if (data.trim() === '[DONE]') {
      if (this.#responses === undefined) this.#machine.complete();
      else this.#endWithout();
    } else {
      this.#readChunk(data, event);
    }
  };

  #acceptText(text: string): boolean {
    if (this.#responses !== undefined) return this.#responses.continueText(text);
    if (text !== '') this.#accept({ kind: 'text', text });
    return true;
  }

  /** The body has ended, or says that it will; the machine knows whether all had been said. */
  #endWithout(): void {
    if (this.#context.settings.terminalRepair) this.#responses?.endWithout();
    this.#machine.end();
  }

  #readChunk(data: string, event: string | undefined): void {
    const chunk = parseFirst(data);
    if (this.#responses !== undefined && isObject(chunk)) {
      this.#readResponseEvent(this.#responses, chunk, data, event);
    } else if (event === 'error' && !(isObject(chunk) && isErrorBody(chunk))) {
      this.#machine.fail(this.#context.toApiError(readErrorBody(data)));
    } else if (isObject(chunk)) {
      this.#badLines = 0;
      this.#identify(chunk);
      this.#deltas = 0;
      this.#chunks.read(chunk);
      const last = this.#lastDelta;
      if (this.#deltas === 1 && last?.kind === 'text') this.#template.learn(data, last.text);
    } else {
      this.#countBadLine();
    }
  }

  #readResponseEvent(reader: ResponseEventReader, chunk: JsonObject, data: string, event: string | undefined): void {
    this.#badLines = 0;
    if (this.#isOfOtherApi(chunk)) return;
    const { response } = chunk;
    if (isObject(response)) this.#identify(response);
    this.#deltas = 0;
    reader.read(chunk, event);
    const last = this.#lastDelta;
    if (this.#deltas === 1 && last?.kind === 'text' && this.#template.learn(data, last.text)) reader.rememberText();
  }

  /** Some servers answer by chat completions whatever they are asked for: they do not know the Responses API. */
  #isOfOtherApi(answer: JsonObject): boolean {
    if (this.#responses === undefined || this.outcome.started || !Array.isArray(answer['choices'])) return false;
    this.#machine.fail(this.#context.toApiError({ message: 'it answered with a chat completion', status: 404 }));
    return true;
  }

  #countBadLine(): void {
    this.outcome.skippedLines += 1;
    this.#badLines += 1;
    if (this.#badLines < BAD_LINES_MAX) return;
    this.#machine.fail(
      new ApiError('bad_gateway', `the provider sent ${BAD_LINES_MAX} lines in a row that are not JSON`),
    );
  }

  readonly #accept = (delta: Delta): void => {
    this.#deltas += 1;
    this.#lastDelta = delta;
    const { deltaRepair } = this.#context;
    if (deltaRepair === undefined) this.#machine.accept(delta);
    else for (const repaired of deltaRepair(delta)) this.#machine.accept(repaired);
  };

  #identify({ id, model, service_tier: tier }: JsonObject): void {
    const { outcome } = this;
    if (typeof id === 'string' && id !== '') outcome.upstreamId ??= id.slice(0, NAME_MAX);
    if (typeof model === 'string' && model !== '') outcome.upstreamModel ??= model.slice(0, NAME_MAX);
    // What was asked for comes first, what was got at the end.
    if (typeof tier === 'string' && tier !== '') outcome.serviceTier = tier.slice(0, NAME_MAX);
  }

  #written(): string {
    return this.#writer === undefined ? '' : this.#writer.take();
  }
}

/**
 * The JSON value, or the first one of a list: some providers wrap their errors. Undefined when it is not JSON.
 * @throws ApiError for what is nested too deep
 */
function parseFirst(text: string): unknown {
  try {
    const value = parseBounded(text);
    return Array.isArray(value) ? value[0] : value;
  } catch (error) {
    if (error instanceof ApiError) throw error;
    return undefined;
  }
}
