import type { Services } from './services.ts';

/**
 * What requests are served with at this moment. A changed configuration replaces it; a request keeps the services with which it
 * began, and these lose their connections when the last of their requests has ended.
 */
export class Live {
  #current: Services;
  readonly #users = new Map<Services, number>();

  constructor(services: Services) {
    this.#current = services;
  }

  get current(): Services {
    return this.#current;
  }

  /** Keeps services in working order until the returned function is called, once, however often it is called. */
  hold(services: Services): () => void {
    this.#users.set(services, (this.#users.get(services) ?? 0) + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#release(services);
    };
  }

  /** Serves what begins from now on with other services. */
  replace(services: Services): void {
    const before = this.#current;
    this.#current = services;
    this.#retire(before);
  }

  async close(): Promise<void> {
    const all = [this.#current, ...this.#users.keys()].flatMap(({ destinations }) => destinations.list());
    const upstreams = [...new Set(all)].map(({ upstream }) => upstream);
    await Promise.all([...upstreams, this.#current.hooks].map((one) => one.close()));
  }

  #release(services: Services): void {
    const users = (this.#users.get(services) ?? 1) - 1;
    if (users > 0) {
      this.#users.set(services, users);
    } else {
      this.#users.delete(services);
      this.#retire(services);
    }
  }

  /** Closes the connections that nothing else works with. */
  #retire({ destinations }: Services): void {
    const used = [this.#current, ...this.#users.keys()].flatMap((services) => services.destinations.list());
    for (const destination of destinations.list()) if (!used.includes(destination)) void destination.upstream.close();
  }
}
