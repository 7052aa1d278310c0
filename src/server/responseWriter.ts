import type { ServerResponse } from 'node:http';
import type { ResponseWriter } from '../gateway/responseWriter.ts';

/**
 * Calls back once when the client has gone before its answer was complete. The response's own `close` says so; the request's signal of
 * the web framework fires while the client is still there, so that it is not used (measured).
 */
export function onClientGone(response: ServerResponse, listener: () => void): void {
  response.once('close', () => {
    if (!response.writableFinished) listener();
  });
}

const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  // Some reverse proxies hold event streams back otherwise.
  'x-accel-buffering': 'no',
};

/** Connects the gateway to a socket. A closed one swallows what is written, because the gateway hears of that by `onGone`. */
export class HttpResponseWriter implements ResponseWriter {
  readonly #response: ServerResponse;
  readonly #requestId: string;
  readonly #isDraining: () => boolean;
  readonly #idHeader: string;

  /** @param idHeader where the client looks for the id of its request: Anthropic's name for it, or OpenAI's */
  constructor(
    response: ServerResponse,
    requestId: string,
    isDraining: () => boolean,
    idHeader: 'request-id' | 'x-request-id' = 'request-id',
  ) {
    this.#response = response;
    this.#idHeader = idHeader;
    this.#requestId = requestId;
    this.#isDraining = isDraining;
  }

  sendJson(status: number, headers: Readonly<Record<string, string>>, body: string): void {
    const response = this.#response;
    if (response.destroyed) return;
    if (response.headersSent) {
      // A second head is not possible, and an answer that breaks off is better than one that never ends.
      response.destroy();
      return;
    }
    this.#writeHead(status, {
      ...headers,
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
    });
    response.end(body);
  }

  openStream(headers?: Readonly<Record<string, string>>): void {
    if (this.#response.destroyed || this.#response.headersSent) return;
    this.#writeHead(200, { ...headers, ...STREAM_HEADERS });
  }

  write(output: string | Uint8Array): boolean {
    return this.#response.destroyed || this.#response.write(output);
  }

  end(output: string | Uint8Array): void {
    if (this.#response.destroyed) return;
    if (output.length === 0) this.#response.end();
    else this.#response.end(output);
  }

  onDrain(listener: () => void): void {
    this.#response.once('drain', listener);
  }

  onGone(listener: () => void): void {
    // The client may have gone while its request was still being decoded.
    if (this.#response.destroyed) listener();
    else onClientGone(this.#response, listener);
  }

  #writeHead(status: number, headers: Record<string, string>): void {
    headers['request-id'] = this.#requestId;
    headers[this.#idHeader] = this.#requestId;
    if (this.#isDraining()) headers['connection'] = 'close';
    this.#response.writeHead(status, headers);
  }
}
