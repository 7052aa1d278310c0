/** A place, or the wait for one. `leave` gives it back or ends the wait, once, however often it is called. */
export interface ConcurrencyPermit {
  release(): void;
}

/** Lets so many in at a time and so many more wait in line, in the order in which they came. */
export class ConcurrencyLimiter {
  #places = 0;
  #queueLength = 0;
  readonly #waiting = new Set<() => void>();
  #inside = 0;

  /** @param places 0 lets everybody in */
  constructor(places: number, queueLength: number) {
    this.resize(places, queueLength);
  }

  /** Holds from now on: those who wait enter as far as there is room, and nobody who is inside or waits is sent away. */
  resize(places: number, queueLength: number): void {
    this.#places = places === 0 ? Number.POSITIVE_INFINITY : places;
    this.#queueLength = queueLength;
    this.#admit();
  }

  get active(): number {
    return this.#inside;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Asks to be let in; `onEnter` is called at once or later, never after the permit was given back.
   * @returns undefined when so many wait already that nobody else may
   */
  acquire(onEnter: () => void): ConcurrencyPermit | undefined {
    let isInside = false;
    const enter = () => {
      isInside = true;
      this.#inside += 1;
      onEnter();
    };
    if (this.#inside < this.#places) enter();
    else if (this.#waiting.size < this.#queueLength) this.#waiting.add(enter);
    else return undefined;

    let hasLeft = false;
    return {
      release: () => {
        if (hasLeft) return;
        hasLeft = true;
        if (!isInside) this.#waiting.delete(enter);
        else this.#free();
      },
    };
  }

  #free(): void {
    this.#inside -= 1;
    this.#admit();
  }

  #admit(): void {
    for (const enter of this.#waiting) {
      if (this.#inside >= this.#places) return;
      this.#waiting.delete(enter);
      enter();
    }
  }
}
