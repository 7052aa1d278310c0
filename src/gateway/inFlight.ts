import type { ApiError } from '../core/errors.ts';

/** An answer under way that can be ended with an error. */
export interface Cuttable {
  cut(error: ApiError): void;
}

/** The answers under way, so that a stop can wait for them and end those that take too long (R512). */
export class InFlight {
  readonly #answers = new Set<Cuttable>();
  #onEmpty: (() => void) | undefined;

  add(answer: Cuttable): void {
    this.#answers.add(answer);
  }

  remove(answer: Cuttable): void {
    this.#answers.delete(answer);
    if (this.#answers.size === 0) this.#onEmpty?.();
  }

  /** Makes a stop wait for what is over soon, so that there is nothing to cut. Gives what ends it. */
  hold(): () => void {
    const held = { cut: () => {} };
    this.add(held);
    return () => this.remove(held);
  }

  get size(): number {
    return this.#answers.size;
  }

  /** Resolves as soon as no answer is under way. */
  whenEmpty(): Promise<void> {
    if (this.#answers.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  cutAll(error: ApiError): void {
    for (const answer of [...this.#answers]) answer.cut(error);
  }
}
