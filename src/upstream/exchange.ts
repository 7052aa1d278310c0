import type { Clock } from '../core/clock.ts';
import { ApiError, asApiError } from '../core/errors.ts';
import { ANSWER_MAX } from '../protocol/bounds.ts';
import {
  type FailureContext,
  failureOfResponse,
  failureOfTransport,
  failureToBegin,
  failureToComplete,
  failureToGoOn,
} from './errors.ts';
import { PausableTimer } from './timing.ts';
import type {
  AnswerReader,
  Output,
  ResponseHeaders,
  Upstream,
  UpstreamCall,
  UpstreamHandler,
  UpstreamRequest,
} from './upstream.ts';

/** How the body of an answer is read: as events, as one JSON text, or as the text of an error. */
export type AnswerForm = 'events' | 'json' | 'error';

const BLANKS: ReadonlySet<number> = new Set([0x20, 0x0a, 0x0d, 0x09]);

/** What the head says; undefined when the first byte must decide, as it must for JSON: some providers send events under that name too. */
export function formOfHead(status: number, contentType: string): AnswerForm | undefined {
  if (status < 200 || status >= 300) return 'error';
  return contentType.includes('text/event-stream') ? 'events' : undefined;
}

/** A brace begins JSON, an angle bracket a page, anything else events; undefined while there are only blanks. */
export function formOfBytes(bytes: Uint8Array): AnswerForm | undefined {
  const first = bytes.find((byte) => !BLANKS.has(byte));
  if (first === undefined) return undefined;
  if (first === 0x7b || first === 0x5b) return 'json';
  return first === 0x3c ? 'error' : 'events';
}

/** How long the silence before an answer's first output may be, because another server could be asked. */
export interface FirstByteTimeout {
  readonly ms: number;
  /** Name of the setting that it comes from. */
  readonly setting: string;
  /** Asked when the time is over, as nobody else may be left by then. */
  readonly shouldFailOver: () => boolean;
}

/** One request as it is sent, who reads its answer, and how long the answer may be silent. */
export interface UpstreamAttempt {
  readonly request: UpstreamRequest;
  readonly reader: AnswerReader;
  /** Silence within the answer after which it is given up, in ms. */
  readonly idleTimeoutMs: number;
  /** How long to wait for the usage after the answer has finished, in ms. */
  readonly usageWaitMs: number;
}

/** Where the output of an answer goes. */
export interface OutputSink {
  /** Takes the next output; false when its reader is slow, so that the answer pauses until `resume` is called. */
  write(output: Output): boolean;
  /** Takes the last output, which may be empty. */
  end(output: Output): void;
}

/** For an answer of which nothing is handed on. */
export const DISCARD: OutputSink = { write: () => true, end: () => {} };

export interface ExchangeOptions {
  readonly upstream: Upstream;
  readonly attempt: UpstreamAttempt;
  /** Time without any output after which an answer that shows other signs of life is given up, in ms. */
  readonly requestTimeoutMs: number;
  /** Undefined where there is nobody else to ask. */
  readonly firstByteTimeout?: FirstByteTimeout | undefined;
  /** Whether an empty answer is held back, because it will be asked for again. */
  readonly holdEmpty?: boolean;
  readonly failures: { failureContext(): FailureContext };
  readonly sink: OutputSink;
  /** Called before the first output goes to the sink. */
  readonly onFirstOutput?: () => void;
  /** Ends the answer: with its reason where that is an ApiError, else without a word. An answer that lacks only its end is completed. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

export type ExchangeResult =
  | { readonly kind: 'done' }
  | { readonly kind: 'empty' }
  | { readonly kind: 'failed'; readonly error: ApiError }
  | { readonly kind: 'aborted' };

const DONE: ExchangeResult = { kind: 'done' };
const EMPTY: ExchangeResult = { kind: 'empty' };
const ABORTED: ExchangeResult = { kind: 'aborted' };

/** How an answer ends whose signal has aborted. */
export function resultOfAbort({ reason }: AbortSignal): ExchangeResult {
  return reason instanceof ApiError ? { kind: 'failed', error: reason } : ABORTED;
}

/** An error's first bytes say enough; more than these, or longer than this, it is not read. */
const ERROR_BODY_MAX = 64 * 1024;
const ERROR_BODY_MS = 3000;
/** A provider that works may send a blank now and then before its answer; more of them are no answer. */
const BLANKS_MAX = 1024 * 1024;
/** Most bytes that all whole answers together may have gathered before their ends, so that many large ones do not fill the memory. */
export const GATHERED_MAX = 128 * 1024 * 1024;
/** How long a connection may need to close its answer after the last event before it is dropped instead of kept. */
const TAIL_MS = 1000;

/**
 * One request to the provider and its answer, from sending to the last event. A fault of the proxy itself ends this one answer; thrown
 * into undici, a timer or a decoder it would end the process.
 */
export class Exchange implements UpstreamHandler {
  /** What all exchanges of the process have gathered of whole answers. */
  static #gatheredBytes = 0;
  readonly result: Promise<ExchangeResult>;
  /** Headers of the answer, empty until they have come. */
  headers: ResponseHeaders = {};
  /** Whether the sink has got a part of the answer. */
  hasOutput = false;
  readonly #options: ExchangeOptions;
  readonly #reader: AnswerReader;
  readonly #startedAt: number;
  readonly #call: UpstreamCall;
  readonly #onAbort = () => this.#abort();
  /** Runs between two reads. */
  readonly #idleTimer = new PausableTimer();
  /** Runs until what is waited for has come: output, the usage after it, an error's body, the end of the connection. */
  readonly #stageTimer = new PausableTimer();
  /** Runs in a silence before the first output. */
  #firstByteTimer: PausableTimer | undefined;
  readonly #resolve: (result: ExchangeResult) => void;
  #settled = false;
  #form: AnswerForm | undefined;
  #status = 0;
  #body: Uint8Array[] = [];
  #bodyBytes = 0;
  #blankBytes = 0;
  #hasBegun = false;
  #awaitsUsage = false;
  #closed = false;
  #isPaused = false;

