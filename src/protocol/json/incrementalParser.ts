import { ApiError } from '../../core/errors.ts';
import { parseExact } from '../../core/json.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COLON = 0x3a;
const COMMA = 0x2c;

/** From this distance on a search by the runtime is cheaper than a look at each byte. */
const LONG_STRING = 64;

const BYTE_ORDER_MARK = 0xfeff;

/** A body that begins with fewer bytes in common belongs to another conversation. */
const RELATED_BYTES = 512;

/** Most values of the bodies that are kept, together: small ones take twenty times their bytes in memory. */
export const KEPT_VALUES_MAX = 60_000;

/** Conversations that are kept at a time: those of one user, with their subagents. */
const MAX_BODIES = 16;

/**
 * Most values that one request may hold. That of a long conversation has some ten thousand; empty objects, three bytes each, take twenty
 * times their size in memory.
 */
export const VALUES_MAX = 250_000;

/**
 * Largest message, tool or other field of a body, which is parsed and printed at a stretch: what holds the event loop for some 50 ms.
 * As bytes it is larger than any file that a model takes; small values and escaped letters take much longer for their bytes.
 */
export const FIELD_MAX = { bytes: 32 * 1024 * 1024, values: 50_000, escapes: 1_000_000 } as const;

/** A body that is not plainly an object is parsed whole, for the words of the parser: up to so many bytes. */
const WHOLE_MAX_BYTES = 4 * 1024 * 1024;

export interface IncrementalParserOptions {
  /** Top-level names whose lists grow from request to request. */
  readonly lists: ReadonlySet<string>;
  /** Shorter bodies are parsed whole, which is quicker than to compare them. */
  readonly minBytes: number;
  /** Most bytes of bodies that are kept. */
  readonly maxBytes: number;
}

/** A value within a body: its bytes by position, and what they say. */
export interface ParsedValue {
  readonly start: number;
  readonly end: number;
  readonly value: unknown;
  /** How many values it holds, itself not counted. */
  readonly count: number;
}

/** A body that was read, with those of its parts that a later body may have in common with it. */
export interface ParsedBody {
  readonly bytes: Buffer;
  /** By top-level name; of lists that were read element by element, the elements. */
  readonly values: ReadonlyMap<string, ParsedValue>;
  readonly elements: ReadonlyMap<string, readonly ParsedValue[]>;
  /** How many values it holds, and how many of them were not taken over. */
  readonly count: number;
  readonly parsed: number;
}

/**
 * Parses JSON bodies of which each repeats most of an earlier one, as the requests of a conversation do: what has the same bytes is
 * not parsed again, but is the same object as before. So nobody may change what `parse` gives, and work on such a part can be
 * cached by its identity.
 */
export class IncrementalJsonParser {
  readonly #options: IncrementalParserOptions;
  /** The one that was used last at the end. */
  #bodies: ParsedBody[] = [];
  /** How many values it had to parse since it was made, which earlier bodies did not have. */
  parsedValues = 0;

  constructor(options: IncrementalParserOptions) {
    this.#options = options;
  }

  /** The value of the body; throws the SyntaxError of JSON.parse, and ApiError `request_too_large` for more than VALUES_MAX and FIELD_MAX. */
  parse(bytes: Buffer): unknown {
    const steps = this.parseInSteps(bytes);
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) return value;
    }
  }

  /** The same with a pause after each piece that had to be parsed. */
  *parseInSteps(bytes: Buffer): Generator<void, unknown> {
    if (bytes.length < this.#options.minBytes) return parseWhole(bytes);
    const earlier = this.#mostAlike(bytes);
    const body = yield* new ObjectParser(bytes, this.#options.lists, earlier).read();
    this.parsedValues += body?.parsed ?? 0;
    if (body === undefined) return parseWhole(bytes);
    this.#keep(body, earlier);
    const value: Record<string, unknown> = {};
    for (const [name, part] of body.values) value[name] = part.value;
    return value;
  }

  #mostAlike(bytes: Buffer): ParsedBody | undefined {
    let best: ParsedBody | undefined;
    let most = RELATED_BYTES - 1;
    for (const body of this.#bodies) {
      const length = commonPrefix(bytes, body.bytes);
      if (length <= most) continue;
      most = length;
      best = body;
    }
    return best;
  }

  /** Keeps the body in place of the one that it continues, and forgets the oldest beyond the bounds. */
  #keep(body: ParsedBody, earlier: ParsedBody | undefined): void {
    const { bytes, count } = body;
    if (bytes.length < RELATED_BYTES || bytes.length > this.#options.maxBytes || count > KEPT_VALUES_MAX) return;
    this.#bodies = this.#bodies.filter((one) => one !== earlier);
    this.#bodies.push(body);
    let total = 0;
    let values = 0;
    for (const one of this.#bodies) {
      total += one.bytes.length;
      values += one.count;
    }
    while (total > this.#options.maxBytes || values > KEPT_VALUES_MAX || this.#bodies.length > MAX_BODIES) {
      const oldest = this.#bodies.shift();
      total -= oldest?.bytes.length ?? 0;
      values -= oldest?.count ?? 0;
    }
  }
}

