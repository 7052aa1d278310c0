/** A slot of a concurrency limiter, or a place in its queue until one becomes free. */
export class ConcurrencyPermit {
  /** Whether the slot is taken, so that the request may be sent. */
  isActive = false;
  /** Called when a slot has become free for a permit that waited. */
  onActive: (() => void) | undefined;
  #limiter: ConcurrencyLimiter | undefined;

  constructor(limiter: ConcurrencyLimiter, onActive: (() => void) | undefined) {
    this.#limiter = limiter;
    this.onActive = onActive;
  }

  /** Gives the slot back, or ends the wait for one; once, however often it is called. */
  release(): void {
    const limiter = this.#limiter;
    this.#limiter = undefined;
    limiter?.takeBack(this);
  }
}

/** Lets so many requests run at a time and so many more wait in a queue, in the order in which they came. */
export class ConcurrencyLimiter {
  #limit = 0;
  #queueLength = 0;
  readonly #queue = new Set<ConcurrencyPermit>();
  #active = 0;

  /** @param limit 0 for no limit */
  constructor(limit: number, queueLength: number) {
    this.resize(limit, queueLength);
  }

  /** Holds from now on: those who wait get what becomes free, and nobody who runs or waits is sent away. */
  resize(limit: number, queueLength: number): void {
    this.#limit = limit === 0 ? Number.POSITIVE_INFINITY : limit;
    this.#queueLength = queueLength;
    this.#admit();
  }

  get active(): number {
    return this.#active;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /**
   * Asks for a slot.
   * @param onActive called at once or later, never after the permit was released
   * @returns undefined when the queue is full
   */
  acquire(onActive?: () => void): ConcurrencyPermit | undefined {
    const isFree = this.#active < this.#limit;
    if (!isFree && this.#queue.size >= this.#queueLength) return undefined;
    const permit = new ConcurrencyPermit(this, onActive);
    if (isFree) this.#activate(permit);
    else this.#queue.add(permit);
    return permit;
  }

  /** For a permit that is released. */
  takeBack(permit: ConcurrencyPermit): void {
    if (this.#queue.delete(permit)) return;
    this.#active -= 1;
    if (this.#queue.size > 0) this.#admit();
  }

  #activate(permit: ConcurrencyPermit): void {
    this.#active += 1;
    permit.isActive = true;
    permit.onActive?.();
  }

  #admit(): void {
    for (const permit of this.#queue) {
      if (this.#active >= this.#limit) return;
      this.#queue.delete(permit);
      this.#activate(permit);
    }
  }
}