  constructor(options: ExchangeOptions) {
    const { upstream, attempt, firstByteTimeout, signal, clock } = options;
    this.#options = options;
    this.#reader = attempt.reader;
    this.#startedAt = clock.monotonic();
    const { promise, resolve } = Promise.withResolvers<ExchangeResult>();
    this.result = promise;
    this.#resolve = resolve;
    this.#call = upstream.send(attempt.request, this);
    if (firstByteTimeout !== undefined) {
      this.#firstByteTimer = new PausableTimer();
      this.#firstByteTimer.start(firstByteTimeout.ms, () => this.#guard(() => this.#failOver(firstByteTimeout)));
    }
    if (signal.aborted) this.#abort();
    else signal.addEventListener('abort', this.#onAbort);
  }

  /** Whether the provider has answered, with whatever. */
  get isReached(): boolean {
    return this.#status !== 0;
  }

  /** Goes on after the sink was slow; the time since then does not count as the provider's silence. */
  resume(): void {
    if (this.#settled) return;
    this.#isPaused = false;
    this.#idleTimer.resume();
    this.#stageTimer.resume();
    this.#call.resume();
  }

  onHead(status: number, headers: ResponseHeaders): void {
    this.#firstByteTimer?.refresh();
    this.#status = status;
    this.headers = headers;
    const { attempt, requestTimeoutMs } = this.#options;
    this.#idleTimer.start(attempt.idleTimeoutMs, () =>
      this.#guard(() => this.#timeOut(attempt.idleTimeoutMs, 'QUIRK_IDLE_TIMEOUT_MS')),
    );
    // Signs of life alone, without any output: pings hide it from the client, so that only this ends it.
    this.#stageTimer.start(requestTimeoutMs, () =>
      this.#guard(() => this.#timeOut(requestTimeoutMs, 'REQUEST_TIMEOUT')),
    );
    this.#setForm(formOfHead(status, String(headers['content-type'] ?? '').toLowerCase()));
  }

