import { type Config, fingerprint, type ProviderConfig } from '../config/config.ts';
import { createTrust } from '../config/load.ts';
import { isLoopback } from '../config/parsers.ts';
import type { Clock } from '../core/clock.ts';
import { ReloadableHooks } from '../hooks/hooks.ts';
import { modelSettings } from '../providers/preset.ts';
import { CircuitBreaker } from '../resilience/circuitBreaker.ts';
import { ConcurrencyLimiter } from '../resilience/concurrencyLimiter.ts';
import { KeyPool } from '../resilience/keyPool.ts';
import { SearchClient } from '../search/searchClient.ts';
import { createUpstream } from '../upstream/client.ts';
import { Backends, type Connections, identifyProvider, ResolvedModels, type Services } from './services.ts';

/**
 * What requests are served with at this moment. A changed configuration replaces it; a request keeps the services with which it
 * began, and these lose their connections when the last of their requests has ended.
 */
export class ActiveServices {
  #current: Services;
  readonly #users = new Map<Services, number>();

  constructor(services: Services) {
    this.#current = services;
  }

  get current(): Services {
    return this.#current;
  }

  /** How many requests are being read or answered. */
  get requests(): number {
    return [...this.#users.values()].reduce((sum, users) => sum + users, 0);
  }

  /** Keeps services in working order until the returned function is called, once, however often it is called. */
  lease(services: Services): () => void {
    this.#users.set(services, (this.#users.get(services) ?? 0) + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const others = (this.#users.get(services) ?? 1) - 1;
      if (others > 0) {
        this.#users.set(services, others);
      } else {
        this.#users.delete(services);
        if (services !== this.#current) this.#retire(services);
      }
    };
  }

  /** Serves what begins from now on with other services. */
  replace(services: Services): void {
    const before = this.#current;
    this.#current = services;
    this.#retire(before);
  }

  async close(): Promise<void> {
    const users = [this.#current, ...this.#users.keys()];
    const all = users.flatMap(({ backends }) => backends.list());
    const upstreams = [...new Set(all)].map(({ upstream }) => upstream);
    const clients = new Set(users.flatMap(({ search }) => search ?? []));
    await Promise.all([...upstreams, ...clients, this.#current.hooks].map((one) => one.close()));
  }

  /** Closes the connections that nothing else works with. */
  #retire({ backends, search }: Services): void {
    const users = [this.#current, ...this.#users.keys()];
    if (users.every((services) => services.search !== search)) void search?.close();
    const used = users.flatMap((services) => services.backends.list());
    for (const backend of backends.list()) if (!used.includes(backend)) void backend.upstream.close();
  }
}

/** A server on this machine refuses at once, so that little is gained by not asking it, and it answers again the moment it is back. */
const LOCAL_OPEN_MS = 1000;

function isAloneOnThisMachine({ baseUrl }: ProviderConfig, { providers }: Config): boolean {
  return (
    providers.length === 1 && URL.canParse(baseUrl) && isLoopback(new URL(baseUrl).hostname.replace(/^\[|\]$/g, ''))
  );
}

/** How the servers of a configuration are connected to; whatever this depends on makes another backend. */
export function createConnections(config: Config, clock: Clock, userAgent: string): Required<Connections> {
  const { authorities, breaker, concurrency, networkProxy, providers, tiers } = config;
  let trust: { readonly context: ReturnType<typeof createTrust> } | undefined;
  const countsAllFailures = providers.length > 1;
  const headersTimeoutOf = (provider: ProviderConfig) =>
    providers.find((named) => named.provider === provider)?.requestTimeoutMs ?? config.requestTimeoutMs;
  return {
    connect: (provider, earlierLimiter) => {
      const { connectTimeoutMs } = modelSettings(provider, tiers.big);
      const limiter = earlierLimiter ?? new ConcurrencyLimiter(0, 0);
      limiter.resize(concurrency.places, concurrency.queueLength);
      const headersTimeoutMs = headersTimeoutOf(provider);
      // Made once for all servers, and only when one is connected to.
      trust ??= { context: createTrust(authorities) };
      const connection = { connectTimeoutMs, headersTimeoutMs, networkProxy, trust: trust.context };
      return {
        provider,
        upstream: createUpstream(provider, { userAgent, ...connection }),
        breaker: new CircuitBreaker(
          clock,
          isAloneOnThisMachine(provider, config)
            ? { ...breaker, openMs: Math.min(breaker.openMs, LOCAL_OPEN_MS) }
            : breaker,
        ),
        limiter,
        keys: new KeyPool([provider.key, ...(provider.moreKeys ?? [])], clock, (key) =>
          fingerprint({ secret: key.secret }),
        ),
        countsAllFailures,
      };
    },
    identify: (provider) => {
      const { connectTimeoutMs } = modelSettings(provider, tiers.big);
      const rest = [
        connectTimeoutMs,
        headersTimeoutOf(provider),
        networkProxy,
        authorities,
        breaker,
        countsAllFailures,
      ];
      return fingerprint([identifyProvider(provider), ...rest]);
    },
  };
}

/** What goes on from one configuration to the next. */
export type LastingServices = Omit<Services, 'config' | 'backends' | 'models' | 'hooks' | 'search'>;

/** Time to connect to a search API, in ms. */
const SEARCH_CONNECT_MS = 5000;

/** Who searches the web under a configuration; connected by the instance's own network settings. */
function createSearch({ webSearch, networkProxy, authorities }: Config, userAgent: string): SearchClient | undefined {
  return (
    webSearch &&
    new SearchClient(webSearch, () => ({
      userAgent,
      connectTimeoutMs: SEARCH_CONNECT_MS,
      networkProxy,
      trust: createTrust(authorities),
    }))
  );
}

/** The same where nothing of it has changed, with its connections. */
function renewSearch(
  { config: before, search }: Services,
  config: Config,
  userAgent: string,
): SearchClient | undefined {
  const [one, other] = [before, config].map(({ webSearch, networkProxy, authorities }) =>
    fingerprint([webSearch && { ...webSearch, api: webSearch.api.name }, networkProxy, authorities]),
  );
  return one === other ? search : createSearch(config, userAgent);
}

/** The services of the configuration with which the process starts. */
export function createServices(lasting: LastingServices, config: Config, userAgent: string): Services {
  const backends = new Backends(createConnections(config, lasting.clock, userAgent));
  const hooks = new ReloadableHooks(lasting.logger);
  hooks.use(config.hooks?.file);
  return {
    ...lasting,
    config,
    backends,
    models: new ResolvedModels(config),
    search: createSearch(config, userAgent),
    hooks,
  };
}

/** The services of a changed configuration; what it leaves as it was keeps its connections, its state and what was learned. */
export function renewServices(before: Services, config: Config, userAgent: string): Services {
  const { vision } = config;
  const servers = [...config.providers, ...config.customModels.values(), ...(vision === undefined ? [] : [vision.ref])];
  const all = servers.map(({ provider }) => provider);
  const backends = before.backends.renew(createConnections(config, before.clock, userAgent), all);
  const { places, queueLength } = config.concurrency;
  for (const { limiter } of backends.list()) limiter.resize(places, queueLength);
  const { hooks } = before.config;
  const isSameFile = hooks?.file === config.hooks?.file && hooks?.digest === config.hooks?.digest;
  if (!isSameFile) before.hooks.use(config.hooks?.file);
  return {
    ...before,
    config,
    backends,
    models: before.models.renew(config),
    search: renewSearch(before, config, userAgent),
  };
}
