import type { Config, ProviderConfig } from '../config/config.ts';
import { fingerprint } from '../config/identity.ts';
import { modelSettings } from '../config/modelRef.ts';
import type { Clock } from '../core/clock.ts';
import { Breaker } from '../resilience/circuitBreaker.ts';
import { Gate } from '../resilience/concurrencyLimiter.ts';
import { KeyRing } from '../resilience/keyPool.ts';
import { createUpstream } from '../upstream/client.ts';
import type { Connections } from './destinations.ts';
import { identifyProvider } from './identifyProvider.ts';

/** How the servers of a configuration are connected to; whatever this depends on makes another destination. */
export function createConnections(config: Config, clock: Clock, userAgent: string): Required<Connections> {
  const { breaker, concurrency, networkProxy, providers, tiers } = config;
  const countsAllFailures = providers.length > 1;
  const headersTimeoutOf = (provider: ProviderConfig) =>
    providers.find((named) => named.provider === provider)?.requestTimeoutMs ?? config.requestTimeoutMs;
  return {
    connect: (provider, earlierGate) => {
      const { connectTimeoutMs } = modelSettings(provider, tiers.big);
      const gate = earlierGate ?? new Gate(0, 0);
      gate.resize(concurrency.places, concurrency.queueLength);
      const headersTimeoutMs = headersTimeoutOf(provider);
      return {
        provider,
        upstream: createUpstream(provider, { userAgent, connectTimeoutMs, headersTimeoutMs, networkProxy }),
        breaker: new Breaker(clock, breaker),
        gate,
        keys: new KeyRing([provider.key, ...(provider.moreKeys ?? [])], clock),
        countsAllFailures,
      };
    },
    identify: (provider) => {
      const { connectTimeoutMs } = modelSettings(provider, tiers.big);
      const rest = [connectTimeoutMs, headersTimeoutOf(provider), networkProxy, breaker, countsAllFailures];
      return fingerprint([identifyProvider(provider), ...rest]);
    },
  };
}
