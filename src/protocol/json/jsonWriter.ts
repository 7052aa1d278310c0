/** Printed between two pauses, in bytes: it takes a fraction of a millisecond, and a pause after each small element cost 5 % of a large body (measured). */
const PIECE_BYTES = 64 * 1024;

/** Writes JSON bodies that have most of their content in common, as those of a conversation do. */
export class JsonWriter {
  readonly #lasting: ReadonlySet<string>;
  readonly #written = new WeakMap<object, Buffer>();

  /** @param lasting top-level names of lists whose elements come again as the same objects */
  constructor(lasting: ReadonlySet<string>) {
    this.#lasting = lasting;
  }

  /** The bytes that JSON.stringify gives, in UTF-8. */
  write(body: Readonly<Record<string, unknown>>): Buffer {
    const pieces: (string | Buffer)[] = [];
    let separator = '{';
    for (const [name, value] of Object.entries(body)) {
      if (value === undefined) continue;
      pieces.push(`${separator}${JSON.stringify(name)}:`);
      separator = ',';
      if (this.#lasting.has(name) && Array.isArray(value)) this.#writeElements(value, pieces);
      else pieces.push(JSON.stringify(value));
    }
    pieces.push(separator === '{' ? '{}' : '}');
    return concatenate(pieces);
  }

  /** Does most of the work of `write` in advance, with a pause after each PIECE_BYTES. */
  *prepare(body: Readonly<Record<string, unknown>>): Generator<void> {
    let sincePause = 0;
    for (const name of this.#lasting) {
      const list = body[name];
      if (!Array.isArray(list)) continue;
      for (const element of list) {
        if (typeof element !== 'object' || element === null || this.#written.has(element)) continue;
        sincePause += this.#writeOnce(element).length;
        if (sincePause < PIECE_BYTES) continue;
        sincePause = 0;
        yield;
      }
    }
  }

  #writeElements(list: readonly unknown[], pieces: (string | Buffer)[]): void {
    let separator = '[';
    for (const element of list) {
      pieces.push(separator, this.#writeOnce(element));
      separator = ',';
    }
    pieces.push(separator === '[' ? '[]' : ']');
  }

  #writeOnce(value: unknown): string | Buffer {
    if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
    let bytes = this.#written.get(value);
    if (bytes === undefined) {
      bytes = Buffer.from(JSON.stringify(value));
      this.#written.set(value, bytes);
    }
    return bytes;
  }
}

/** A character of a string takes at most so many bytes in UTF-8. */
const MAX_BYTES_PER_UNIT = 3;

function concatenate(pieces: readonly (string | Buffer)[]): Buffer {
  let space = 0;
  for (const piece of pieces) space += typeof piece === 'string' ? piece.length * MAX_BYTES_PER_UNIT : piece.length;
  const bytes = Buffer.allocUnsafe(space);
  let end = 0;
  for (const piece of pieces) end += typeof piece === 'string' ? bytes.write(piece, end) : piece.copy(bytes, end);
  return bytes.subarray(0, end);
}
