import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { logFileKind } from '../../../src/telemetry/log/fileNames.ts';
import { Failure } from '../exitCodes.ts';

/**
 * Paths of the rotated files of a log, oldest first, by the names that they have before they are compressed. A file that is
 * still empty is only the place for one that is being renamed.
 */
export async function listRotated(directory: string, logName: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  const found = await Promise.all(
    names.map(async (name) => {
      const kind = logFileKind(logName, name);
      if (kind === 'compressed') return join(directory, name.replace(/\.gz$/, ''));
      return kind === 'rotated' && (await sizeOf(join(directory, name))) > 0 ? join(directory, name) : undefined;
    }),
  );
  return [...new Set(found.filter((path) => path !== undefined))].sort();
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

/** When the last line was written, in ms since 1970; compression keeps it. 0 when the file has been removed. */
export async function lastWrittenAt(path: string): Promise<number> {
  const stats = (await stat(path).catch(() => undefined)) ?? (await stat(`${path}.gz`).catch(() => undefined));
  return stats?.mtimeMs ?? 0;
}

/** Whether the file is there as text; else it is compressed, or will be gone. */
export async function isPlain(path: string): Promise<boolean> {
  return (await sizeOf(path)) > 0;
}

/**
 * The text of a rotated file as a stream, unpacked where it is compressed. Nothing when it has been removed.
 * @throws Failure when it cannot be read
 */
export async function* readRotated(path: string): AsyncGenerator<Buffer> {
  const plain = await isPlain(path);
  const source: Readable = createReadStream(plain ? path : `${path}.gz`);
  try {
    yield* plain ? source : pipeline(source, createGunzip(), () => undefined);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      // Compressed between the look and the opening; a file that is gone from both names was too old.
      if (plain) yield* readRotated(path);
      return;
    }
    throw new Failure(
      `${plain ? path : `${path}.gz`} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
