import type { NamedProvider } from '../config/config.ts';
import { asApiError } from '../core/errors.ts';
import { checkProvider } from './checkProvider.ts';
import type { Live } from './live.ts';
import type { Services } from './services.ts';

/** Share by which a pause is shorter or longer at random, so that many instances do not ask together. */
const JITTER = 0.2;
/** Where nothing is checked: how often is looked whether a new configuration wants it, in ms. */
const IDLE_MS = 60_000;

/** The providers that have not shown within the interval that they answer; none where there is no other to turn to. */
export function dueProviders({ config, destinations, clock }: Services): readonly NamedProvider[] {
  const { providers, healthCheck } = config;
  if (providers.length < 2 || healthCheck.intervalMs === 0) return [];
  return providers.filter(({ provider }) => {
    const { answeredAt } = destinations.of(provider).breaker;
    return answeredAt === undefined || clock.monotonic() - answeredAt >= healthCheck.intervalMs;
  });
}

async function checkAll(live: Pick<Live, 'current' | 'hold'>): Promise<void> {
  const services = live.current;
  const release = live.hold(services);
  try {
    await Promise.all(dueProviders(services).map((provider) => checkProvider(services, provider)));
  } catch (thrown) {
    services.logger.error('a health check failed inside the proxy', { reason: String(asApiError(thrown).cause) });
  } finally {
    release();
  }
}

/**
 * Asks providers that nobody asks whether they can answer, again and again, until the returned function is called.
 * @param random a number from 0 to below 1
 */
export function startHealthChecks(live: Pick<Live, 'current' | 'hold'>, random: () => number): () => void {
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const schedule = () => {
    const { intervalMs } = live.current.config.healthCheck;
    const factor = 1 - JITTER + 2 * JITTER * random();
    timer = setTimeout(run, (intervalMs === 0 ? IDLE_MS : intervalMs) * factor).unref();
  };
  const run = async () => {
    await checkAll(live);
    if (!isStopped) schedule();
  };
  schedule();
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}
