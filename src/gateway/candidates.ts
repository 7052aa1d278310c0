import type { Destination } from './destinations.ts';
import { keyLabel } from './keyLabels.ts';
import { type Route, routeTo } from './route.ts';
import type { Services } from './services.ts';

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
