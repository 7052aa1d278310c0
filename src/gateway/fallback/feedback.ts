import type { ProviderKey } from '../../config/config.ts';
import type { ApiError } from '../../core/errors.ts';
import type { Leave } from '../../resilience/circuitBreaker.ts';
import type { ExchangeResult } from '../../upstream/exchange.ts';
import { blameFor, restOfKey } from '../../upstream/faultDomain.ts';
import { keyLabel } from '../route.ts';
import type { Destination, Services } from '../services.ts';

/** One request to a provider, as its breaker and its keys learn of it. */
export interface Trial {
  readonly destination: Destination;
  /** How the provider is called in the log. */
  readonly provider: string;
  readonly key: ProviderKey;
  readonly leave: Leave;
  /** When it was sent, by the monotonic clock, in ms. */
  readonly askedAt: number;
}

/**
 * Tells breaker and key how a request has ended.
 * @param isReached whether the provider has answered, with whatever
 */
export function judge(
  { logger }: Pick<Services, 'logger'>,
  trial: Trial,
  result: ExchangeResult,
  isReached: boolean,
): void {
  const { destination, provider, key, leave, askedAt } = trial;
  const { breaker, keys } = destination;
  const failure = result.kind === 'failed' ? result.error : undefined;
  const blame = failure === undefined ? undefined : blameFor(failure);
  if (failure !== undefined && blame === 'server' && isHeldAgainst(destination, failure, isReached)) {
    if (breaker.fail(leave))
      logger.warn('the provider cannot be reached or cannot answer; it is left alone for a while', {
        provider,
        reason: failure.message,
      });
  } else if (isReached) acquit({ logger }, trial);
  else breaker.withdraw(leave);

  if (result.kind === 'done') keys.wake(key, askedAt);
  if (failure !== undefined && blame === 'key') restKey({ logger }, trial, failure);
}

/** Tells the breaker that the provider answers. */
export function acquit(
  { logger }: Pick<Services, 'logger'>,
  { destination, provider, leave }: Omit<Trial, 'key' | 'askedAt'>,
): void {
  const { breaker } = destination;
  if (leave.isTrial && breaker.state !== 'closed') logger.info('the provider answers again', { provider });
  breaker.succeed(leave);
}

/** A provider that answers is asked again, if there is no other; a connection that fails counts always. */
function isHeldAgainst({ countsAllFailures }: Destination, { code }: ApiError, isReached: boolean): boolean {
  return countsAllFailures || (!isReached && code === 'overloaded');
}

/** A key of the client's own is not the instance's to judge. */
function restKey({ logger }: Pick<Services, 'logger'>, { destination, provider, key }: Trial, error: ApiError): void {
  if (key.secret === undefined) return;
  const { keys } = destination;
  const states = keys.list();
  const wasAwake = states.every((state) => state.key !== key || state.rest === undefined);
  const ms = restOfKey(error);
  keys.rest(key, ms, error.message);
  const label = keyLabel(
    states.map((state) => state.key),
    key,
  );
  const isNews = wasAwake && (error.code !== 'rate_limited' || keys.size > 1);
  if (isNews)
    logger.warn('a key was refused and is left alone as far as there is another', {
      provider,
      key: label,
      seconds: Math.round(ms / 1000),
      reason: error.message,
    });
}
