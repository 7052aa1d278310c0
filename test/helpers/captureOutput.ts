import { Writable } from 'node:stream';

/** A stand-in for stdout that keeps what was written. */
export class CapturedOutput extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.text += chunk.toString();
    callback();
  }
}
