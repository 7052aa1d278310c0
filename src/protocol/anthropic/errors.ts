import type { ApiError } from '../../core/errors.ts';

/** The body of an error answer in Anthropic's envelope. */
export function errorBody(error: ApiError, requestId: string): string {
  const { type, message, anthropicCode } = error;
  const details = anthropicCode === undefined ? {} : { details: { error_code: anthropicCode } };
  return JSON.stringify({
    type: 'error',
    error: { type, message, ...details },
    request_id: requestId,
  });
}

/** The headers that say whether and when the client shall repeat. */
export function errorHeaders(error: ApiError): Record<string, string> {
  return {
    ...(error.shouldRetry === undefined ? {} : { 'x-should-retry': String(error.shouldRetry) }),
    ...(error.retryAfterSeconds === undefined ? {} : { 'retry-after': String(error.retryAfterSeconds) }),
  };
}

/** The event that ends a stream which cannot be completed. */
export function errorEvent(error: ApiError): string {
  const data = JSON.stringify({ type: 'error', error: { type: error.type, message: error.message } });
  return `event: error\ndata: ${data}\n\n`;
}

/** The sign of life in a silence. */
export const PING_EVENT = 'event: ping\ndata: {"type":"ping"}\n\n';
