import type { JsonObject } from '../../core/json.ts';

type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown;

/** ECMAScript's way to keep a number as it is written, which the types of the language do not know yet. */
const { rawJSON, isRawJSON, parse } = JSON as unknown as {
  rawJSON: (text: string) => JsonObject;
  isRawJSON: (value: unknown) => boolean;
  parse: (text: string, reviver?: Reviver) => unknown;
};

/** A whole number of so many digits that it may be beyond 2^53. In a text it costs no more than a slower parse. */
const LONG_INTEGER = /(?:^|[:[,])\s{0,8}-?\d{16}/;

/** Values of one text that are looked at: it takes some 25 ms, many times what the parser itself takes. */
const EXACT_VALUES_MAX = 50_000;

class TooManyValues extends Error {}

function keepDigits(value: unknown, source: string | undefined): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined) return value;
  return Number.isInteger(value) && String(value) !== source ? rawJSON(source) : value;
}

/**
 * The value of JSON text, whose whole numbers beyond 2^53 keep their digits: each is an object that JSON.stringify prints as it was
 * written. Ids and bounds of that size are common in tools, and a digit that changes names another thing. In a text of more than
 * 50,000 values, as no request and no call of a tool holds them, they are plain numbers.
 * @throws SyntaxError of JSON.parse
 */
export function parseExact(text: string): unknown {
  if (!LONG_INTEGER.test(text)) return parse(text);
  let count = 0;
  try {
    return parse(text, (_key, value, { source }) => {
      count += 1;
      if (count > EXACT_VALUES_MAX) throw new TooManyValues();
      return keepDigits(value, source);
    });
  } catch (error) {
    if (error instanceof TooManyValues) return parse(text);
    throw error;
  }
}

/** Whether a value is a number that kept its digits. */
export function isExactNumber(value: unknown): boolean {
  return isRawJSON(value);
}
