import { overlap } from './overlap.ts';

/**
 * Matches stop strings in the answer for servers that do not take them: text is passed on up to the first of them, also
 * when it is cut into several deltas, and nothing after it.
 */
export class LocalStop {
  readonly #words: readonly string[];
  readonly #onText: (text: string) => void;
  #held = '';
  #found: string | undefined;

  constructor(words: readonly string[], onText: (text: string) => void) {
    this.#words = words.filter((word) => word !== '');
    this.#onText = onText;
  }

  /** The stop string that ended the text. */
  get found(): string | undefined {
    return this.#found;
  }

  push(text: string): void {
    if (this.#words.length === 0) this.#onText(text);
    else if (this.#found === undefined) this.#search(this.#held + text);
  }

  /** Gives what could have become a stop string and did not. */
  end(): void {
    const held = this.#held;
    this.#held = '';
    if (held !== '') this.#onText(held);
  }

  #search(text: string): void {
    let start = text.length;
    let end = text.length + 1;
    for (const word of this.#words) {
      const at = text.indexOf(word);
      // The word that is complete first, so that it does not matter how the text was cut.
      if (at >= 0 && at + word.length < end) {
        start = at;
        end = at + word.length;
        this.#found = word;
      }
    }
    if (this.#found === undefined) start -= Math.max(...this.#words.map((word) => overlap(text, word)));
    this.#held = this.#found === undefined ? text.slice(start) : '';
    if (start > 0) this.#onText(text.slice(0, start));
  }
}
