import type { ApiError } from '../../core/errors.ts';

/** An error in the form that clients of chat completions read. */
export function chatErrorBody(error: ApiError): string {
  return JSON.stringify({ error: { message: error.message, type: error.type, code: error.code, param: null } });
}

/** The same as the last event of a stream that cannot be completed. */
export function chatErrorEvent(error: ApiError): string {
  return `data: ${chatErrorBody(error)}\n\n`;
}
