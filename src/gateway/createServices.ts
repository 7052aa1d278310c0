import type { Config } from '../config/config.ts';
import { LiveHooks } from '../hooks/liveHooks.ts';
import { createConnections } from './createConnections.ts';
import { Destinations } from './destinations.ts';
import type { Services } from './services.ts';
import { Targets } from './targets.ts';

/** What goes on from one configuration to the next. */
export type LastingServices = Omit<Services, 'config' | 'destinations' | 'targets' | 'hooks'>;

/** The services of the configuration with which the process starts. */
export function createServices(lasting: LastingServices, config: Config, userAgent: string): Services {
  const destinations = new Destinations(createConnections(config, lasting.clock, userAgent));
  const hooks = new LiveHooks(lasting.logger);
  hooks.use(config.hooks?.file);
  return { ...lasting, config, destinations, targets: new Targets(config), hooks };
}

/** The services of a changed configuration; what it leaves as it was keeps its connections, its state and what was learned. */
export function renewServices(before: Services, config: Config, userAgent: string): Services {
  const all = [...config.providers, ...config.customModels.values()].map(({ provider }) => provider);
  const destinations = before.destinations.renew(createConnections(config, before.clock, userAgent), all);
  const { places, queueLength } = config.concurrency;
  for (const { gate } of destinations.list()) gate.resize(places, queueLength);
  const { hooks } = before.config;
  const isSameFile = hooks?.file === config.hooks?.file && hooks?.digest === config.hooks?.digest;
  if (!isSameFile) before.hooks.use(config.hooks?.file);
  return { ...before, config, destinations, targets: before.targets.renew(config) };
}
