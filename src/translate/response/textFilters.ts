import type { HeldBudget } from '../../protocol/bounds.ts';

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

/** So much white space in front of an answer is held back; more comes only from a model that is stuck. */
export const BLANKS_MAX = 16 * 1024;

type Phase = 'start' | 'inside' | 'after' | 'text';

/**
 * Finds reasoning that a model writes into its text between `<think>` tags. Only a tag that is the first thing
 * in the text counts; whatever looks like one later is the model writing about tags. Tags may be cut anywhere.
 */
export class ThinkTagParser {
  readonly #held: HeldBudget;
  readonly #onThinking: (text: string) => void;
  readonly #onText: (text: string) => void;
  #phase: Phase;
  #tags: readonly string[] = CLOSING;
  /** White space in front of the text: it goes with a tag, and stays before anything else. */
  #blanks = '';
  /** Text that may still turn out to be a tag. */
  #rest = '';
  /** The reasoning so far, which is all that there is should its tag never be closed. */
  #thought = '';
  #thoughtCost = 0;

  /** With `opened` the model begins inside: its prompt ended with the opening tag. */
  constructor(opened: boolean, held: HeldBudget, onThinking: (text: string) => void, onText: (text: string) => void) {
    this.#phase = opened ? 'inside' : 'start';
    this.#held = held;
    this.#onThinking = onThinking;
    this.#onText = onText;
  }

  push(text: string): void {
    if (this.#phase === 'text') this.#onText(text);
    else if (this.#phase === 'start') this.#readStart(this.#rest + text);
    else if (this.#phase === 'inside') this.#readInside(this.#rest + text);
    else this.#readAfter(text);
  }

  /** From now on all text is text: the provider sends its reasoning apart. */
  stop(): void {
    if (this.#phase === 'start') this.#becomeText(this.#blanks + this.#rest);
  }

  /** What was held of this text is text; a tag may still begin the answer if there was none. */
  endItem(): void {
    if (this.#blanks !== '' || this.#rest !== '') this.stop();
  }

  /**
   * Gives what is still held. Reasoning that was never closed is all that there is, it seems: `asText` repeats it as
   * text.
   */
  end(asText: boolean): void {
    if (this.#phase === 'inside') {
      this.#think(this.#rest);
      if (asText) this.#onText(this.#thought);
    }
    this.stop();
    this.#phase = 'text';
  }

  #readStart(text: string): void {
    const begin = text.trimStart();
    this.#blanks += text.slice(0, text.length - begin.length);
    if (begin !== '' && !begin.startsWith('<')) {
      this.#becomeText(this.#blanks + begin);
      return;
    }
    const tag = OPENING.findIndex((opening) => begin.startsWith(opening));
    const closing = CLOSING[tag];
    if (closing !== undefined) {
      this.#phase = 'inside';
      this.#tags = [closing];
      this.#readInside(begin.slice(closing.length - 1));
    } else if (this.#blanks.length <= BLANKS_MAX && OPENING.some((opening) => opening.startsWith(begin))) {
      this.#rest = begin;
    } else {
      this.#becomeText(this.#blanks + begin);
    }
  }

  #readInside(text: string): void {
    let end = -1;
    let length = 0;
    let keep = 0;
    for (const tag of this.#tags) {
      const at = text.indexOf(tag);
      if (at >= 0 && (end < 0 || at < end)) {
        end = at;
        length = tag.length;
      }
      keep = Math.max(keep, overlap(text, tag));
    }
    if (end < 0) {
      this.#think(text.slice(0, text.length - keep));
      this.#rest = text.slice(text.length - keep);
      return;
    }
    this.#think(text.slice(0, end));
    this.#phase = 'after';
    this.#thought = '';
    this.#held.release(this.#thoughtCost);
    this.#readAfter(text.slice(end + length));
  }

  /** The blank lines between the closing tag and the answer belong to neither. */
  #readAfter(text: string): void {
    const answer = text.trimStart();
    if (answer !== '') this.#becomeText(answer);
  }

  #becomeText(text: string): void {
    this.#phase = 'text';
    if (text !== '') this.#onText(text);
  }

  #think(text: string): void {
    if (text === '') return;
    this.#thought += text;
    this.#thoughtCost += this.#held.add(text.length);
    this.#onThinking(text);
  }
}

/** A stop sequence, and how much of it the end of the text matches so far (the method of Knuth, Morris and Pratt). */
interface Pattern {
  readonly text: string;
  /** For each length of a match, the next shorter one that the same letters end with. */
  readonly shorter: readonly number[];
  matched: number;
}

function createPattern(text: string): Pattern {
  const shorter = [0, 0];
  for (let length = 2; length <= text.length; length += 1) {
    shorter.push(extend(text, shorter, shorter[length - 1] ?? 0, text.charCodeAt(length - 1)));
  }
  return { text, shorter, matched: 0 };
}

/** The length of the match after one more letter. */
function extend(text: string, shorter: readonly number[], matched: number, letter: number): number {
  let length = matched;
  while (length > 0 && text.charCodeAt(length) !== letter) length = shorter[length] ?? 0;
  return text.charCodeAt(length) === letter ? length + 1 : 0;
}

/**
 * Matches stop sequences in the answer for servers that do not take them: text is passed on up to the first of them, also
 * when it is cut into several deltas, and nothing after it. Of several the one that is complete first counts.
 */
export class StopSequenceMatcher {
  readonly #patterns: readonly Pattern[];
  readonly #onText: (text: string) => void;
  /** The end of the text, as far as it may be the beginning of a stop sequence. */
  #rest = '';
  /** The stop sequence that ended the text. */
  found: string | undefined;

  /** @param sequences none of them empty */
  constructor(sequences: readonly string[], onText: (text: string) => void) {
    this.#patterns = sequences.map(createPattern);
    this.#onText = onText;
  }

  push(text: string): void {
    if (this.found === undefined && text !== '') this.#search(text);
  }

  /** Gives what could have become a stop sequence and did not; text that follows begins anew. */
  end(): void {
    this.#pass(this.#rest.length);
    for (const pattern of this.#patterns) pattern.matched = 0;
  }

  #search(text: string): void {
    let longest = 0;
    for (let index = 0; index < text.length; index += 1) {
      const letter = text.charCodeAt(index);
      longest = 0;
      for (const pattern of this.#patterns) {
        pattern.matched = extend(pattern.text, pattern.shorter, pattern.matched, letter);
        longest = Math.max(longest, pattern.matched);
        if (pattern.matched < pattern.text.length) continue;
        this.found = pattern.text;
        this.#rest += text.slice(0, index + 1);
        this.#pass(this.#rest.length - pattern.text.length);
        this.#rest = '';
        return;
      }
    }
    this.#rest += text;
    this.#pass(this.#rest.length - longest);
  }

  /** Passes on so many letters of what is held. */
  #pass(length: number): void {
    if (length === 0) return;
    const passed = this.#rest.slice(0, length);
    this.#rest = this.#rest.slice(length);
    this.#onText(passed);
  }
}
