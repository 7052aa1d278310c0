import { tlsHint } from '../core/errorHints.ts';
import { ApiError } from '../core/errors.ts';
import type { FailureContext } from './errors.ts';

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (typeof code === 'string') return code;
  // An answer that is not HTTP has a name in place of a code.
  return error instanceof Error ? error.name : '';
}

/**
 * A request that got no answer.
 * @param elapsedMs how long the attempt took
 */
export function failureOfTransport(error: unknown, elapsedMs: number, context: FailureContext): ApiError {
  const code = codeOf(error);
  const prefix = `[${context.provider}] `;
  if (code === 'UND_ERR_HEADERS_TIMEOUT') return failureToBegin(elapsedMs, 'REQUEST_TIMEOUT', context);
  const hint = tlsHint(code);
  if (hint !== undefined) {
    return new ApiError('bad_gateway', `${prefix}TLS failed (${code}): ${hint}`, { shouldRetry: false });
  }
  if (code === 'HTTPParserError' || code.startsWith('HPE_')) {
    return new ApiError('bad_gateway', `${prefix}the server does not answer in HTTP: check OPENAI_BASE_URL`);
  }
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new ApiError('bad_gateway', `${prefix}the headers of the answer are too large: check OPENAI_BASE_URL`);
  }
  const words = context.redact(error instanceof Error ? error.message : String(error)).slice(0, 200);
  return new ApiError('overloaded', `${prefix}connection failed (${code || 'unknown'}): ${words}`);
}

/** After this long the client shall not repeat a request that timed out, in ms. */
const REPEATABLE_MS = 60_000;

/**
 * An answer that did not begin in time.
 * @param setting the name of the limit that was reached
 */
export function failureToBegin(elapsedMs: number, setting: string, context: FailureContext): ApiError {
  return new ApiError(
    'upstream_timeout',
    `[${context.provider}] no answer within ${Math.round(elapsedMs / 1000)} s (${setting})`,
    elapsedMs > REPEATABLE_MS ? { shouldRetry: false } : {},
  );
}

/** An answer that had begun and then said nothing for so long. */
export function failureToGoOn(silentMs: number, context: FailureContext): ApiError {
  return new ApiError('overloaded', `[${context.provider}] the answer stopped for ${Math.round(silentMs / 1000)} s`);
}

/** An answer whose head came, and whose body broke off or cannot be decoded. */
export function failureToComplete(error: Error, context: FailureContext): ApiError {
  const words = context.redact(error.message).slice(0, 200);
  return new ApiError('overloaded', `[${context.provider}] the answer broke off (${codeOf(error)}): ${words}`);
}
