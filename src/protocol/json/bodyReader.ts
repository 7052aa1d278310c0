import { type RememberedBody, type RememberedValue, standsAt } from './rememberedBody.ts';
import { skipBlanks, skipString, skipValue } from './skipValue.ts';

const QUOTE = 0x22;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;

/** Thrown at anything that is not plainly an object of JSON; the parser of the runtime then says what is wrong. */
class NotPlain extends Error {}

/** Values that end by themselves; a number could go on behind the bytes that are compared. */
function endsItself(byte: number | undefined): boolean {
  return byte === OPEN_BRACE || byte === OPEN_BRACKET || byte === QUOTE;
}

/** Reads one body piece by piece, taking over from an earlier one what has the same bytes. */
export class BodyReader {
  readonly #bytes: Buffer;
  readonly #lists: ReadonlySet<string>;
  readonly #earlier: RememberedBody | undefined;
  readonly #values = new Map<string, RememberedValue>();
  readonly #elements = new Map<string, RememberedValue[]>();
  #at = 0;

  /** @param lists top-level names whose lists are read element by element */
  constructor(bytes: Buffer, lists: ReadonlySet<string>, earlier: RememberedBody | undefined) {
    this.#bytes = bytes;
    this.#lists = lists;
    this.#earlier = earlier;
  }

  /**
   * Reads the body, with a pause after each piece that had to be parsed: its length is given.
   * @returns undefined when the body is not plainly an object
   */
  *read(): Generator<number, RememberedBody | undefined> {
    try {
      this.#expect(OPEN_BRACE);
      if (this.#take(CLOSE_BRACE)) return this.#finish();
      do {
        const name = this.#name();
        this.#expect(COLON);
        this.#blanks();
        const start = this.#at;
        const value =
          this.#lists.has(name) && this.#bytes[start] === OPEN_BRACKET
            ? yield* this.#list(name)
            : yield* this.#value(name);
        this.#values.set(name, { start, end: this.#at, value });
      } while (this.#take(COMMA));
      this.#expect(CLOSE_BRACE);
      return this.#finish();
    } catch (error) {
      if (error instanceof NotPlain || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  #finish(): RememberedBody {
    this.#blanks();
    if (this.#at !== this.#bytes.length) throw new NotPlain();
    return { bytes: this.#bytes, values: this.#values, elements: this.#elements };
  }

  #name(): string {
    this.#blanks();
    if (this.#bytes[this.#at] !== QUOTE) throw new NotPlain();
    const name = JSON.parse(this.#cut(skipString(this.#bytes, this.#at))) as string;
    // An assignment would not set it.
    if (name === '__proto__') throw new NotPlain();
    return name;
  }

  *#value(name: string): Generator<number, unknown> {
    const known = this.#earlier?.values.get(name);
    return yield* this.#known(known);
  }

  *#list(name: string): Generator<number, unknown[]> {
    const earlier = this.#earlier?.elements.get(name) ?? [];
    const elements: RememberedValue[] = [];
    this.#elements.set(name, elements);
    this.#expect(OPEN_BRACKET);
    if (this.#take(CLOSE_BRACKET)) return [];
    do {
      this.#blanks();
      const start = this.#at;
      const value = yield* this.#known(earlier[elements.length]);
      elements.push({ start, end: this.#at, value });
    } while (this.#take(COMMA));
    this.#expect(CLOSE_BRACKET);
    return elements.map(({ value }) => value);
  }

  /** The value here: the known one where the same bytes stand, else what they are parsed to. */
  *#known(known: RememberedValue | undefined): Generator<number, unknown> {
    const start = this.#at;
    if (
      known !== undefined &&
      this.#earlier !== undefined &&
      endsItself(this.#bytes[start]) &&
      standsAt(this.#bytes, start, this.#earlier, known)
    ) {
      this.#at += known.end - known.start;
      return known.value;
    }
    const value: unknown = JSON.parse(this.#cut(skipValue(this.#bytes, start)));
    yield this.#at - start;
    return value;
  }

  #cut(end: number): string {
    if (end === -1) throw new NotPlain();
    const text = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end;
    return text;
  }

  #blanks(): void {
    this.#at = skipBlanks(this.#bytes, this.#at);
  }

  #take(byte: number): boolean {
    this.#blanks();
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at += 1;
    return true;
  }

  #expect(byte: number): void {
    if (!this.#take(byte)) throw new NotPlain();
  }
}