function parseWhole(bytes: Buffer): unknown {
  // A body of fewer bytes cannot hold so many.
  if (bytes.length > VALUES_MAX && hasTooManyValues(bytes.subarray(0, WHOLE_MAX_BYTES), VALUES_MAX)) {
    throw tooManyValues();
  }
  if (bytes.length > WHOLE_MAX_BYTES) throw new SyntaxError('it is not plainly one object');
  const text = bytes.toString('utf8');
  return parseExact(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text);
}

/** Whether a JSON text holds more values than so many, at most VALUES_MAX; found without parsing it. */
export function hasTooManyValues(bytes: Buffer, most: number): boolean {
  const marks = { count: 0 };
  skipValue(bytes, skipBlanks(bytes, 0), marks);
  return marks.count > most;
}

const tooManyValues = () => new ApiError('request_too_large', `the body holds more than ${VALUES_MAX} values`);

const FIRST_STEP = 512;

/** How many bytes two bodies have in common at their beginning, to within the last step that was compared. */
export function commonPrefix(one: Buffer, other: Buffer): number {
  const length = Math.min(one.length, other.length);
  let equal = 0;
  for (let step = FIRST_STEP; equal < length; step *= 2) {
    const end = Math.min(equal + step, length);
    if (one.compare(other, equal, end, equal, end) !== 0) return equal;
    equal = end;
  }
  return equal;
}

/** Thrown at anything that is not plainly an object of JSON; the parser of the runtime then says what is wrong. */
class NotAnObject extends Error {}

/** Values that end by themselves; a number could go on behind the bytes that are compared. */
function endsItself(byte: number | undefined): boolean {
  return byte === OPEN_BRACE || byte === OPEN_BRACKET || byte === QUOTE;
}

/** Reads one body piece by piece, taking over from an earlier one what has the same bytes. */
export class ObjectParser {
  readonly #bytes: Buffer;
  readonly #lists: ReadonlySet<string>;
  readonly #earlier: ParsedBody | undefined;
  readonly #values = new Map<string, ParsedValue>();
  readonly #elements = new Map<string, ParsedValue[]>();
  readonly #marks = { count: 0 };
  #parsed = 0;
  #at = 0;

  /** @param lists top-level names whose lists are read element by element */
  constructor(bytes: Buffer, lists: ReadonlySet<string>, earlier: ParsedBody | undefined) {
    this.#bytes = bytes;
    this.#lists = lists;
    this.#earlier = earlier;
  }

