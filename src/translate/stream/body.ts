import { ApiError } from '../../core/errors.ts';

/** Largest answer that is gathered whole, in bytes. */
const BODY_LIMIT = 64 * 1024 * 1024;

const BLANKS: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);
const BYTE_ORDER_MARK: ReadonlySet<number> = new Set([0xef, 0xbb, 0xbf]);
const BODY_OPENERS: ReadonlySet<number> = new Set(['{', '[', '<'].map((letter) => letter.charCodeAt(0)));

/**
 * Index of the first byte that is neither white space nor a byte order mark: servers send blank lines to keep a
 * connection alive.
 */
export function firstSignificant(bytes: Uint8Array): number {
  const at = bytes.findIndex((byte) => !BLANKS.has(byte) && !BYTE_ORDER_MARK.has(byte));
  return at < 0 ? bytes.length : at;
}

/**
 * Whether an answer that begins so is one JSON body, or a page, and not a stream of events (R220). No field name begins
 * so.
 */
export function looksLikeBody(first: number | undefined): boolean {
  return first !== undefined && BODY_OPENERS.has(first);
}

/** Gathers a body that is not a stream. */
export class BodyCollector {
  readonly #parts: Uint8Array[] = [];
  #size = 0;

  push(bytes: Uint8Array): void {
    this.#size += bytes.length;
    if (this.#size > BODY_LIMIT) throw new ApiError('bad_gateway', `the answer is larger than ${BODY_LIMIT} bytes`);
    this.#parts.push(Uint8Array.from(bytes));
  }

  text(): string {
    return Buffer.concat(this.#parts).toString('utf8');
  }
}
