import type { ApiError } from '../core/errors.ts';
import type { OutputSink } from '../upstream/exchange.ts';
import { PausableTimer } from '../upstream/timing.ts';

/**
 * The client's side of one request, without an HTTP framework in sight. The gateway writes the answer into it; the server connects it
 * to a socket.
 */
export interface ResponseWriter {
  /** Sends a whole answer. */
  sendJson(status: number, headers: Readonly<Record<string, string>>, body: string): void;
  /** Begins an event stream with status 200. */
  openStream(headers?: Readonly<Record<string, string>>): void;
  /** Appends to the event stream; false means that the client reads too slowly and that `onDrain` says when it can take more. */
  write(output: string | Uint8Array): boolean;
  /** Ends the event stream, with a last output if there is one. */
  end(output: string | Uint8Array): void;
  /** Calls back once, when the client has read what was written. */
  onDrain(listener: () => void): void;
  /** Calls back once when the client goes away before its answer is complete, at once when it has gone already. */
  onGone(listener: () => void): void;
}

/** What an endpoint writes into its event streams besides the answer. */
export interface SseFormat {
  /** The sign of life in a silence; undefined where nothing may stand between what is relayed. */
  readonly ping: string | undefined;
  /** The text that ends a stream which cannot be completed. */
  readonly errorText: (error: ApiError) => string;
}

export interface SseTimes {
  /** Downstream silence after which a ping is sent, in ms. */
  readonly pingMs: number;
  /** Silence from the start after which the 200 and the pings begin, in ms. */
  readonly headerWaitMs: number;
}

/** Where an event stream comes from. */
export interface SseSource {
  /** Further headers, asked for when the stream begins. */
  responseHeaders(): Readonly<Record<string, string>>;
  /** Whether the answer has turned out to be one JSON body. */
  readonly isWhole: boolean;
  /** Goes on after `write` has returned false. */
  resume(): void;
}

/**
 * The event stream to the client: holds the 200 back until there is something to say or the silence grows too long, pings through
 * silences, and lets its source pause while the client reads too slowly.
 */
export class SseResponse implements OutputSink {
  readonly #writer: ResponseWriter;
  readonly #source: SseSource;
  readonly #format: SseFormat;
  readonly #times: SseTimes;
  /** Runs while nothing is written. */
  readonly #silence = new PausableTimer();
  #blocked = false;
  #open = false;
  #ended = false;
  #body = '';

  constructor(writer: ResponseWriter, source: SseSource, format: SseFormat, times: SseTimes) {
    this.#writer = writer;
    this.#source = source;
    this.#format = format;
    this.#times = times;
    if (format.ping !== undefined) this.#silence.start(times.headerWaitMs, () => this.#sendPing());
  }

  /** Whether the 200 is out, so that an error can no longer have a status of its own. */
  get open(): boolean {
    return this.#open;
  }

  /** What the source has ended with, where it gave one JSON body: nothing of that is written. */
  get body(): string {
    return this.#body;
  }

  write(output: string | Uint8Array): boolean {
    if (output.length === 0 || this.#ended) return true;
    if (this.#open) this.#silence.refresh();
    else this.#begin();
    if (!this.#writer.write(output)) this.#block();
    return !this.#blocked;
  }

  end(output: string | Uint8Array): void {
    if (this.#source.isWhole) this.#body += output;
    else this.#end(output);
  }

  /** Ends an open stream with an error event; never after a regular end. */
  fail(error: ApiError): void {
    this.#end(this.#format.errorText(error));
  }

  /** Stops the timers without a word, because the client is gone or gets a whole answer. */
  close(): void {
    this.#ended = true;
    this.#silence.stop();
  }

  #end(output: string | Uint8Array): void {
    if (this.#ended) return;
    if (!this.#open) this.#openStream();
    this.close();
    this.#writer.end(output);
  }

  #openStream(): void {
    this.#open = true;
    this.#writer.openStream(this.#source.responseHeaders());
  }

  #begin(): void {
    this.#openStream();
    if (this.#format.ping !== undefined) this.#silence.start(this.#times.pingMs, () => this.#sendPing());
  }

  #sendPing(): void {
    if (!this.#open) this.#begin();
    // A client that has not yet read what it has needs no sign of life, and more would only fill memory.
    if (!this.#blocked && !this.#writer.write(this.#format.ping ?? '')) this.#block();
    this.#silence.refresh();
  }

  #block(): void {
    if (this.#blocked) return;
    this.#blocked = true;
    this.#writer.onDrain(() => {
      this.#blocked = false;
      this.#source.resume();
    });
  }
}