  /**
   * Reads the body, with a pause after each piece that had to be parsed.
   * @returns undefined when the body is not plainly an object
   */
  *read(): Generator<void, ParsedBody | undefined> {
    try {
      this.#expect(OPEN_BRACE);
      if (this.#take(CLOSE_BRACE)) return this.#finish();
      do {
        const name = this.#name();
        this.#expect(COLON);
        this.#blanks();
        const start = this.#at;
        const before = this.#marks.count;
        const value =
          this.#lists.has(name) && this.#bytes[start] === OPEN_BRACKET
            ? yield* this.#list(name)
            : yield* this.#value(name);
        this.#values.set(name, { start, end: this.#at, value, count: this.#marks.count - before });
        this.#marks.count += 1;
      } while (this.#take(COMMA));
      this.#expect(CLOSE_BRACE);
      return this.#finish();
    } catch (error) {
      if (error instanceof NotAnObject || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  #finish(): ParsedBody {
    this.#blanks();
    if (this.#at !== this.#bytes.length) throw new NotAnObject();
    const { count } = this.#marks;
    return { bytes: this.#bytes, values: this.#values, elements: this.#elements, count, parsed: this.#parsed };
  }

  #name(): string {
    this.#blanks();
    if (this.#bytes[this.#at] !== QUOTE) throw new NotAnObject();
    const name = JSON.parse(this.#cut(skipString(this.#bytes, this.#at))) as string;
    // An assignment would not set it.
    if (name === '__proto__') throw new NotAnObject();
    return name;
  }

  *#value(name: string): Generator<void, unknown> {
    const known = this.#earlier?.values.get(name);
    return yield* this.#known(known);
  }

  *#list(name: string): Generator<void, unknown[]> {
    const earlier = this.#earlier?.elements.get(name) ?? [];
    const elements: ParsedValue[] = [];
    this.#elements.set(name, elements);
    this.#expect(OPEN_BRACKET);
    if (this.#take(CLOSE_BRACKET)) return [];
    do {
      this.#blanks();
      const start = this.#at;
      const before = this.#marks.count;
      const value = yield* this.#known(earlier[elements.length]);
      elements.push({ start, end: this.#at, value, count: this.#marks.count - before });
      this.#marks.count += 1;
    } while (this.#take(COMMA));
    this.#expect(CLOSE_BRACKET);
    return elements.map(({ value }) => value);
  }

  /** The value here: the known one where the same bytes stand, else what they are parsed to. */
  *#known(known: ParsedValue | undefined): Generator<void, unknown> {
    const start = this.#at;
    if (
      known !== undefined &&
      this.#earlier !== undefined &&
      endsItself(this.#bytes[start]) &&
      hasSameBytesAt(this.#bytes, start, this.#earlier, known)
    ) {
      this.#at += known.end - known.start;
      this.#marks.count += known.count;
      return known.value;
    }
    const before = this.#marks.count;
    const end = skipValue(this.#bytes, start, this.#marks);
    if (this.#marks.count > VALUES_MAX) throw tooManyValues();
    checkField(this.#bytes.subarray(start, end), this.#marks.count - before);
    this.#parsed += this.#marks.count - before + 1;
    const value = parseExact(this.#cut(end));
    yield;
    return value;
  }

  #cut(end: number): string {
    if (end === -1) throw new NotAnObject();
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
    if (!this.#take(byte)) throw new NotAnObject();
  }
}

function checkField(field: Buffer, values: number): void {
  if (field.length > FIELD_MAX.bytes) throw fieldTooLarge(`is larger than ${FIELD_MAX.bytes} bytes`);
  if (values > FIELD_MAX.values) throw fieldTooLarge(`holds more than ${FIELD_MAX.values} values`);
  if (hasTooManyEscapes(field, FIELD_MAX.escapes)) throw fieldTooLarge(`has more than ${FIELD_MAX.escapes} escapes`);
}

function fieldTooLarge(excess: string): ApiError {
  return new ApiError('request_too_large', `one message, tool or other field of the body ${excess}`);
}

/** Whether more than so many letters of a JSON text are escaped. */
export function hasTooManyEscapes(bytes: Buffer, most: number): boolean {
  // An escaped letter has at least two bytes.
  if (bytes.length <= 2 * most) return false;
  let count = 0;
  for (let index = bytes.indexOf(BACKSLASH); index !== -1 && count <= most; count += 1) {
    index += 2;
    // Where they are close together a look at the next letters is cheaper than a search.
    if (bytes[index] !== BACKSLASH) index = bytes.indexOf(BACKSLASH, index);
  }
  return count > most;
}

/** Whether `bytes` has at `at` what the earlier body has as this value. */
export function hasSameBytesAt(bytes: Buffer, at: number, body: ParsedBody, { start, end }: ParsedValue): boolean {
  const length = end - start;
  return at + length <= bytes.length && bytes.compare(body.bytes, start, end, at, at + length) === 0;
}

export const isBlank = (byte: number | undefined) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** The first position from `at` on that holds no white space of JSON. */
export function skipBlanks(bytes: Uint8Array, at: number): number {
  let index = at;
  while (isBlank(bytes[index])) index += 1;
  return index;
}

/** The position behind the string whose opening quote stands at `at`; -1 when it does not end. */
export function skipString(bytes: Buffer, at: number): number {
  for (let index = at + 1; ; ) {
    // Where quotes are close together, as in code, a look at each byte is cheaper than to search for each quote.
    const near = Math.min(bytes.length, index + LONG_STRING);
    for (; index < near; index += 1) {
      const byte = bytes[index];
      if (byte === QUOTE) return index + 1;
      if (byte === BACKSLASH) index += 1;
    }
    const quote = bytes.indexOf(QUOTE, index);
    if (quote === -1) return -1;
    let backslashes = 0;
    while (quote - 1 - backslashes >= index && bytes[quote - 1 - backslashes] === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
    index = quote + 1;
  }
}

/**
 * The position behind the JSON value that begins at `at`, found by its quotes and brackets alone; whether it is valid is for the
 * parser to say. -1 when it does not end, or as soon as there are too many values.
 * @param marks takes in how many commas and opening brackets there are in it
 */
export function skipValue(bytes: Buffer, at: number, marks = { count: 0 }): number {
  let depth = 0;
  for (let index = at; index < bytes.length && marks.count <= VALUES_MAX; ) {
    const byte = bytes[index];
    if (byte === QUOTE) {
      index = skipString(bytes, index);
      if (index === -1) return -1;
      if (depth === 0) return index;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
      marks.count += 1;
      index += 1;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (depth === 0) return index;
      depth -= 1;
      index += 1;
      if (depth === 0) return index;
    } else {
      if (depth === 0 && (byte === COMMA || isBlank(byte))) return index;
      if (byte === COMMA) marks.count += 1;
      index += 1;
    }
  }
  return -1;
}
