const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;

/** From here on a search by the runtime is cheaper than a look at each byte. */
const LONG_STRING = 64;

export function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** The first position from `at` on that holds no white space of JSON. */
export function skipBlanks(bytes: Uint8Array, at: number): number {
  let index = at;
  while (isBlank(bytes[index])) index += 1;
  return index;
}

/** The position behind the string whose opening quote stands at `at`; -1 when it does not end. */
export function skipString(bytes: Buffer, at: number): number {
  const near = Math.min(bytes.length, at + LONG_STRING);
  for (let index = at + 1; index < near; index += 1) {
    const byte = bytes[index];
    if (byte === QUOTE) return index + 1;
    if (byte === BACKSLASH) index += 1;
  }
  for (let index = near; ; ) {
    const quote = bytes.indexOf(QUOTE, index);
    if (quote === -1) return -1;
    let backslashes = 0;
    while (bytes[quote - 1 - backslashes] === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
    index = quote + 1;
  }
}

/**
 * The position behind the JSON value that begins at `at`, found by its quotes and brackets alone; whether it is valid is for the
 * parser to say. -1 when it does not end.
 */
export function skipValue(bytes: Buffer, at: number): number {
  let depth = 0;
  for (let index = at; index < bytes.length; ) {
    const byte = bytes[index];
    if (byte === QUOTE) {
      index = skipString(bytes, index);
      if (index === -1) return -1;
      if (depth === 0) return index;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
      index += 1;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (depth === 0) return index;
      depth -= 1;
      index += 1;
      if (depth === 0) return index;
    } else {
      if (depth === 0 && (byte === COMMA || isBlank(byte))) return index;
      index += 1;
    }
  }
  return -1;
}
