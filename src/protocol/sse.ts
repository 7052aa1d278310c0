import { ApiError } from '../core/errors.ts';
import { ByteBuffer } from './bounds.ts';

/** Longest frame that is gathered, in bytes: a peer that never ends a frame must not fill the memory. */
export const FRAME_LIMIT = 8 * 1024 * 1024;

/** What a line of data costs beside its letters, so that a frame of millions of empty lines is no small one. */
const LINE_COST = 16;

const SPACE = 0x20;
const COLON = 0x3a;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = 0xfeff;

/**
 * Reads server-sent events as the WHATWG describes them: LF, CRLF and CR; comments; one optional space after the
 * colon; several data lines joined by a line feed; a byte order mark. Frames without data are not reported. Beside the
 * standard, a line `error: {...}` is an event `error` with that data.
 */
export class SseReader {
  readonly #onEvent: (data: string, event: string | undefined) => void;
  /** Bytes of the last line, which has no end yet. Only whole lines are decoded, so no letter is ever cut. */
  readonly #rest = new ByteBuffer();
  #skipLineFeed = false;
  #beginning = true;
  #data: string | undefined;
  #dataSize = 0;
  #event: string | undefined;

  constructor(onEvent: (data: string, event: string | undefined) => void) {
    this.#onEvent = onEvent;
  }

  /** Takes the next bytes, cut anywhere, and reports each frame that they complete. Throws an ApiError on an endless frame. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const fresh = this.#skipLineFeed && bytes[0] === LINE_FEED ? bytes.subarray(1) : bytes;
    this.#skipLineFeed = false;
    const end = endOfLastLine(fresh);
    if (end === 0) {
      this.#keep(fresh);
      return;
    }
    this.#skipLineFeed = end === fresh.length && fresh[end - 1] === CARRIAGE_RETURN;
    let whole = fresh;
    let size = end;
    if (this.#rest.length > 0) {
      this.#rest.append(fresh.subarray(0, end));
      whole = this.#rest.take();
      size = whole.length;
    }
    const lines = decode(whole, size);
    if (end < fresh.length) this.#keep(fresh.subarray(end));
    this.#readLines(lines);
  }

  /** The bytes have ended; a last frame without its blank line is reported too. */
  end(): void {
    const rest = this.#rest.take();
    if (rest.length > 0) this.#readLines(`${decode(rest, rest.length)}\n`);
    this.#dispatch();
  }

  #keep(bytes: Uint8Array): void {
    if (this.#rest.length + bytes.length > FRAME_LIMIT) throw endlessFrame();
    this.#rest.append(bytes);
  }

  /** Takes text that ends with a line end. */
  #readLines(lines: string): void {
    let text = lines;
    if (this.#beginning) {
      this.#beginning = false;
      if (text.charCodeAt(0) === BYTE_ORDER_MARK) text = text.slice(1);
    }
    if (text.includes('\r')) text = text.replace(/\r\n?/g, '\n');
    let from = 0;
    while (from < text.length) {
      const to = text.indexOf('\n', from);
      this.#readLine(text, from, to);
      from = to + 1;
    }
  }

  #readLine(text: string, from: number, to: number): void {
    if (from === to) {
      this.#dispatch();
      return;
    }
    let data = fieldValue(text, 'data', from, to);
    if (data === undefined) {
      // Not a field of the standard: llama.cpp and what is built on it report a failure inside a stream so.
      data = fieldValue(text, 'error', from, to);
      this.#event = data === undefined ? (fieldValue(text, 'event', from, to) ?? this.#event) : 'error';
      if (data === undefined) return;
    }
    this.#dataSize += data.length + (this.#data === undefined ? 0 : LINE_COST);
    this.#data = this.#data === undefined ? data : `${this.#data}\n${data}`;
    if (this.#dataSize > FRAME_LIMIT) throw endlessFrame();
  }

  #dispatch(): void {
    const data = this.#data;
    const event = this.#event;
    this.#data = undefined;
    this.#dataSize = 0;
    this.#event = undefined;
    if (data !== undefined) this.#onEvent(data, event === '' ? undefined : event);
  }
}

/** The index after the last line end, 0 when there is none. Line ends never occur inside a letter of UTF-8. */
function endOfLastLine(bytes: Uint8Array): number {
  const last = bytes[bytes.length - 1];
  if (last === LINE_FEED || last === CARRIAGE_RETURN) return bytes.length;
  return Math.max(bytes.lastIndexOf(LINE_FEED), bytes.lastIndexOf(CARRIAGE_RETURN)) + 1;
}

function decode(bytes: Uint8Array, end: number): string {
  const buffer = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString('utf8', 0, end);
}

/** The value when the line is this field, else undefined. */
function fieldValue(text: string, name: string, from: number, to: number): string | undefined {
  const end = from + name.length;
  if (!text.startsWith(name, from) || (end !== to && text.charCodeAt(end) !== COLON)) return undefined;
  return text.slice(Math.min(text.charCodeAt(end + 1) === SPACE ? end + 2 : end + 1, to), to);
}

function endlessFrame(): ApiError {
  return new ApiError('bad_gateway', `the provider sent a frame of more than ${FRAME_LIMIT} bytes`);
}

/**
 * Cuts an event stream behind its blank lines: whole frames come out byte for byte, half a frame waits for its rest. So there is
 * always a place between what was handed on for an event of our own, and a stream that breaks off leaves no half frame behind.
 */
export class SseFrameSplitter {
  readonly #rest = new ByteBuffer();
  /** The last two bytes before the ones at hand: a stream begins as if behind a blank line. */
  #before: readonly [number, number] = [LINE_FEED, LINE_FEED];

  /** Takes the next bytes, cut anywhere, and gives the frames that they complete. Throws an ApiError on an endless frame. */
  push(bytes: Uint8Array): Uint8Array {
    const end = this.#lastFrameEnd(bytes);
    this.#keepLast(bytes);
    if (end === 0) {
      this.#keep(bytes);
      return new Uint8Array();
    }
    let whole = bytes.subarray(0, end);
    if (this.#rest.length > 0) {
      this.#rest.append(whole);
      whole = this.#rest.take();
    }
    if (end < bytes.length) this.#keep(bytes.subarray(end));
    return whole;
  }

  /** What came behind the last whole frame. */
  rest(): Uint8Array {
    return this.#rest.take();
  }

  #keep(bytes: Uint8Array): void {
    if (this.#rest.length + bytes.length > FRAME_LIMIT) throw endlessFrame();
    this.#rest.append(bytes);
  }

  #keepLast(bytes: Uint8Array): void {
    const last = bytes.at(-1);
    if (last !== undefined) this.#before = [bytes.at(-2) ?? this.#before[1], last];
  }

  /** The index behind the last blank line, 0 when there is none: nearly always the end of the read. */
  #lastFrameEnd(bytes: Uint8Array): number {
    const at = (index: number) => (index < 0 ? this.#before[index + 2] : bytes[index]);
    for (let end = bytes.length; end > 0; end -= 1) {
      const last = at(end - 1);
      if (last !== LINE_FEED && last !== CARRIAGE_RETURN) continue;
      const isPair = last === LINE_FEED && at(end - 2) === CARRIAGE_RETURN;
      const previous = at(end - (isPair ? 3 : 2));
      if (previous === LINE_FEED || previous === CARRIAGE_RETURN) return end;
    }
    return 0;
  }
}
