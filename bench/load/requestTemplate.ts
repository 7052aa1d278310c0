import { SERIAL_MARK } from '../bodies/serialMark.ts';

/**
 * The bytes of a request with a serial number in the user's first words: no conversation comes twice, so that a proxy which
 * remembers conversations is measured as if each were new.
 */
export class RequestTemplate {
  readonly #bytes: Buffer;
  readonly #serialAt: number;

  constructor(bytes: Buffer) {
    this.#bytes = Buffer.from(bytes);
    this.#serialAt = bytes.indexOf(SERIAL_MARK);
    if (this.#serialAt < 0) throw new Error('the request has no place for a serial number');
  }

  /** The same bytes each time, with another number in them: the request before must have been answered. */
  next(serial: number): Buffer {
    this.#bytes.write(String(serial).padStart(SERIAL_MARK.length, '0'), this.#serialAt, 'latin1');
    return this.#bytes;
  }
}
