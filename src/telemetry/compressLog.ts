import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat, unlink, utimes } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { mendTail } from './mendTail.ts';

/**
 * Compresses a rotated file to `<path>.gz` and removes it. The copy keeps the time of the last line, from which its age is
 * counted. A crash at any point leaves the whole content in one place at least, and doing it again mends the rest.
 * Not done by rotating-file-stream, which compresses under the final name, holds up writing meanwhile, and leaves an open
 * file descriptor behind each time that the disk is full.
 */
export async function compressLog(path: string): Promise<void> {
  const { atime, mtime } = await stat(path);
  await mendTail(path);
  const temporary = `${path}.gz.tmp`;
  try {
    await pipeline(createReadStream(path), createGzip(), createWriteStream(temporary, { mode: 0o600 }));
    await utimes(temporary, atime, mtime);
    await rename(temporary, `${path}.gz`);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await unlink(path);
}
