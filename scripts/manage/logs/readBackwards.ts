import type { FileHandle } from 'node:fs/promises';

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** The lines of a file that end before the offset, the last one first, of which only as much is read as is asked for. */
export async function* readBackwards(handle: FileHandle, end: number): AsyncGenerator<string> {
  let position = await findLineEnd(handle, end);
  if (position === 0) return;
  position -= 1; // the newline of the last line
  /** The line whose beginning is not found yet, in pieces. */
  let pieces: Buffer[] = [];
  while (position > 0) {
    const chunk = await readChunk(handle, position);
    position -= chunk.length;
    let lineEnd = chunk.length;
    for (let at = chunk.lastIndexOf(NEWLINE); at >= 0; at = at === 0 ? -1 : chunk.lastIndexOf(NEWLINE, at - 1)) {
      yield Buffer.concat([chunk.subarray(at + 1, lineEnd), ...pieces]).toString('utf8');
      pieces = [];
      lineEnd = at;
    }
    pieces.unshift(chunk.subarray(0, lineEnd));
  }
  yield Buffer.concat(pieces).toString('utf8');
}

/** The offset behind the last newline before an offset: where the line begins that is still being written. */
export async function findLineEnd(handle: FileHandle, end: number): Promise<number> {
  for (let position = end; position > 0; ) {
    const chunk = await readChunk(handle, position);
    position -= chunk.length;
    const at = chunk.lastIndexOf(NEWLINE);
    if (at >= 0) return position + at + 1;
  }
  return 0;
}

/** The bytes before an offset; zeros where a file that was emptied meanwhile has none. */
async function readChunk(handle: FileHandle, end: number): Promise<Buffer> {
  const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, end));
  await handle.read(chunk, 0, chunk.length, end - chunk.length);
  return chunk;
}
