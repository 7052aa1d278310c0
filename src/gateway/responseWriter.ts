import type { ApiError } from '../core/errors.ts';
import { PausableTimer } from '../upstream/exchange.ts';

/**
 * The client's side of one request, without an HTTP framework in sight. The gateway writes Anthropic's words into it; the
 * server room connects it to a socket.
 */
export interface ResponseWriter {
  /** Sends a whole answer. */
  sendJson(status: number, headers: Readonly<Record<string, string>>, body: string): void;
  /** Begins an event stream with status 200. */
  openStream(headers?: Readonly<Record<string, string>>): void;
  /** Appends to the event stream; false means that the client reads too slowly and `onDrain` will be called. */
  write(output: string | Uint8Array): boolean;
  /** Ends the event stream, with a last output if there is one. */
  end(output: string | Uint8Array): void;
  onDrain(listener: () => void): void;
  /** Calls back once when the client goes away before its answer is complete, at once when it has gone already (R320). */
  onGone(listener: () => void): void;
}

export interface SseResponseOptions {
  /** The sign of life in a silence; undefined where nothing may stand between what is relayed. */
  readonly ping: string | undefined;
  /** The words that end a stream which cannot be completed. */
  readonly errorText: (error: ApiError) => string;
  /** Downstream silence after which a ping is sent, in ms. */
  readonly pingMs: number;
  /** Silence from the start after which the 200 and the pings begin, in ms. */
  readonly headerWaitMs: number;
  /** Further headers, asked for when the stream begins. */
  readonly headers: () => Readonly<Record<string, string>>;
}

/**
 * The event stream to the client: holds the 200 back until there is something to say or the silence grows too long (R317,
 * R321), pings through silences, and tells when the client reads too slowly (R323).
 */
export class SseResponse {
  readonly #writer: ResponseWriter;
  readonly #options: SseResponseOptions;
  /** Runs while nothing is written. */
  readonly #silence = new PausableTimer();
  #blocked = false;
  #open = false;
  #ended = false;

  constructor(writer: ResponseWriter, options: SseResponseOptions, onReady: () => void) {
    this.#writer = writer;
    this.#options = options;
    if (options.ping !== undefined) this.#silence.start(options.headerWaitMs, () => this.#begin());
    writer.onDrain(() => {
      this.#blocked = false;
      onReady();
    });
  }

  /** Whether the 200 is out, so that an error can no longer have a status of its own. */
  get open(): boolean {
    return this.#open;
  }

  /** Whether the client has not yet taken what was written. */
  get blocked(): boolean {
    return this.#blocked;
  }

  write(output: string | Uint8Array): void {
    if (output.length === 0 || this.#ended) return;
    if (this.#open) this.#silence.refresh();
    else this.#openWriter();
    if (!this.#writer.write(output)) this.#blocked = true;
  }

  end(output: string | Uint8Array = ''): void {
    if (this.#ended) return;
    if (!this.#open) this.#openWriter();
    this.close();
    this.#writer.end(output);
  }

  /** Ends an open stream with an error event; never after a regular end (R318, R411). */
  fail(error: ApiError): void {
    this.end(this.#options.errorText(error));
  }

  /** Stops the timers without a word, because the client is gone or gets a whole answer. */
  close(): void {
    this.#ended = true;
    this.#silence.stop();
  }

  #openWriter(): void {
    this.#open = true;
    this.#writer.openStream(this.#options.headers());
    const { ping, pingMs } = this.#options;
    if (ping !== undefined) this.#silence.start(pingMs, () => this.#sendPing(ping));
  }

  #begin(): void {
    this.#openWriter();
    this.#sendPing(this.#options.ping ?? '');
  }

  #sendPing(ping: string): void {
    // A client that has not yet read what it has needs no sign of life, and more would only fill memory.
    if (!this.#blocked) this.#blocked = !this.#writer.write(ping);
    this.#silence.refresh();
  }
}
