/** JSON values as TypeScript sees them. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json | undefined;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value when it is a string, else undefined: for reading loosely what a provider or client sent. */
export function asString(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The value when it is a finite number, else undefined. */
export function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** More than any model reads or writes, and so little that the sums of many requests stay exact. */
const MOST_TOKENS = 1_000_000_000;

/**
 * A count of tokens as another program gives it, made whole; undefined for what cannot be one: a text, a negative number, NaN, or
 * more than a thousand million.
 */
export function tokenCount(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= MOST_TOKENS ? Math.round(value) : undefined;
}

/** Parses text to an object; undefined when it is not JSON or not an object. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The value with lone UTF-16 surrogates in its strings replaced by U+FFFD: JSON that holds one is refused by strict
 * parsers. What needs no change is given back itself, not a copy.
 * @param known values that were looked through before
 */
export function replaceLoneSurrogates<T>(value: T, known: WeakSet<object>): T {
  return isWellFormed(value, known) ? value : (replaceIn(value) as T);
}

/** The same for what many requests have in common: it joins the known values, and so is looked through once. */
export function replaceLoneSurrogatesOnce<T extends object>(value: T, known: WeakSet<object>): T {
  if (known.has(value)) return value;
  const replaced = replaceLoneSurrogates(value, known);
  known.add(replaced);
  return replaced;
}

/** Looks before anything is copied, as hardly any request holds one. */
function isWellFormed(value: unknown, known: WeakSet<object>): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null || known.has(value)) return true;
  if (Array.isArray(value)) {
    for (const child of value) if (!isWellFormed(child, known)) return false;
    return true;
  }
  for (const key in value) {
    if (!isWellFormed((value as Record<string, unknown>)[key], known)) return false;
  }
  return true;
}

function replaceIn(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(replaceIn);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, replaceIn(child)]));
}

type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown;

/** ECMAScript's way to keep a number as it is written, which the types of the language do not know yet. */
const { rawJSON, isRawJSON, parse } = JSON as unknown as {
  rawJSON: (text: string) => JsonObject;
  isRawJSON: (value: unknown) => boolean;
  parse: (text: string, reviver?: Reviver) => unknown;
};

/** A whole number of so many digits that it may be beyond 2^53. In a text it costs no more than a slower parse. */
const LONG_INTEGER = /(?:^|[:[,])\s{0,8}-?\d{16}/;

function keepDigits(_key: string, value: unknown, { source }: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined) return value;
  return Number.isInteger(value) && String(value) !== source ? rawJSON(source) : value;
}

/**
 * The value of JSON text, whose whole numbers beyond 2^53 keep their digits: each is an object that JSON.stringify prints as it was
 * written. Ids and bounds of that size are common in tools, and a digit that changes names another thing.
 * @throws SyntaxError of JSON.parse
 */
export function parseExact(text: string): unknown {
  return parse(text, LONG_INTEGER.test(text) ? keepDigits : undefined);
}

/** Whether a value is a number that kept its digits. */
export function isExactNumber(value: unknown): boolean {
  return isRawJSON(value);
}
