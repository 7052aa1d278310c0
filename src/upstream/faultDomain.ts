import type { ApiError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errorTable.ts';

/**
 * Who a failure is the fault of, which decides what is done about it before the first event:
 * - `request`: every provider would refuse it, or nobody waits for it: nobody else is asked, nothing is held against the provider;
 * - `key`: another key or provider may be accepted; this key cools down;
 * - `model`: another model or provider may serve it, and nothing is held against this provider;
 * - `server`: another provider may serve it, and it counts against this one.
 */
export type FaultDomain = 'request' | 'key' | 'model' | 'server';

const FAULT_DOMAINS: Readonly<Record<ErrorCode, FaultDomain>> = {
  invalid_request: 'request',
  upstream_invalid_request: 'request',
  capability_rejected: 'request',
  context_overflow: 'request',
  max_tokens_overflow: 'request',
  output_exhausted: 'request',
  effort_refused: 'request',
  reasoning_refused: 'request',
  unauthenticated: 'request',
  too_many_attempts: 'request',
  foreign_origin: 'request',
  unknown_route: 'request',
  wrong_method: 'request',
  request_timeout: 'request',
  request_too_large: 'request',
  wrong_content_type: 'request',
  headers_too_large: 'request',
  draining: 'request',
  short_of_memory: 'request',
  missing_provider_key: 'model',
  unknown_model: 'model',
  unknown_endpoint: 'model',
  blocked: 'model',
  never_fits_rate_limit: 'model',
  broken_tool_call: 'model',
  not_supported: 'model',
  queue_full: 'model',
  upstream_unauthenticated: 'key',
  billing: 'key',
  upstream_forbidden: 'key',
  rate_limited: 'key',
  overloaded: 'server',
  provider_failed: 'server',
  internal: 'server',
  bad_gateway: 'server',
  upstream_timeout: 'server',
};

export function classifyFault(error: ApiError): FaultDomain {
  // A cause that was thrown is a fault of the proxy itself.
  return error.cause instanceof Error ? 'request' : FAULT_DOMAINS[error.code];
}

/** Cooldown of a key that is limited without a word on how long, in ms. */
const LIMITED_MS = 60_000;
/** Cooldown of a key that is refused: long enough not to annoy, short enough to notice that the user has repaired it. */
const REFUSED_MS = 300_000;
/** No cooldown is shorter, so that a provider that says 0 is not asked again and again, in ms. */
const SHORTEST_MS = 1000;

/** How long a key is not used after this error, in ms. */
export function keyCooldownMs(error: ApiError): number {
  if (error.code !== 'rate_limited') return REFUSED_MS;
  return error.retryAfterSeconds === undefined ? LIMITED_MS : Math.max(SHORTEST_MS, error.retryAfterSeconds * 1000);
}
