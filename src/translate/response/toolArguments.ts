import { jsonrepair } from 'jsonrepair';
import { isObject, type Json, type JsonObject } from '../../core/json.ts';
import { type HeldBudget, parseBounded } from '../../protocol/bounds.ts';
import { isWordLetter, JsonScanner, missingEnd } from './jsonScanner.ts';

/** How often a form may be wrapped in another: a fence around a JSON string around an object. */
const DEPTH = 4;

/** No more letters of an answer are repaired, as each repair looks at all of them several times: no model writes so many in one answer. */
const REPAIR_LENGTH_MAX = 500_000;

/** A text without a brace may stand for an empty object, as quotes around nothing do. Longer words never become an object. */
const EMPTY_LENGTH_MAX = 100;

/**
 * The JSON object that a complete arguments text was meant to be, as text; undefined when that cannot be found out. In
 * this order: an object as it is, a code fence, an object encoded as a JSON string, a list with one object, an empty
 * object in front, words after the object, and last the general repairs (commas, quotes, missing brackets at the end). A text
 * that breaks off in the middle is never completed.
 */
export function repairArguments(text: string, budget = new RepairBudget()): string | undefined {
  return budget.takeValues(text) ? unwrap(text, DEPTH, budget) : undefined;
}

/**
 * What the arguments of all calls of one answer may take of the processor, which is some 50 ms. Arguments are a few values, and a few
 * marks around long strings, so that only what is no such thing costs much.
 */
export class RepairBudget {
  #values = 100_000;
  #letters = REPAIR_LENGTH_MAX;
  /** The work of a general repair grows with its marks times its length, as each mark may have to be put right by writing the text anew. */
  #work = 4e8;

  /** Takes what it is to parse this text; false when that is too much. */
  takeValues(text: string): boolean {
    this.#values -= countMarks(text, SEPARATORS, this.#values);
    return this.#values >= 0;
  }

  /** Takes what it is to look for an object in this text; false when that is too much. */
  takeSearch(text: string): boolean {
    this.#letters -= text.length;
    return this.#letters >= 0;
  }

  /** Takes what the general repair of this text may be; false when that is too much. */
  takeRepair(text: string): boolean {
    this.#work -= text.length * countMarks(text, MARKS, this.#work / text.length);
    return this.#work >= 0;
  }
}

function unwrap(text: string, depth: number, budget: RepairBudget): string | undefined {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed === 'null') return '{}';
  if (depth === 0) return undefined;
  const value = parseArguments(trimmed);
  if (value !== undefined) return fromValue(value, trimmed, depth, budget);
  if (isFenced(trimmed)) return unwrap(trimmed.slice(3, -3).replace(/^\w*/, ''), depth - 1, budget);
  const afterEmpty = /^\{\s*\}\s*(?=\{)/.exec(trimmed)?.[0];
  if (afterEmpty !== undefined) return unwrap(trimmed.slice(afterEmpty.length), depth - 1, budget);
  const mayBeObject = trimmed.length <= EMPTY_LENGTH_MAX || trimmed.includes('{');
  if (!mayBeObject || !budget.takeSearch(trimmed)) return undefined;
  return firstObject(trimmed) ?? generalRepair(trimmed, depth, budget);
}

function isFenced(text: string): boolean {
  return text.length >= 6 && text.startsWith('```') && text.endsWith('```');
}

function fromValue(value: unknown, text: string, depth: number, budget: RepairBudget): string | undefined {
  if (isObject(value)) return text;
  if (typeof value === 'string') return budget.takeValues(value) ? unwrap(value, depth - 1, budget) : undefined;
  if (Array.isArray(value) && value.length === 1 && isObject(value[0])) return JSON.stringify(value[0]);
  return undefined;
}

/** An object that is complete, whatever words follow it. */
function firstObject(text: string): string | undefined {
  if (!text.startsWith('{')) return undefined;
  const scanner = new JsonScanner();
  const object = scanner.push(text);
  return scanner.closed && parseArguments(object) !== undefined ? object : undefined;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** 1 for each ASCII letter that counts, by its code; the last stands for all other letters. */
type Marks = Uint8Array;
const NOT_ASCII = 128;

function marksOf(isMark: (code: number) => boolean): Marks {
  return Uint8Array.from({ length: NOT_ASCII + 1 }, (_, code) => (isMark(code) ? 1 : 0));
}

/** What stands in front of each value. */
const SEPARATORS = marksOf((code) => ',[{'.includes(String.fromCharCode(code)));
/** What a general repair may have to put right. */
const MARKS = marksOf((code) => !isWordLetter(code));

/** The letters of this kind outside of strings, and the quotes if they are; no more are counted than are more than `most`. */
function countMarks(text: string, kind: Marks, most: number): number {
  let marks = 0;
  let inString = false;
  for (let index = 0; index < text.length && marks <= most; index += 1) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) inString = !inString;
    else if (inString && code === BACKSLASH) index += 1;
    if (!inString || code === QUOTE) marks += kind[code < NOT_ASCII ? code : NOT_ASCII] ?? 0;
  }
  return marks;
}

