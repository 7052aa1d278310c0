const BLANKS_MAX = 500;
const REPEATS_MAX = 200;

/**
 * Notices a model that is stuck while it writes arguments (R327): endless blanks, or the same piece again and again.
 */
export class RunawayGuard {
  #blanks = 0;
  #repeats = 0;
  #last = '';

  /** Takes the next piece; true when it is enough. */
  push(piece: string): boolean {
    if (piece === '') return false;
    this.#blanks = piece.trim() === '' ? this.#blanks + piece.length : 0;
    this.#repeats = piece === this.#last ? this.#repeats + 1 : 1;
    this.#last = piece;
    return this.#blanks > BLANKS_MAX || this.#repeats >= REPEATS_MAX;
  }
}
