const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** From the opening to behind the closing quote of a string. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * A request body with another model: the value of the top-level `model` is replaced, every other byte stays as it came, so that
 * what a native endpoint gets is what the client wrote. A name that stands there twice is replaced twice, since parsers differ in
 * which one they take.
 * @param body JSON text of an object, already found to be valid
 */
export function replaceModel(body: Buffer, model: string): Buffer {
  const replacement = Buffer.from(JSON.stringify(model));
  const pieces: Buffer[] = [];
  let done = 0;
  for (const { start, end } of findModels(body)) {
    pieces.push(body.subarray(done, start), replacement);
    done = end;
  }
  return done === 0 ? body : Buffer.concat([...pieces, body.subarray(done)]);
}

/** The strings that are values of a top-level `model`. */
function findModels(body: Buffer): Span[] {
  const found: Span[] = [];
  let depth = 0;
  /** What the next string of the top level is the value of. */
  let name: Span | undefined;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    if (byte === QUOTE) {
      const span = { start: at, end: stringEnd(body, at) };
      at = span.end - 1;
      if (depth !== 1) continue;
      if (isFollowedByColon(body, span.end)) name = span;
      else if (name !== undefined && isModel(body, name)) found.push(span);
    } else if (byte === 0x7b || byte === 0x5b) {
      depth += 1;
    } else if (byte === 0x7d || byte === 0x5d) {
      depth -= 1;
    }
  }
  return found;
}

/** Behind the closing quote. Long strings are searched natively: most of a request is text. */
function stringEnd(body: Buffer, start: number): number {
  let end = body.indexOf(QUOTE, start + 1);
  while (end !== -1 && isEscaped(body, end)) end = body.indexOf(QUOTE, end + 1);
  return end === -1 ? body.length : end + 1;
}

function isEscaped(body: Buffer, quote: number): boolean {
  let first = quote;
  while (body[first - 1] === BACKSLASH) first -= 1;
  return (quote - first) % 2 === 1;
}

function isFollowedByColon(body: Buffer, from: number): boolean {
  let at = from;
  while (body[at] === 0x20 || body[at] === 0x09 || body[at] === 0x0a || body[at] === 0x0d) at += 1;
  return body[at] === COLON;
}

function isModel(body: Buffer, { start, end }: Span): boolean {
  return JSON.parse(body.toString('utf8', start, end)) === 'model';
}
