import { StringDecoder } from 'node:string_decoder';

/** Cuts text that comes in pieces of bytes, a letter perhaps in two of them, into whole lines. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  /** The lines that end in this piece. */
  push(bytes: Buffer): string[] {
    const lines = (this.#rest + this.#decoder.write(bytes)).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines;
  }
}

/** The whole lines of a stream of bytes; what stands behind the last newline is still being written. */
export async function* splitLines(source: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const splitter = new LineSplitter();
  for await (const bytes of source) yield* splitter.push(bytes);
}
