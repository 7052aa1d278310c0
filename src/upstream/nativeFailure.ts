import { ApiError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errorTable.ts';
import type { FailureContext } from './failure.ts';
import { readRetryAfter } from './retryAfter.ts';
import type { ResponseHeaders } from './upstream.ts';

/** Anthropic's error types (platform.claude.com/docs/en/api/errors), with the row of our own table that stands for each. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  invalid_request_error: 'upstream_invalid_request',
  authentication_error: 'upstream_unauthenticated',
  billing_error: 'billing',
  permission_error: 'upstream_forbidden',
  not_found_error: 'unknown_model',
  request_too_large: 'request_too_large',
  rate_limit_error: 'rate_limited',
  timeout_error: 'upstream_timeout',
  api_error: 'provider_failed',
  overloaded_error: 'overloaded',
};

/** What the provider itself says about repeating (R403). */
function readShouldRetry(headers: ResponseHeaders): boolean | undefined {
  const value = headers['x-should-retry'];
  return value === 'true' || value === 'false' ? value === 'true' : undefined;
}

/**
 * An error that a native endpoint tells in Anthropic's own form: the client reads the words and heals itself by them, so they stay
 * as they are, with their status and type. A rejected key is the one exception: behind the words stands whose key it was.
 * Undefined for any other form.
 * @param status of the answer; undefined for an error inside a stream
 */
export function keepNativeError(
  type: string | undefined,
  text: string,
  status: number | undefined,
  context: FailureContext,
  headers: ResponseHeaders,
): ApiError | undefined {
  const code = Object.hasOwn(CODES, type ?? '') ? CODES[type ?? ''] : undefined;
  if (code === undefined) return undefined;
  const retryAfterSeconds = readRetryAfter(headers, text, context.now);
  const shouldRetry = readShouldRetry(headers);
  const words = code === 'upstream_unauthenticated' ? `${text} (the provider rejected ${context.keyName})` : text;
  return new ApiError(code, words, {
    ...(status === undefined || status < 400 ? {} : { status }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(shouldRetry === undefined ? {} : { shouldRetry }),
  });
}
