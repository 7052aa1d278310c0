import { skipString } from './incrementalParser.ts';

/**
 * Most values that one request may hold. That of a long conversation has some ten thousand; empty objects, three bytes each, take twenty
 * times their size in memory.
 */
export const VALUES_MAX = 250_000;

/** So much is looked at before a pause, in bytes: less than 1 ms. */
const STRETCH_BYTES = 512 * 1024;

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;

/** Whether a JSON text holds more values than so many, found by its commas and brackets alone, and with a pause after each stretch. */
export function* hasTooManyValues(bytes: Buffer, most: number): Generator<void, boolean> {
  let count = 0;
  let pauseAt = STRETCH_BYTES;
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = skipString(bytes, at);
      if (at === -1) return false;
    } else {
      if (byte === COMMA || byte === OPEN_BRACKET || byte === OPEN_BRACE) count += 1;
      if (count > most) return true;
      at += 1;
    }
    if (at > pauseAt) {
      pauseAt = at + STRETCH_BYTES;
      yield;
    }
  }
  return false;
}
