import { type FileHandle, open, stat } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as pause } from 'node:timers/promises';

const CHUNK_BYTES = 64 * 1024;
const POLL_MS = 250;

async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The end of a file: its last lines, and the offset behind the last of them. */
export interface Tail {
  readonly lines: readonly string[];
  readonly end: number;
}

const NEWLINE = 0x0a;

/** Reads the last lines from the end; none when there is no file. A line that is still being written does not count. */
export async function readTail(file: string, count: number): Promise<Tail> {
  const handle = await openIfThere(file);
  if (handle === undefined) return { lines: [], end: 0 };
  try {
    let position = (await handle.stat()).size;
    let tail = Buffer.alloc(0);
    const isEnough = () => tail.filter((byte) => byte === NEWLINE).length > count;
    while (position > 0 && !isEnough()) {
      const length = Math.min(CHUNK_BYTES, position);
      position -= length;
      const chunk = Buffer.alloc(length);
      await handle.read(chunk, 0, length, position);
      tail = Buffer.concat([chunk, tail]);
    }
    const complete = tail.subarray(0, tail.lastIndexOf(NEWLINE) + 1);
    const lines = complete.toString('utf8').split('\n').slice(0, -1);
    return { lines: count === 0 ? [] : lines.slice(-count), end: position + complete.length };
  } finally {
    await handle.close();
  }
}

/**
 * Hands over each line that stands in the file behind the offset, and each that comes, until the signal. When the log is
 * rotated, the old file is read to its end and the new one from its beginning; a missing file is waited for.
 */
export async function followLines(
  file: string,
  from: number,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let handle = await openIfThere(file);
  let position = from;
  let rest = '';
  let decoder = new StringDecoder('utf8');
  const buffer = Buffer.alloc(CHUNK_BYTES);

  async function readOn(current: FileHandle): Promise<void> {
    if ((await current.stat()).size < position) {
      position = 0;
      rest = '';
    }
    for (;;) {
      const { bytesRead } = await current.read(buffer, 0, buffer.length, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      const lines = (rest + decoder.write(buffer.subarray(0, bytesRead))).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    }
  }

  try {
    while (!signal.aborted) {
      // Asked before reading: when the file has been replaced, what is then read of the old one is all of it.
      const current = await stat(file).catch(() => undefined);
      if (handle !== undefined) await readOn(handle);
      if (current !== undefined && current.ino !== (await handle?.stat())?.ino) {
        await handle?.close();
        handle = await openIfThere(file);
        position = 0;
        rest = '';
        decoder = new StringDecoder('utf8');
        continue;
      }
      await pause(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    await handle?.close();
  }
}
