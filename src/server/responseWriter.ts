import type { ServerResponse } from 'node:http';
import type { ResponseWriter } from '../gateway/responseWriter.ts';

/**
 * Calls back once when the client has gone before its answer was complete (R320). The response's own `close` tells it; the
 * request's signal of the web framework fires while the client is still there, so that it is not used (measured).
 */
export function onClientGone(response: ServerResponse, listener: () => void): void {
  response.once('close', () => {
    if (!response.writableFinished) listener();
  });
}

const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  // Some reverse proxies hold event streams back unless told otherwise (R324).
  'x-accel-buffering': 'no',
};

/** Connects the gateway to a socket. A closed one swallows what is written, because the gateway learns it by `onGone`. */
export function createResponseWriter(
  response: ServerResponse,
  requestId: string,
  isDraining: () => boolean,
): ResponseWriter {
  const common = (): Record<string, string> => ({
    'request-id': requestId,
    ...(isDraining() ? { connection: 'close' } : {}),
  });
  return {
    sendJson(status, headers, body) {
      if (response.destroyed) return;
      if (response.headersSent) {
        // A second head is not possible (R411), and an answer that breaks off is better than one that never ends.
        response.destroy();
        return;
      }
      response.writeHead(status, {
        ...headers,
        ...common(),
        'content-type': 'application/json; charset=utf-8',
        'content-length': Buffer.byteLength(body),
      });
      response.end(body);
    },
    openStream(headers) {
      if (response.destroyed || response.headersSent) return;
      response.writeHead(200, { ...headers, ...STREAM_HEADERS, ...common() });
    },
    write: (output) => response.destroyed || response.write(output),
    end(output) {
      if (response.destroyed) return;
      if (output.length === 0) response.end();
      else response.end(output);
    },
    onDrain: (listener) => {
      response.on('drain', listener);
    },
    onGone: (listener) => {
      // The client may have gone while its request was still being decoded.
      if (response.destroyed) listener();
      else onClientGone(response, listener);
    },
  };
}
