import type { ProviderKey } from '../../config/config.ts';
import type { ApiError } from '../../core/errors.ts';
import type { CircuitPermit } from '../../resilience/circuitBreaker.ts';
import type { ExchangeResult } from '../../upstream/exchange.ts';
import { classifyFault, keyCooldownMs } from '../../upstream/faultDomain.ts';
import { keyLabel } from '../route.ts';
import type { Backend, Services } from '../services.ts';

/** One request to a provider, as far as its circuit breaker and its keys are concerned. */
export interface Attempt {
  readonly backend: Backend;
  /** How the provider is called in the log. */
  readonly provider: string;
  readonly key: ProviderKey;
  readonly permit: CircuitPermit;
  /** When it was sent, by the monotonic clock, in ms. */
  readonly askedAt: number;
}

/**
 * Reports to breaker and key how a request has ended.
 * @param isReached whether the provider has answered, with whatever
 */
export function reportOutcome(
  { logger }: Pick<Services, 'logger'>,
  attempt: Attempt,
  result: ExchangeResult,
  isReached: boolean,
): void {
  const { backend, provider, key, permit, askedAt } = attempt;
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
