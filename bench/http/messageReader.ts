/** What a reader reports of each HTTP/1.1 message, in order. */
export interface MessageListener {
  onHead(startLine: string, headers: string): void;
  onBody(bytes: Buffer): void;
  onEnd(): void;
}

type State = 'head' | 'sized' | 'chunkSize' | 'chunk' | 'chunkEnd' | 'trailer';

const NOTHING = Buffer.alloc(0);
const LINE_END = '\r\n';

/**
 * Cuts the bytes of one connection into HTTP/1.1 messages, requests and answers alike. It knows as much of HTTP as two well-behaved
 * sides use (a length or chunks), so that measuring costs little beside what is measured.
 */
export class MessageReader {
  #state: State = 'head';
  /** Bytes left of the sized body or of the present chunk. */
  #left = 0;
  #carried: Buffer = NOTHING;
  readonly #listener: MessageListener;

  constructor(listener: MessageListener) {
    this.#listener = listener;
  }

  push(bytes: Buffer): void {
    let rest: Buffer | undefined = this.#carried.length === 0 ? bytes : Buffer.concat([this.#carried, bytes]);
    this.#carried = NOTHING;
    while (rest !== undefined && rest.length > 0) {
      const next = this.#step(rest);
      if (next === undefined) this.#carried = rest;
      rest = next;
    }
  }

  /** Takes one part from the front; undefined when the part is not all there. */
  #step(bytes: Buffer): Buffer | undefined {
    switch (this.#state) {
      case 'head':
        return this.#readHead(bytes);
      case 'sized':
      case 'chunk':
        return this.#readBody(bytes);
      case 'chunkSize':
      case 'chunkEnd':
      case 'trailer':
        return this.#readLine(bytes);
    }
  }

  #readHead(bytes: Buffer): Buffer | undefined {
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const head = bytes.toString('latin1', 0, end);
    const lineEnd = head.indexOf(LINE_END);
    const headers = lineEnd < 0 ? '' : head.slice(lineEnd).toLowerCase();
    this.#listener.onHead(lineEnd < 0 ? head : head.slice(0, lineEnd), headers);
    if (headers.includes('\r\ntransfer-encoding: chunked')) {
      this.#state = 'chunkSize';
    } else {
      this.#left = Number(/\r\ncontent-length: *(\d+)/.exec(headers)?.[1] ?? 0);
      this.#state = 'sized';
      if (this.#left === 0) this.#end();
    }
    return bytes.subarray(end + 4);
  }

  #readBody(bytes: Buffer): Buffer {
    const taken = Math.min(this.#left, bytes.length);
    this.#left -= taken;
    this.#listener.onBody(taken === bytes.length ? bytes : bytes.subarray(0, taken));
    if (this.#left === 0) {
      if (this.#state === 'chunk') this.#state = 'chunkEnd';
      else this.#end();
    }
    return bytes.subarray(taken);
  }

  #readLine(bytes: Buffer): Buffer | undefined {
    const end = bytes.indexOf(LINE_END);
    if (end < 0) return undefined;
    if (this.#state === 'chunkEnd') {
      this.#state = 'chunkSize';
    } else if (this.#state === 'chunkSize') {
      this.#left = Number.parseInt(bytes.toString('latin1', 0, end), 16);
      if (Number.isNaN(this.#left)) throw new Error(`not a chunk size: ${bytes.toString('latin1', 0, end)}`);
      this.#state = this.#left === 0 ? 'trailer' : 'chunk';
    } else if (end === 0) {
      this.#end();
    }
    return bytes.subarray(end + 2);
  }

  #end(): void {
    this.#state = 'head';
    this.#listener.onEnd();
  }
}
