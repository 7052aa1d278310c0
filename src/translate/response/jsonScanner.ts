const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

const isIn = (letters: string) => {
  const table = new Uint8Array(128);
  for (const letter of letters) table[letter.charCodeAt(0)] = 1;
  return (code: number) => table[code] === 1;
};
const isBlank = isIn(' \t\n\r');
/** What numbers, true, false and null are made of. */
const isLiteral = isIn('0123456789+-.eEtrufalsn');
const isEscape = isIn('"\\/bfnrtu');
/** What `\w` means, for texts of megabytes. */
export const isWordLetter = isIn('0123456789_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ');

const SHORT_ESCAPES: Readonly<Record<number, string>> = { 8: '\\b', 9: '\\t', 10: '\\n', 12: '\\f', 13: '\\r' };

function escapeControl(code: number): string {
  return SHORT_ESCAPES[code] ?? `\\u${code.toString(16).padStart(4, '0')}`;
}

/**
 * Passes on the text of one JSON object as it comes, in pieces cut anywhere, and repairs on the way what can be repaired
 * without looking back: raw control characters and unknown escapes inside strings, a comma before a closing
 * bracket. To be able to, it holds back a closing quote or a comma until the next significant character. It stops for
 * good when the object is closed, or at a character that cannot stand where it stands; then the caller has to see to
 * the rest.
 */
export class JsonScanner {
  #closers: number[] = [];
  #inString = false;
  #escaped = false;
  #holding: 'quote' | 'comma' | undefined;
  #stuck = false;
  closed = false;
  /** Text that was taken and not passed on: a closing quote or comma, and the blanks after it, that wait for what follows. */
  held = '';
  /** Length of the text that was taken; whatever came after it was not read. */
  consumed = 0;

  /** Gives what may be passed on now. */
  push(text: string): string {
    if (this.closed || this.#stuck) return '';
    let out = '';
    let from = 0;
    let at = 0;
    for (; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (this.#inString) {
        if (this.#escaped) {
          this.#escaped = false;
          if (!isEscape(code)) {
            // The backslash was meant as itself: C:\dir, \d+. It is out already, so it gets its partner now.
            out += `${text.slice(from, at)}\\`;
            from = at;
          }
        } else if (code === BACKSLASH) {
          this.#escaped = true;
        } else if (code === QUOTE) {
          this.#inString = false;
          out += text.slice(from, at);
          from = at;
          this.#holding = 'quote';
        } else if (code < 0x20) {
          out += text.slice(from, at) + escapeControl(code);
          from = at + 1;
        }
        continue;
      }
      if (isBlank(code)) continue;
      if (this.#holding !== undefined) {
        const closes = code === CLOSE_OBJECT || code === CLOSE_ARRAY;
        if (this.#holding === 'quote' && !closes && code !== COMMA && code !== COLON) break;
        const held = this.held + text.slice(from, at);
        out += this.#holding === 'comma' && closes ? held.slice(1) : held;
        from = at;
        this.held = '';
        this.#holding = undefined;
      }
      if (!this.#enter(code)) break;
      if (code === COMMA) {
        out += text.slice(from, at);
        from = at;
        this.#holding = 'comma';
      } else if (this.#closers.length === 0) {
        this.closed = true;
        this.consumed += at + 1;
        return out + text.slice(from, at + 1);
      }
    }
    this.#stuck = at < text.length;
    this.consumed += at;
    if (this.#holding === undefined) return out + text.slice(from, at);
    this.held += text.slice(from, at);
    return out;
  }

  /** Takes a significant character outside of strings; false when it cannot stand there. */
  #enter(code: number): boolean {
    switch (code) {
      case QUOTE:
        this.#inString = true;
        return true;
      case OPEN_OBJECT:
        this.#closers.push(CLOSE_OBJECT);
        return true;
      case OPEN_ARRAY:
        this.#closers.push(CLOSE_ARRAY);
        return true;
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        return this.#closers.pop() === code;
      default:
        return code === COMMA || code === COLON || isLiteral(code);
    }
  }
}

/** The quotes that close a string, by those that models open it with. */
const CLOSING_QUOTES: ReadonlyMap<number, number> = new Map(
  ['""', "''", '``', '“”', '‘’'].map((pair) => [pair.charCodeAt(0), pair.charCodeAt(1)]),
);
const WHOLE_WORDS: ReadonlySet<string> = new Set(['true', 'false', 'null', 'True', 'False', 'None']);

/** What a text that ends within an object ended with. */
type Ending = 'nothing' | 'mark' | 'string' | 'word' | 'bracket';

/**
 * The brackets that a text which was meant to be a JSON object lacks at its end, '' when it lacks none; undefined when it breaks off
 * where only its author knows how it goes on: inside a string, after a key, before a value, or in a number that may have had more
 * digits. Reads loosely, as such a text may have other faults, and says rather once too often that it breaks off: to complete half a
 * file or half a command by guessing does harm, to ask again does not.
 */
export function missingEnd(text: string): string | undefined {
  const closers: string[] = [];
  let ending: Ending = 'nothing';
  /** Where the last word began, such as a number. */
  let word = 0;
  /** Whether the last mark was a colon, behind which a value stands. */
  let afterColon = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const quote = ending === 'word' || isWordLetter(code) ? undefined : CLOSING_QUOTES.get(code);
    if (quote !== undefined) {
      at = endOfString(text, at + 1, quote);
      if (at < 0) return undefined;
      ending = 'string';
    } else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      closers.push(code === OPEN_OBJECT ? '}' : ']');
      ending = 'mark';
      afterColon = false;
    } else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
      if (closers.at(-1) === text[at]) closers.pop();
      ending = 'bracket';
    } else if (code === COMMA || code === COLON) {
      ending = 'mark';
      afterColon = code === COLON;
    } else if (!isBlank(code)) {
      if (ending !== 'word') word = at;
      ending = 'word';
    }
  }
  const end = closers.toReversed().join('');
  if (end === '' || ending === 'bracket') return end;
  const isValue = afterColon || end.startsWith(']');
  const isWhole = ending === 'string' || (ending === 'word' && WHOLE_WORDS.has(text.slice(word).trim()));
  return isValue && isWhole ? end : undefined;
}

/** The place of the quote that closes a string, -1 when there is none. */
function endOfString(text: string, from: number, quote: number): number {
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at += 1;
    else if (code === quote) return at;
  }
  return -1;
}
