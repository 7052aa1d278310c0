import type { ProviderKey } from '../../config/config.ts';
import { ApiError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/errorTable.ts';
import type { RequestTrace } from '../../otlp/tracer.ts';
import type { CircuitPermit } from '../../resilience/circuitBreaker.ts';
import type { ExchangeResult, UpstreamAttempt } from '../../upstream/exchange.ts';
import { keyLabel, type Route } from '../route.ts';
import type { Backend, Services } from '../services.ts';

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
  client_limit: 'request',
  model_not_allowed: 'request',
  owner_only: 'request',
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

/** One request to a provider, as far as its circuit breaker and its keys are concerned. */
export interface Attempt {
  readonly backend: Backend;
  /** How the provider is called in the log. */
  readonly provider: string;
  readonly key: ProviderKey;
  readonly permit: CircuitPermit;
  /** When it was sent, by the monotonic clock, in ms. */
  readonly askedAt: number;
  /** Its span, where requests are followed. */
  readonly traced?: TracedAttempt | undefined;
}

/**
 * Reports to breaker, key and trace how a request has ended.
 * @param isReached whether the provider has answered, with whatever
 */
export function reportOutcome(
  { logger }: Pick<Services, 'logger'>,
  attempt: Attempt,
  result: ExchangeResult,
  isReached: boolean,
): void {
  const { backend, provider, key, permit, askedAt, traced } = attempt;
  traced?.end(result);
  const { breaker, keys } = backend;
  const failure = result.kind === 'failed' ? result.error : undefined;
  const domain = failure === undefined ? undefined : classifyFault(failure);
  if (failure !== undefined && domain === 'server' && countsAsFailure(backend, failure, isReached)) {
    if (breaker.recordFailure(permit, failure.message))
      logger.warn('the provider cannot be reached or cannot answer; it is left alone for a while', {
        provider,
        reason: failure.message,
      });
  } else if (isReached) recordSuccess({ logger }, attempt);
  else breaker.release(permit);

  if (result.kind === 'done') keys.markHealthy(key, askedAt);
  if (failure !== undefined && domain === 'key') coolDownKey({ logger }, attempt, failure);
}

/** Reports to the breaker that the provider answers. */
export function recordSuccess(
  { logger }: Pick<Services, 'logger'>,
  { backend, provider, permit }: Omit<Attempt, 'key' | 'askedAt'>,
): void {
  const { breaker } = backend;
  if (permit.isTrial && breaker.state !== 'closed') logger.info('the provider answers again', { provider });
  breaker.recordSuccess(permit);
}

/** A provider that answers is asked again, if there is no other; a connection that fails counts always. */
function countsAsFailure({ countsAllFailures }: Backend, { code }: ApiError, isReached: boolean): boolean {
  return countsAllFailures || (!isReached && code === 'overloaded');
}

/** A key of the client's own has no cooldown here. */
function coolDownKey({ logger }: Pick<Services, 'logger'>, { backend, provider, key }: Attempt, error: ApiError): void {
  if (key.secret === undefined) return;
  const { keys } = backend;
  const states = keys.list();
  const wasAvailable = states.every((state) => state.key !== key || state.cooldown === undefined);
  const ms = keyCooldownMs(error);
  keys.coolDown(key, ms, error.message, error.type);
  const label = keyLabel(
    states.map((state) => state.key),
    key,
  );
  const isNews = wasAvailable && (error.code !== 'rate_limited' || keys.size > 1);
  if (isNews)
    logger.warn('a key was refused and is left alone as far as there is another', {
      provider,
      key: label,
      seconds: Math.round(ms / 1000),
      reason: error.message,
    });
}

/** A candidate that could not serve a request. */
export interface CandidateFailure {
  /** As `<provider>,<model>`. */
  readonly candidate: string;
  readonly error: ApiError;
}

/** The same error with another text. */
function reword(error: ApiError, message: string): ApiError {
  const { code, status, shouldRetry, retryAfterSeconds, body } = error;
  return new ApiError(code, message, {
    status,
    ...(shouldRetry === undefined ? {} : { shouldRetry }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(body === undefined ? {} : { body }),
  });
}

/** The error with the name of the provider in front, where its text does not begin with one already. */
export function nameProvider(error: ApiError, provider: string): ApiError {
  return error.message.startsWith('[') ? error : reword(error, `[${provider}] ${error.message}`);
}

/** Whether the client may succeed by repeating the request. */
function isPassing({ shouldRetry, status }: ApiError): boolean {
  return shouldRetry ?? (status === 408 || status === 409 || status === 429 || status >= 500);
}

function chooseError(errors: readonly [ApiError, ...ApiError[]]): ApiError {
  const [first] = errors;
  if (!errors.every(({ code }) => code === 'rate_limited')) return errors.find(isPassing) ?? first;
  const wait = ({ retryAfterSeconds }: ApiError) => retryAfterSeconds ?? Number.POSITIVE_INFINITY;
  return errors.reduce((best, error) => (wait(error) < wait(best) ? error : best));
}

/**
 * What the client gets when every candidate has failed: the first candidate's error, but rather one after which it may repeat the
 * request, so that a session does not end for a refused key while another provider is only busy; of rate limits the shortest.
 */
export function finalError(failures: readonly [CandidateFailure, ...CandidateFailure[]]): ApiError {
  const [first, ...others] = failures;
  const error = chooseError([first.error, ...others.map((failure) => failure.error)]);
  if (others.length === 0) return error;
  const tried = failures.map(({ candidate }) => candidate).join('; ');
  return reword(error, `${error.message} (${failures.length} were tried in turn: ${tried})`);
}

/** An attempt that is followed: with the headers that lead the provider to its span. */
export interface TracedAttempt {
  readonly attempt: UpstreamAttempt;
  end(result: ExchangeResult): void;
}

/** Begins the span of an attempt. */
export function traceAttempt(trace: RequestTrace, { backend, model }: Route, attempt: UpstreamAttempt): TracedAttempt {
  const { preset, baseUrl } = backend.provider;
  const span = trace.beginAttempt({ provider: preset.telemetryName ?? preset.name, model: model.name, baseUrl });
  const { request } = attempt;
  return {
    attempt: { ...attempt, request: { ...request, headers: { ...request.headers, ...span.headers } } },
    end: (result) => {
      if (result.kind === 'done') span.end({ isOk: true });
      else span.end({ isOk: false, errorType: result.kind === 'failed' ? result.error.code : result.kind });
    },
  };
}
