import type { ServerResponse } from 'node:http';

/**
 * Calls back once when the client has gone before its answer was complete (R320). The response's own `close` tells it; the
 * request's signal of the web framework fires while the client is still there, so that it is not used (measured).
 */
export function onClientGone(response: ServerResponse, listener: () => void): void {
  response.once('close', () => {
    if (!response.writableFinished) listener();
  });
}
