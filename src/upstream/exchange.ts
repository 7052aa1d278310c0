import { ApiError, asApiError } from '../core/errors.ts';
import { type FailureContext, failureOfResponse } from './errors.ts';
import { failureOfTransport, failureToBegin, failureToComplete, failureToGoOn } from './transportErrors.ts';
import type { AnswerReader, Output, ResponseHeaders, Upstream, UpstreamCall, UpstreamRequest } from './upstream.ts';

/** How the body of an answer is read: as events, as one JSON text, or as the words of an error. */
export type AnswerForm = 'events' | 'json' | 'error';

const BLANKS: ReadonlySet<number> = new Set([0x20, 0x0a, 0x0d, 0x09]);

/** What the head says; undefined when the first byte must decide, as it must for JSON: events come under that name too (R220). */
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

/** A limit in time, one at once: it stands still while the answer is paused, and begins anew when the answer goes on. */
export class PausableTimer {
  #ms = 0;
  #onReached: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #paused = false;

  /** Begins a limit of so many milliseconds; an earlier one is forgotten. */
  start(ms: number, onReached: () => void): void {
    this.#ms = ms;
    this.#onReached = onReached;
    if (!this.#paused) this.#run();
  }

  /** Begins the same limit anew, also one that was reached. */
  refresh(): void {
    this.#timer?.refresh();
  }

  pause(): void {
    this.#paused = true;
    this.#clear();
  }

  resume(): void {
    this.#paused = false;
    this.#run();
  }

  stop(): void {
    this.#onReached = undefined;
    this.#clear();
  }

  #run(): void {
    this.#clear();
    if (this.#onReached !== undefined) this.#timer = setTimeout(this.#onReached, this.#ms);
  }

  #clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** How long the silence before an answer's first output is borne, because somebody else could be asked. */
export interface FirstByteTimeout {
  readonly ms: number;
  /** Name of the setting that it comes from. */
  readonly setting: string;
  /** Asked when it is reached, as nobody else may be left by then. */
  readonly shouldFailOver: () => boolean;
}

export interface ExchangeOptions {
  readonly upstream: Upstream;
  readonly request: UpstreamRequest;
  readonly reader: AnswerReader;
  /** Silence within the answer after which it is given up, in ms (R326). */
  readonly idleTimeoutMs: number;
  /** Time without any output after which an answer that shows other signs of life is given up, in ms. */
  readonly requestTimeoutMs: number;
  /** Undefined where there is nobody else. */
  readonly firstByteTimeout: FirstByteTimeout | undefined;
  /** How long to wait for the usage after the answer has finished, in ms (R313). */
  readonly usageWaitMs: number;
  /** Whether an empty answer is held back, because it will be asked for again (R215). */
  readonly holdEmpty: boolean;
  readonly failureContext: () => FailureContext;
  /** Output for the client, once per read; `last` comes with the end of the answer. */
  readonly onOutput: (output: Output, last: boolean) => void;
  readonly now: () => number;
}

export type ExchangeResult =
  | { readonly kind: 'done' }
  | { readonly kind: 'empty' }
  | { readonly kind: 'failed'; readonly error: ApiError }
  | { readonly kind: 'aborted' };

/** An error's first bytes say enough; more than these, or longer than this, it is not read. */
const ERROR_BODY_MAX = 64 * 1024;
const ERROR_BODY_MS = 3000;
const JSON_BODY_MAX = 64 * 1024 * 1024;
/** How long a connection may need to close its answer after the last event before it is dropped instead of kept. */
const TAIL_MS = 1000;

/** One request to the provider and its answer, from sending to the last event. */
export class Exchange {
  readonly result: Promise<ExchangeResult>;
  readonly #options: ExchangeOptions;
  readonly #startedAt: number;
  readonly #call: UpstreamCall;
  /** Runs between two reads. */
  readonly #idle = new PausableTimer();
  /** Runs in a silence before the first output. */
  readonly #patience = new PausableTimer();
  /** Runs until what is waited for has come: output, the usage after it, an error's body, the end of the connection. */
  readonly #stage = new PausableTimer();
  #resolve: (result: ExchangeResult) => void = () => {};
  #settled = false;
  #form: AnswerForm | undefined;
  #status = 0;
  #headers: ResponseHeaders = {};
  #body: Uint8Array[] = [];
  #bodyBytes = 0;
  #hasOutput = false;
  #awaitsUsage = false;
  #closed = false;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#startedAt = options.now();
    this.result = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#call = options.upstream.send(options.request, {
      onHead: (status, headers) => this.#protect(() => this.#onHead(status, headers)),
      onData: (bytes) => this.#protect(() => this.#onData(bytes)),
      onEnd: () => this.#protect(() => this.#onEnd()),
      onError: (error) => this.#protect(() => this.#onError(error)),
    });
    const { firstByteTimeout: patience } = options;
    if (patience !== undefined) this.#limit(this.#patience, patience.ms, () => this.#losePatience(patience));
  }

  /** Headers of the answer, empty until they have come. */
  get headers(): ResponseHeaders {
    return this.#headers;
  }

  /** Whether the provider has answered, with whatever. */
  get isReached(): boolean {
    return this.#status !== 0;
  }

  abort(): void {
    this.#settle({ kind: 'aborted' });
    this.#call.abort();
  }

  /** Ends the answer with an error of our own; one that lacked nothing but its end is completed instead. */
  fail(error: ApiError): void {
    this.#protect(() => this.#fail(error));
  }

  /** Stops reading while the client is slow; that time does not count as the provider's silence (R323). */
  pause(): void {
    if (this.#settled) return;
    this.#idle.pause();
    this.#stage.pause();
    this.#call.pause();
  }

  resume(): void {
    if (this.#settled) return;
    this.#idle.resume();
    this.#stage.resume();
    this.#call.resume();
  }

  #onHead(status: number, headers: ResponseHeaders): void {
    const { idleTimeoutMs, requestTimeoutMs } = this.#options;
    this.#patience.refresh();
    this.#status = status;
    this.#headers = headers;
    this.#limit(this.#idle, idleTimeoutMs, () => this.#fail(this.#failureOfSilence()));
    this.#limit(this.#stage, requestTimeoutMs, () => this.#fail(this.#failureOfDrip()));
    this.#setForm(formOfHead(status, String(headers['content-type'] ?? '').toLowerCase()));
  }

  #setForm(form: AnswerForm | undefined): void {
    this.#form = form;
    if (form === 'error') this.#limit(this.#stage, ERROR_BODY_MS, () => this.#fail(this.#failureOfAnswer()));
  }

  #onData(bytes: Uint8Array): void {
    if (this.#settled) return;
    this.#idle.refresh();
    this.#patience.refresh();
    if (this.#form === undefined) this.#setForm(formOfBytes(bytes));
    if (this.#form === 'events') this.#deliver(this.#options.reader.pushBytes(bytes));
    else if (this.#form !== undefined) this.#collect(bytes);
  }

  #collect(bytes: Uint8Array): void {
    this.#body.push(bytes);
    this.#bodyBytes += bytes.length;
    if (this.#form === 'error' && this.#bodyBytes > ERROR_BODY_MAX) this.#fail(this.#failureOfAnswer());
    if (this.#bodyBytes > JSON_BODY_MAX) this.#fail(new ApiError('bad_gateway', 'the answer is larger than 64 MiB'));
  }

  #onEnd(): void {
    this.#close();
    if (this.#settled) return;
    const { reader } = this.#options;
    if (this.#form === 'error') this.#fail(this.#failureOfAnswer());
    else if (this.#form === 'json') this.#deliver(reader.pushJson(this.#text()));
    if (!this.#settled) this.#deliver(reader.end());
    if (!this.#settled) this.#settle({ kind: 'done' });
  }

  #onError(error: Error): void {
    this.#close();
    if (this.#settled) return;
    const { now, failureContext } = this.#options;
    if (this.#form === 'error') this.#fail(this.#failureOfAnswer());
    else if (this.#status !== 0) this.#fail(failureToComplete(error, failureContext()));
    else this.#fail(failureOfTransport(error, now() - this.#startedAt, failureContext()));
  }

  #text(): string {
    return Buffer.concat(this.#body).toString('utf8');
  }

  #failureOfAnswer(): ApiError {
    // A page with status 200 comes from something that is not the provider's API.
    const status = this.#status >= 200 && this.#status < 300 ? 404 : this.#status;
    return failureOfResponse(status, this.#headers, this.#text(), this.#options.failureContext());
  }

  #failureOfSilence(): ApiError {
    const { idleTimeoutMs, now, failureContext } = this.#options;
    if (this.#hasOutput) return failureToGoOn(idleTimeoutMs, failureContext());
    return failureToBegin(now() - this.#startedAt, 'QUIRK_IDLE_TIMEOUT_MS', failureContext());
  }

  /** Signs of life alone, without a word: pings hide it from the client, so that only this ends it. */
  #failureOfDrip(): ApiError {
    const { requestTimeoutMs, now, failureContext } = this.#options;
    if (this.#hasOutput) return failureToGoOn(requestTimeoutMs, failureContext());
    return failureToBegin(now() - this.#startedAt, 'REQUEST_TIMEOUT', failureContext());
  }

  #losePatience({ setting, shouldFailOver: isOver }: FirstByteTimeout): void {
    const { now, failureContext } = this.#options;
    if (isOver()) this.#fail(failureToBegin(now() - this.#startedAt, setting, failureContext()));
  }

  #fail(error: ApiError): void {
    if (!this.#settled) this.#deliver(this.#options.reader.fail(error));
  }

  #deliver(output: Output): void {
    const { reader, holdEmpty, onOutput } = this.#options;
    const { outcome } = reader;
    if (outcome.error !== undefined) {
      if (output.length > 0) onOutput(output, true);
      this.#settle({ kind: 'failed', error: outcome.error });
      this.#call.abort();
    } else if (outcome.ended) {
      const held = outcome.empty && holdEmpty;
      if (!held) onOutput(output, true);
      this.#leave({ kind: held ? 'empty' : 'done' });
    } else {
      if (output.length > 0) this.#forward(output);
      if (outcome.finished) this.#awaitUsage();
    }
  }

  #forward(output: Output): void {
    this.#hasOutput = true;
    this.#patience.stop();
    this.#stage.refresh();
    this.#options.onOutput(output, false);
  }

  #awaitUsage(): void {
    if (this.#awaitsUsage) return;
    this.#awaitsUsage = true;
    const { reader, usageWaitMs } = this.#options;
    this.#limit(this.#stage, usageWaitMs, () => this.#deliver(reader.settle()));
  }

  /** The answer is complete: the rest of the body is let in, so that the connection can be used again. */
  #leave(result: ExchangeResult): void {
    this.#settle(result);
    if (this.#closed) return;
    this.#call.resume();
    this.#stage.resume();
    this.#limit(this.#stage, TAIL_MS, () => this.#call.abort());
  }

  #close(): void {
    this.#closed = true;
    if (this.#settled) this.#stage.stop();
  }

  #limit(limit: PausableTimer, ms: number, onReached: () => void): void {
    limit.start(ms, () => this.#protect(onReached));
  }

  /** A fault of the proxy itself ends this one answer; thrown into a timer or a decoder it would end the process (R414). */
  #protect(action: () => void): void {
    try {
      action();
    } catch (thrown) {
      this.#settle({ kind: 'failed', error: asApiError(thrown) });
      this.#call.abort();
    }
  }

  #settle(result: ExchangeResult): void {
    this.#idle.stop();
    this.#patience.stop();
    this.#stage.stop();
    this.#settled = true;
    this.#resolve(result);
  }
}
