import type { NamedProvider, ProviderKey } from '../config/config.ts';
import { endpointOf } from '../config/modelRef.ts';
import type { Target } from '../translate/request/context.ts';
import type { Destination, Services } from './services.ts';

/** One candidate for a request: which model in whose words, and which server. */
export interface Route {
  /** The model's name here; that of another provider or of the models file has a prefix that its server does not know. */
  readonly name: string;
  /** How the provider is called: in failures, the log and the answer's headers. */
  readonly provider: string;
  /** Undefined for a server that stands in the models file. */
  readonly named: NamedProvider | undefined;
  readonly target: Target;
  readonly destination: Destination;
}

/** Where a model is asked for that routing has named. */
export function routeTo({ config, targets, destinations }: Services, name: string): Route {
  const { provider } = endpointOf(config, name);
  const named = config.providers.find((one) => one.provider === provider);
  return {
    name,
    provider: named?.name ?? provider.preset.name,
    named,
    target: targets.get(name),
    destination: destinations.of(provider),
  };
}

/** Whether the server of a route speaks the Messages API itself. */
export function isNative({ destination }: Route): boolean {
  return destination.provider.preset.protocol === 'anthropic';
}

/** How a key is called where several of a provider are told apart: by its variable, and by its place where that holds more. */
export function keyLabel(keys: readonly ProviderKey[], key: ProviderKey): string {
  const alike = keys.filter(({ variable }) => variable === key.variable);
  return alike.length === 1 ? key.variable : `${key.variable} #${alike.indexOf(key) + 1}`;
}

/** A candidate that is not asked, or not asked yet, and why. */
export interface PassedOver {
  readonly route: Route;
  readonly reason: string;
}

/** How a candidate is called for the user. */
export function candidateLabel({ provider, target }: Route): string {
  return `${provider},${target.model}`;
}

/** What speaks against asking a candidate now; undefined when nothing does. */
export function obstacleOf({ destination: { breaker, keys } }: Route): string | undefined {
  if (!breaker.isPassable) return 'its circuit is open';
  if (keys.isAwake) return undefined;
  const states = keys.list();
  const all = states.map(({ key }) => key);
  return states.map(({ key, rest }) => `${keyLabel(all, key)} rests: ${rest?.reason}`).join('; ');
}

/** Where a request with these candidates, at least one, would go now. */
export function routeNow(services: Services, names: readonly string[]): Route {
  return new Candidates(services, names).take()?.route ?? routeTo(services, names[0] ?? '');
}

/** The candidates of one request that were not asked yet, in their order. */
export class Candidates {
  readonly #left: Route[];

  constructor(services: Services, names: readonly string[]) {
    this.#left = names.map((name) => routeTo(services, name));
  }

  /** Whether there is one that could be asked now. */
  get hasPassable(): boolean {
    return this.#left.some(({ destination }) => destination.breaker.isPassable);
  }

  /** Whether there is one at another server that nothing speaks against. */
  isFreeElsewhere(destination: Destination): boolean {
    return this.#left.some((route) => route.destination !== destination && obstacleOf(route) === undefined);
  }

  /** Takes out the first that nothing speaks against, else the first that can be asked at all; undefined when there is none. */
  take(): { readonly route: Route; readonly passedOver: readonly PassedOver[] } | undefined {
    const obstacles = this.#left.map(obstacleOf);
    const free = obstacles.indexOf(undefined);
    const index = free >= 0 ? free : this.#left.findIndex(({ destination }) => destination.breaker.isPassable);
    const before = this.#left.slice(0, Math.max(index, 0));
    const [route] = index === -1 ? [] : this.#left.splice(index, 1);
    if (route === undefined) return undefined;
    return { route, passedOver: before.map((passed, place) => ({ route: passed, reason: obstacles[place] ?? '' })) };
  }

  /** Takes out the first, whatever speaks against it. */
  takeFirst(): Route | undefined {
    return this.#left.shift();
  }
}
