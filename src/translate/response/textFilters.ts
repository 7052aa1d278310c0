/**
 * Length of the longest end of `text` that is a beginning of `word`, but not all of it: what must wait for the next
 * piece.
 */
export function overlap(text: string, word: string): number {
  for (let length = Math.min(text.length, word.length - 1); length > 0; length -= 1) {
    if (text.endsWith(word.slice(0, length))) return length;
  }
  return 0;
}

const OPENING = ['<think>', '<thinking>', '<thought>'];
const CLOSING = ['</think>', '</thinking>', '</thought>'];

type Phase = 'start' | 'inside' | 'after' | 'text';

/**
 * Finds reasoning that a model writes into its text between `<think>` tags (R211). Only a tag that is the first thing
 * in the text counts; whatever looks like one later is the model writing about tags. Tags may be cut anywhere.
 */
export class ThinkTagParser {
  readonly #onThinking: (text: string) => void;
  readonly #onText: (text: string) => void;
  #phase: Phase;
  #tags: readonly string[] = CLOSING;
  /** Text that may still turn out to be a tag. */
  #held = '';
  #thought = '';

  /** With `opened` the model begins inside: its prompt ended with the opening tag. */
  constructor(opened: boolean, onThinking: (text: string) => void, onText: (text: string) => void) {
    this.#phase = opened ? 'inside' : 'start';
    this.#onThinking = onThinking;
    this.#onText = onText;
  }

  push(text: string): void {
    if (this.#phase === 'text') this.#onText(text);
    else this.#read(this.#held + text);
  }

  /** From now on all text is text: the provider sends its reasoning apart. */
  stop(): void {
    if (this.#phase === 'start') this.#becomeText(this.#held);
  }

  /**
   * Gives what is still held. Reasoning that was never closed is all that there is, it seems: `asText` repeats it as
   * text.
   */
  end(asText: boolean): void {
    const held = this.#held;
    if (this.#phase === 'inside') {
      this.#think(held);
      if (asText) this.#onText(this.#thought);
    } else if (this.#phase === 'start' && held !== '') {
      this.#onText(held);
    }
    this.#held = '';
    this.#phase = 'text';
  }

  #read(text: string): void {
    this.#held = '';
    if (this.#phase === 'start') this.#readStart(text);
    else if (this.#phase === 'inside') this.#readInside(text);
    else this.#readAfter(text);
  }

  #readStart(text: string): void {
    const begin = text.trimStart();
    const tag = OPENING.findIndex((opening) => begin.startsWith(opening));
    const closing = CLOSING[tag];
    if (closing !== undefined) {
      this.#phase = 'inside';
      this.#tags = [closing];
      this.#readInside(begin.slice(closing.length - 1));
    } else if (OPENING.some((opening) => opening.startsWith(begin))) {
      this.#held = text;
    } else {
      this.#becomeText(text);
    }
  }

  #readInside(text: string): void {
    let end = -1;
    let length = 0;
    for (const tag of this.#tags) {
      const at = text.indexOf(tag);
      if (at >= 0 && (end < 0 || at < end)) {
        end = at;
        length = tag.length;
      }
    }
    if (end < 0) {
      const keep = Math.max(...this.#tags.map((tag) => overlap(text, tag)));
      this.#think(text.slice(0, text.length - keep));
      this.#held = text.slice(text.length - keep);
      return;
    }
    this.#think(text.slice(0, end));
    this.#phase = 'after';
    this.#readAfter(text.slice(end + length));
  }

  /** The blank lines between the closing tag and the answer belong to neither. */
  #readAfter(text: string): void {
    const answer = text.trimStart();
    if (answer !== '') this.#becomeText(answer);
  }

  #becomeText(text: string): void {
    this.#phase = 'text';
    this.#held = '';
    if (text !== '') this.#onText(text);
  }

  #think(text: string): void {
    if (text === '') return;
    this.#thought += text;
    this.#onThinking(text);
  }
}

/**
 * Matches stop strings in the answer for servers that do not take them: text is passed on up to the first of them, also
 * when it is cut into several deltas, and nothing after it.
 */
export class StopSequenceMatcher {
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