  onData(bytes: Uint8Array): void {
    if (this.#settled) return;
    this.#idleTimer.refresh();
    this.#firstByteTimer?.refresh();
    try {
      if (this.#form === undefined) this.#findForm(bytes);
      if (this.#form === 'events') this.#deliver(this.#reader.pushBytes(bytes));
      else if (this.#form !== undefined) this.#collect(bytes);
    } catch (thrown) {
      this.#crash(thrown);
    }
  }

  onEnd(): void {
    this.#close();
    if (this.#settled) return;
    try {
      if (this.#form === 'error') this.#fail(this.#failureOfAnswer());
      else if (this.#form === 'json') this.#deliver(this.#reader.pushJson(this.#text()));
      if (!this.#settled) this.#deliver(this.#reader.end());
      if (!this.#settled) this.#settle(DONE);
    } catch (thrown) {
      this.#crash(thrown);
    }
  }

  onError(error: Error): void {
    this.#close();
    if (!this.#settled) this.#guard(() => this.#fail(this.#failureOfError(error)));
  }

  #findForm(bytes: Uint8Array): void {
    this.#setForm(formOfBytes(bytes));
    if (this.#form !== undefined) return;
    this.#blankBytes += bytes.length;
    if (this.#blankBytes > BLANKS_MAX)
      this.#fail(new ApiError('bad_gateway', 'the answer is nothing but blanks, more than 1 MiB of them'));
  }

  #setForm(form: AnswerForm | undefined): void {
    this.#form = form;
    if (form === 'error')
      this.#stageTimer.start(ERROR_BODY_MS, () => this.#guard(() => this.#fail(this.#failureOfAnswer())));
  }

  #collect(bytes: Uint8Array): void {
    this.#body.push(bytes);
    this.#bodyBytes += bytes.length;
    Exchange.#gatheredBytes += bytes.length;
    if (Exchange.#gatheredBytes > GATHERED_MAX)
      this.#fail(new ApiError('overloaded', 'too many large answers are under way at the same time'));
    if (this.#form === 'error' && this.#bodyBytes > ERROR_BODY_MAX) this.#fail(this.#failureOfAnswer());
    if (this.#bodyBytes > ANSWER_MAX)
      this.#fail(new ApiError('bad_gateway', `the answer is larger than ${ANSWER_MAX} bytes`));
  }

  #text(): string {
    return Buffer.concat(this.#body).toString('utf8');
  }

  #failureOfError(error: Error): ApiError {
    const { clock, failures } = this.#options;
    if (this.#form === 'error') return this.#failureOfAnswer();
    if (this.#status !== 0) return failureToComplete(error, failures.failureContext());
    return failureOfTransport(error, clock.monotonic() - this.#startedAt, failures.failureContext());
  }

  #failureOfAnswer(): ApiError {
    // A page with status 200 comes from something that is not the provider's API.
    const status = this.#status >= 200 && this.#status < 300 ? 404 : this.#status;
    return failureOfResponse(status, this.headers, this.#text(), this.#options.failures.failureContext());
  }

  /** @param setting the name of the setting that the time comes from */
  #timeOut(silentMs: number, setting: string): void {
    const { clock, failures } = this.#options;
    const context = failures.failureContext();
    this.#fail(
      this.hasOutput
        ? failureToGoOn(silentMs, context)
        : failureToBegin(clock.monotonic() - this.#startedAt, setting, context),
    );
  }

  #failOver({ ms, setting, shouldFailOver }: FirstByteTimeout): void {
    if (shouldFailOver()) this.#timeOut(ms, setting);
  }

  #abort(): void {
    const { reason } = this.#options.signal;
    if (reason instanceof ApiError) {
      this.#guard(() => this.#fail(reason));
    } else {
      this.#settle(ABORTED);
      this.#call.abort();
    }
  }

  /** Ends the answer with an error; one that lacked nothing but its end is completed instead. */
  #fail(error: ApiError): void {
    if (!this.#settled) this.#deliver(this.#reader.fail(error));
  }

  #deliver(output: Output): void {
    const { outcome } = this.#reader;
    if (outcome.error !== undefined) {
      if (output.length > 0) this.#end(output);
      this.#settle({ kind: 'failed', error: outcome.error });
      this.#call.abort();
    } else if (outcome.ended) {
      const isHeld = outcome.empty && this.#options.holdEmpty === true;
      if (!isHeld) this.#end(output);
      this.#complete(isHeld ? EMPTY : DONE);
    } else {
      if (output.length > 0) this.#forward(output);
      if (outcome.finished) this.#awaitUsage();
    }
  }

  #forward(output: Output): void {
    if (!this.#hasBegun) this.#begin();
    this.hasOutput = true;
    this.#stageTimer.refresh();
    if (!this.#options.sink.write(output)) this.#pause();
  }

  #end(output: Output): void {
    if (!this.#hasBegun) this.#begin();
    this.hasOutput ||= output.length > 0;
    this.#options.sink.end(output);
  }

  #begin(): void {
    this.#hasBegun = true;
    this.#firstByteTimer?.stop();
    this.#options.onFirstOutput?.();
  }

  #pause(): void {
    this.#isPaused = true;
    this.#idleTimer.pause();
    this.#stageTimer.pause();
    this.#call.pause();
  }

  #awaitUsage(): void {
    if (this.#awaitsUsage) return;
    this.#awaitsUsage = true;
    this.#stageTimer.start(this.#options.attempt.usageWaitMs, () =>
      this.#guard(() => this.#deliver(this.#reader.settle())),
    );
  }

  /** The answer is complete: the rest of the body is let in, so that the connection can be used again. */
  #complete(result: ExchangeResult): void {
    this.#settle(result);
    if (this.#closed) return;
    if (this.#isPaused) {
      this.#call.resume();
      this.#stageTimer.resume();
    }
    this.#stageTimer.start(TAIL_MS, () => this.#call.abort());
  }

  #close(): void {
    this.#closed = true;
    if (this.#settled) this.#stageTimer.stop();
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (thrown) {
      this.#crash(thrown);
    }
  }

  /** Ends the answer after a fault of the proxy itself. */
  #crash(thrown: unknown): void {
    this.#settle({ kind: 'failed', error: asApiError(thrown) });
    this.#call.abort();
  }

  #settle(result: ExchangeResult): void {
    this.#idleTimer.stop();
    this.#firstByteTimer?.stop();
    this.#stageTimer.stop();
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    Exchange.#gatheredBytes -= this.#bodyBytes;
    this.#bodyBytes = 0;
    this.#body = [];
    this.#settled = true;
    this.#resolve(result);
  }
}