/** How many values JSON text holds. */
export function countValues(text: string): number {
  return countMarks(text, SEPARATORS, text.length);
}

function generalRepair(text: string, depth: number, budget: RepairBudget): string | undefined {
  const end = missingEnd(text);
  if (end === undefined) return undefined;
  const closed = text + end;
  const value = end === '' ? undefined : parseArguments(closed);
  if (value !== undefined) return fromValue(value, closed, depth, budget);
  if (!budget.takeRepair(closed)) return undefined;
  try {
    const repaired = jsonrepair(closed).trim();
    const repairedValue = parseArguments(repaired);
    return repairedValue === undefined ? undefined : fromValue(repairedValue, repaired, depth, budget);
  } catch {
    return undefined;
  }
}

/** The value of JSON text from a model; undefined for what is not JSON, or nested too deep to be walked. */
export function parseArguments(text: string): unknown {
  try {
    return parseBounded(text);
  } catch {
    return undefined;
  }
}

export interface FinishedArguments {
  /** What is still to be written. */
  readonly text: string;
  /** The arguments were cut off: they are not complete, and must not be completed. */
  readonly unfinished: boolean;
  /** What was repaired, for the log. */
  readonly note?: string;
}

/**
 * The arguments of one call. Text that begins like an object with a member is passed on as it comes; anything
 * else is held and repaired when it is complete, also by the tool's schema. When only the rest could be held,
 * the whole is repaired, and if that agrees with what was already passed on, the rest of it is given; else the rest of
 * the original.
 */
export class ToolArguments {
  readonly #cumulative: boolean;
  readonly #held: HeldBudget;
  readonly #repairs: RepairBudget;
  #cost = 0;
  #phase: 'undecided' | 'live' | 'held';
  /** Repairs what is passed on; of what is held it only says whether the object is closed. */
  readonly #scanner = new JsonScanner();
  /** All that has come; while it is passed on only for a provider that repeats it. */
  #received = '';
  /** What came after the scanner had stopped. */
  #behind = '';
  /** Passed on so far, whether taken or not. */
  #passed = '';
  #waiting = '';
  #isHeldWhole: boolean | undefined;
  /** Whether nothing has come yet. */
  empty = true;

  /** @param held and `repairs` are those of the answer */
  constructor(live: boolean, cumulative: boolean, held: HeldBudget, repairs: RepairBudget) {
    this.#cumulative = cumulative;
    this.#held = held;
    this.#repairs = repairs;
    this.#phase = live ? 'undecided' : 'held';
  }

  /** Whether there has been anything to write. */
  get begun(): boolean {
    return this.#phase === 'live';
  }

  /** The object is closed: whatever still comes cannot change it. */
  get closed(): boolean {
    return this.#phase === 'live' && this.#scanner.closed;
  }

