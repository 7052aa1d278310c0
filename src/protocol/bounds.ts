import { ApiError } from '../core/errors.ts';
import { isObject, type JsonObject, parseExact } from '../core/json.ts';
import { hasTooManyEscapes, hasTooManyValues } from './json/incrementalParser.ts';

/** Most that one answer may keep in memory beyond what was sent on, in bytes: all of it may have to be printed at once, within 50 ms. */
export const HELD_MAX = 4 * 1024 * 1024;

/** What a kept piece costs beside its letters, in bytes: many small pieces weigh more than their text. */
const PIECE_COST = 16;

/**
 * Counts what one answer keeps in memory beyond what was sent on: arguments that wait for their repair, text that waits for a call to
 * end, reasoning that may be needed again. Whoever holds something adds it; the state machine ends an answer that exceeds the budget.
 */
export class HeldBudget {
  #held = 0;
  /** Whether the answer holds more than it may. */
  isExceeded = false;

  /** Counts a piece of so many letters, and gives what `release` takes back. */
  add(letters: number): number {
    const cost = letters + PIECE_COST;
    this.#held += cost;
    this.isExceeded = this.#held > HELD_MAX;
    return cost;
  }

  release(cost: number): void {
    this.#held -= cost;
    this.isExceeded = this.#held > HELD_MAX;
  }
}

/** The error for an answer that exceeds the budget. */
export function heldTooMuch(): ApiError {
  return new ApiError('bad_gateway', `the provider's answer has to be held back for more than ${HELD_MAX} bytes`);
}

const BLANKS_MAX = 500;
const REPEATS_MAX = 200;

/** Watches the pieces of a call's arguments for a model that makes no headway. */
export class Repetition {
  #blanks = 0;
  #repeats = 0;
  #last = '';

  /** Whether the model is stuck with this piece: endless blanks, or the same piece again and again. */
  isStuckAfter(piece: string): boolean {
    if (piece === '') return false;
    this.#blanks = piece.trim() === '' ? this.#blanks + piece.length : 0;
    this.#repeats = piece === this.#last ? this.#repeats + 1 : 1;
    this.#last = piece;
    return this.#blanks > BLANKS_MAX || this.#repeats >= REPEATS_MAX;
  }
}

/** The error for a model that writes on without end. */
export function stuckIn(what: string): ApiError {
  return new ApiError('overloaded', `the model is stuck in ${what}`);
}

const NO_BYTES = new Uint8Array();
const FIRST_BYTES = 512;

/** Bytes that wait for their rest, in one buffer that grows: however small the pieces, it takes no more than twice their size. */
export class ByteBuffer {
  #bytes: Uint8Array = NO_BYTES;
  length = 0;

  /** Copies the bytes, as a caller's buffer is its own. */
  append(bytes: Uint8Array): void {
    const length = this.length + bytes.length;
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#bytes.length, FIRST_BYTES));
      larger.set(this.#bytes.subarray(0, this.length));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.length);
    this.length = length;
  }

  /** Hands over all the bytes, and is empty then. */
  take(): Uint8Array {
    const all = this.#bytes.subarray(0, this.length);
    this.#bytes = NO_BYTES;
    this.length = 0;
    return all;
  }
}

/** Levels of nesting that nobody means to exceed, in requests and in answers. */
export const DEPTH_MAX = 256;

/** Largest answer in one piece, in bytes: what can be read within 50 ms, and more than ten times what a model can write. */
export const ANSWER_MAX = 8 * 1024 * 1024;

/** The same where it is written anew. */
export const WRITTEN_MAX = 4 * 1024 * 1024;

/** Throws an ApiError for an answer that is too large to be written anew. */
export function checkWrittenSize(bytes: number): void {
  if (bytes > WRITTEN_MAX) throw new ApiError('bad_gateway', `the answer is larger than ${WRITTEN_MAX} bytes`);
}

/** Most values and escaped letters of JSON from a provider: more cannot be parsed and printed within 50 ms. */
export const ANSWER_VALUES_MAX = 100_000;
const ANSWER_ESCAPES_MAX = 1_000_000;

/**
 * The value of JSON text from a provider, which whoever reads it may walk recursively.
 * @throws SyntaxError for what is not JSON, and ApiError `bad_gateway` for what is nested too deep or holds too much to be parsed at a
 * stretch
 */
export function parseBounded(text: string): unknown {
  if (text.length > ANSWER_VALUES_MAX) checkDensity(Buffer.from(text));
  const value = parseExact(text);
  // A value that is nested too deep has as many opening and closing brackets as levels.
  if (text.length > 2 * DEPTH_MAX && mayBeTooDeep(text) && isTooDeep(value)) {
    throw new ApiError('bad_gateway', `the provider's answer is nested deeper than ${DEPTH_MAX} levels`);
  }
  return value;
}

/** The same where it is an object; undefined where it is none, or not JSON. */
export function parseBoundedObject(text: string): JsonObject | undefined {
  // The parser's error costs as much as parsing some kilobytes, which a stream of many small frames without JSON would sum up.
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    const value = parseBounded(text);
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof ApiError) throw error;
    return undefined;
  }
}

function checkDensity(bytes: Buffer): void {
  if (hasTooManyValues(bytes, ANSWER_VALUES_MAX)) {
    throw new ApiError('bad_gateway', `the provider's answer holds more than ${ANSWER_VALUES_MAX} values`);
  }
  if (hasTooManyEscapes(bytes, ANSWER_ESCAPES_MAX)) {
    throw new ApiError('bad_gateway', `the provider's answer holds more than ${ANSWER_ESCAPES_MAX} escaped letters`);
  }
}

/** How often a letter stands in a text, but no more than so often. By `indexOf`, as a loop over all letters takes ten times as long. */
function countLetter(text: string, letter: string, most: number): number {
  let count = 0;
  for (let at = text.indexOf(letter); at !== -1 && count < most; at = text.indexOf(letter, at + 1)) count += 1;
  return count;
}

/** Whether a text has so many brackets that its value may be nested too deep. */
function mayBeTooDeep(text: string): boolean {
  return countLetter(text, '{', DEPTH_MAX + 1) + countLetter(text, '[', DEPTH_MAX + 1) > DEPTH_MAX;
}

/**
 * Whether a value is nested deeper than anybody means. It goes no deeper itself, so that no value can exhaust the stack.
 * @param depth at which the value stands
 * @param isKnown says of an object that it need not be looked at
 */
export function isTooDeep(value: unknown, depth = 1, isKnown?: (value: object, depth: number) => boolean): boolean {
  if (typeof value !== 'object' || value === null || isKnown?.(value, depth) === true) return false;
  if (depth > DEPTH_MAX) return true;
  for (const child of Array.isArray(value) ? value : Object.values(value)) {
    if (typeof child === 'object' && child !== null && isTooDeep(child, depth + 1, isKnown)) return true;
  }
  return false;
}
