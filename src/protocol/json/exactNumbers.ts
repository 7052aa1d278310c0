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