  /** The text so far is complete JSON by itself, whether or not it could be passed on. */
  get whole(): boolean {
    if (this.#phase !== 'held') return this.closed;
    if (!this.#scanner.closed || this.#behind.trim() !== '') return false;
    this.#isHeldWhole ??= this.#repairs.takeValues(this.#received) && parseArguments(this.#received) !== undefined;
    return this.#isHeldWhole;
  }

  push(text: string): void {
    const fresh = this.#cumulative ? this.#withoutRepeated(text) : text;
    if (fresh === '') return;
    this.#cost += this.#held.add(fresh.length);
    if (this.#cumulative || this.#phase !== 'live') this.#received += fresh;
    if (this.#phase === 'live') this.#pass(fresh);
    else if (this.#phase === 'held') this.#watch(fresh);
    else this.#decide();
    this.empty = false;
  }

  /** What can be written now. */
  take(): string {
    const text = this.#waiting;
    this.#waiting = '';
    return text;
  }

  /**
   * The answer is over.
   * @param cutOff the provider says that it broke off; it may have done so without a word, too
   */
  finish(cutOff: boolean, repairInput: (input: JsonObject) => JsonObject): FinishedArguments {
    this.#held.release(this.#cost);
    if (this.closed) {
      const note = this.#behind.trim() === '' ? {} : { note: 'words after the arguments' };
      return { text: this.take(), unfinished: false, ...note };
    }
    // What was received and not passed on, as it came.
    const remainder = this.#phase === 'live' ? this.#scanner.held + this.#behind : this.#received;
    const whole = this.#passed + remainder;
    const repaired = cutOff ? whole : repairArguments(whole, this.#repairs);
    const isReadable = !cutOff || this.#repairs.takeValues(whole);
    const input = repaired === undefined || !isReadable ? undefined : parseArguments(repaired);
    if (repaired === undefined || !isObject(input) || !repaired.startsWith(this.#passed)) {
      const isTooLong = whole.length > REPAIR_LENGTH_MAX;
      const unfinished = !isObject(input) && (cutOff || isTooLong || missingEnd(whole) === undefined);
      return { text: this.take() + remainder, unfinished, ...(unfinished ? {} : { note: 'unreadable arguments' }) };
    }
    const text = this.#passed === '' ? applyRepair(repaired, input, repairInput) : repaired;
    const note = text.trim() === whole.trim() || whole === '' ? {} : { note: 'repaired arguments' };
    return { text: this.take() + text.slice(this.#passed.length), unfinished: false, ...note };
  }

  #decide(): void {
    const text = this.#received.trimStart();
    if (/^\{\s*"/.test(text)) {
      this.#phase = 'live';
      if (!this.#cumulative) this.#received = '';
      this.#pass(text);
    } else if (!/^(\{\s*)?$/.test(text)) {
      this.#phase = 'held';
      this.#watch(text);
    }
  }

  #pass(text: string): void {
    const passed = this.#scan(text);
    this.#passed += passed;
    this.#waiting += passed;
  }

  #watch(text: string): void {
    // Only an object can be whole; what stands before it is white space.
    const begin = this.#scanner.consumed === 0 ? text.trimStart() : text;
    if (this.#scanner.consumed > 0 || begin.startsWith('{')) this.#scan(begin);
    else this.#behind += begin;
  }

  #scan(text: string): string {
    const before = this.#scanner.consumed;
    const passed = this.#scanner.push(text);
    this.#behind += text.slice(this.#scanner.consumed - before);
    return passed;
  }

  /** Snapshots repeat all that came before. */
  #withoutRepeated(text: string): string {
    return text.startsWith(this.#received) ? text.slice(this.#received.length) : text;
  }
}

function applyRepair(text: string, input: JsonObject, repairInput: (input: JsonObject) => JsonObject): string {
  const repaired = repairInput(input);
  return repaired === input ? text : JSON.stringify(repaired);
}

/**
 * Brings parsed arguments closer to the tool's own schema: null for an optional property that may not be null
 * goes; "5", "true" and JSON in a string become what the schema asks for. Nothing else: an empty string is often meant.
 * Gives the same object when nothing was to be done.
 */
export function repairBySchema(toolName: string, input: JsonObject, schema: JsonObject): JsonObject {
  const repaired = repairObject(input, schema);
  if (toolName !== 'Read' || repaired['pages'] !== '') return repaired;
  // The client's own tool refuses an empty page range, and models send one for every file.
  const { pages: _, ...rest } = repaired;
  return rest;
}

function repairObject(input: JsonObject, schema: JsonObject): JsonObject {
  const properties = schema['properties'];
  if (!isObject(properties)) return input;
  const required = new Set(Array.isArray(schema['required']) ? schema['required'] : []);
  let changed = false;
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(input)) {
    const property = properties[key];
    if (value === undefined || !isObject(property)) {
      result[key] = value;
    } else if (value === null && !required.has(key) && !accepts(property, 'null')) {
      changed = true;
    } else {
      const repaired = repairValue(value, property);
      changed ||= repaired !== value;
      result[key] = repaired;
    }
  }
  return changed ? result : input;
}

function repairValue(value: Json, schema: JsonObject): Json {
  if (isObject(value)) return repairObject(value, schema);
  if (Array.isArray(value)) return repairItems(value, schema);
  if (typeof value !== 'string' || accepts(schema, 'string')) return value;
  if ((accepts(schema, 'number') || accepts(schema, 'integer')) && /^-?\d+(\.\d+)?$/.test(value)) return Number(value);
  const parsed = parseArguments(value) as Json | undefined;
  if (typeof parsed === 'boolean' && accepts(schema, 'boolean')) return parsed;
  if (Array.isArray(parsed) && accepts(schema, 'array')) return repairItems(parsed, schema);
  if (isObject(parsed) && accepts(schema, 'object')) return repairObject(parsed, schema);
  return value;
}

function repairItems(items: Json[], schema: JsonObject): Json[] {
  const itemSchema = schema['items'];
  if (!isObject(itemSchema)) return items;
  const repaired = items.map((item) => repairValue(item, itemSchema));
  return repaired.some((item, index) => item !== items[index]) ? repaired : items;
}

/** Whether the schema may take a value of this type; one that does not speak of types takes anything. */
function accepts(schema: JsonObject, type: string): boolean {
  if (type === 'null' && schema['nullable'] === true) return true;
  const alternatives = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(alternatives)) return alternatives.some((one) => isObject(one) && accepts(one, type));
  const types = schema['type'];
  if (types === undefined) return true;
  return Array.isArray(types) ? types.includes(type) : types === type;
}
