import { open } from 'node:fs/promises';

const LONGEST_TORN_LINE = 4 * 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * Cuts a half-written last line off a log file, as a crash, a power cut or a full disk leaves it, so that every line of
 * the file is whole (G5). A file without any newline near its end is not one of our logs and is left alone.
 */
export async function mendTail(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const { size } = await file.stat();
    if (size === 0) return;
    const last = await file.read(Buffer.alloc(1), 0, 1, size - 1);
    if (last.buffer[0] === NEWLINE) return;
    const length = Math.min(size, LONGEST_TORN_LINE);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    const newline = buffer.lastIndexOf(NEWLINE);
    if (newline >= 0) await file.truncate(size - length + newline + 1);
    else if (length === size) await file.truncate(0);
  } finally {
    await file.close();
  }
}
