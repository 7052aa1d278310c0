import { ApiError } from '../core/errors.ts';

/** Longest frame that is held back, in bytes; the same as for reading it (R322). */
const FRAME_LIMIT = 8 * 1024 * 1024;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Cuts an event stream behind its blank lines: whole frames come out byte for byte, half a frame waits for its rest. So there is
 * always room between what was handed on for an event of our own, and a stream that breaks off leaves no half frame behind.
 */
export class FrameCutter {
  #rest: Uint8Array[] = [];
  #restSize = 0;
  /** The last two bytes before the ones at hand: a stream begins as if behind a blank line. */
  #before: readonly [number, number] = [LINE_FEED, LINE_FEED];

  /** Takes the next bytes, cut anywhere, and gives the frames that they complete. Throws an ApiError on an endless frame. */
  push(bytes: Uint8Array): Uint8Array {
    const end = this.#lastFrameEnd(bytes);
    this.#remember(bytes);
    if (end === 0) {
      this.#keep(bytes);
      return new Uint8Array();
    }
    const whole =
      this.#restSize === 0 ? bytes.subarray(0, end) : Buffer.concat([...this.#rest, bytes.subarray(0, end)]);
    this.#rest = [];
    this.#restSize = 0;
    this.#keep(bytes.subarray(end));
    return whole;
  }

  /** What came behind the last whole frame. */
  rest(): Uint8Array {
    return Buffer.concat(this.#rest);
  }

  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#restSize += bytes.length;
    if (this.#restSize > FRAME_LIMIT)
      throw new ApiError('bad_gateway', `the provider sent a frame of more than ${FRAME_LIMIT} bytes`);
    this.#rest.push(Uint8Array.from(bytes));
  }

  #remember(bytes: Uint8Array): void {
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
