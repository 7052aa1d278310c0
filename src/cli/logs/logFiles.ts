import { createReadStream } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline, type Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { isDeepStrictEqual } from 'node:util';
import { createGunzip } from 'node:zlib';
import { activeFileName, logFileKind, logNamesIn } from '../../telemetry/log/fileNames.ts';
import { Failure } from '../exitCodes.ts';

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** The lines of a file that end before the offset, the last one first, of which only as much is read as is asked for. */
export async function* readBackwards(handle: FileHandle, end: number): AsyncGenerator<string> {
  // One for all chunks: logs are large, and new ones would wait for the garbage collector.
  const buffer = Buffer.alloc(Math.min(CHUNK_BYTES, end));
  let position = await findLineEnd(handle, end, buffer);
  if (position === 0) return;
  position -= 1; // the newline of the last line
  /** The line whose beginning is not found yet, in pieces. */
  let pieces: Buffer[] = [];
  while (position > 0) {
    const chunk = await readChunk(handle, position, buffer);
    position -= chunk.length;
    let lineEnd = chunk.length;
    for (let at = chunk.lastIndexOf(NEWLINE); at >= 0; at = at === 0 ? -1 : chunk.lastIndexOf(NEWLINE, at - 1)) {
      const beginning = chunk.subarray(at + 1, lineEnd);
      yield (pieces.length === 0 ? beginning : Buffer.concat([beginning, ...pieces])).toString('utf8');
      pieces = [];
      lineEnd = at;
    }
    pieces.unshift(Buffer.from(chunk.subarray(0, lineEnd)));
  }
  yield Buffer.concat(pieces).toString('utf8');
}

/** The offset behind the last newline before an offset: where the line begins that is still being written. */
export async function findLineEnd(
  handle: FileHandle,
  end: number,
  buffer = Buffer.alloc(Math.min(CHUNK_BYTES, end)),
): Promise<number> {
  for (let position = end; position > 0; ) {
    const chunk = await readChunk(handle, position, buffer);
    position -= chunk.length;
    const at = chunk.lastIndexOf(NEWLINE);
    if (at >= 0) return position + at + 1;
  }
  return 0;
}

/** The bytes before an offset, in the buffer; zeros where a file that was emptied meanwhile has none. */
async function readChunk(handle: FileHandle, end: number, buffer: Buffer): Promise<Buffer> {
  const chunk = buffer.subarray(0, Math.min(buffer.length, end));
  const { bytesRead } = await handle.read(chunk, 0, chunk.length, end - chunk.length);
  return bytesRead === chunk.length ? chunk : chunk.fill(0, bytesRead);
}

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
      // Compressed between the check and the opening; a file that is gone from both names was too old.
      if (plain) yield* readRotated(path);
      return;
    }
    throw new Failure(
      `${plain ? path : `${path}.gz`} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** The log of one process of an instance as it was at one moment, however it grows and is rotated afterwards. */
export interface OpenLog {
  readonly instance: string;
  /** How its files begin: each process of an instance has files of its own. */
  readonly name: string;
  readonly directory: string;
  /** The files before the active one, oldest first. */
  readonly rotated: readonly string[];
  /** The file that was being written, open; undefined when there was none. */
  readonly active: FileHandle | undefined;
  /** The offset in it behind its last whole line. */
  readonly end: number;
}

/** The path of the file that is written now. */
export function activePath({ name, directory }: Pick<OpenLog, 'name' | 'directory'>): string {
  return join(directory, activeFileName(name));
}

/** The names of the logs of all processes of an instance that have left one. */
export async function listLogNames(directory: string, instance: string): Promise<string[]> {
  return logNamesIn(await readdir(directory).catch(() => []), instance);
}

/** Opens the logs of all processes of an instance. */
export async function openLogs(directory: string, instance: string): Promise<OpenLog[]> {
  const names = await listLogNames(directory, instance);
  return Promise.all(names.map((name) => openLog(directory, instance, name)));
}

/** Opens the log of a process; no file and no folder is an empty log. */
export async function openLog(directory: string, instance: string, name = instance): Promise<OpenLog> {
  for (;;) {
    const before = await listRotated(directory, name);
    const active = await openIfThere(activePath({ name, directory }));
    const rotated = await listRotated(directory, name);
    // When a rotation came in between, it is not known whether the file that is open is the one before or after it. And a listing
    // lacks a file that was compressed between the reading of the folder and that of the file.
    if (isDeepStrictEqual(rotated, before)) {
      const end = active === undefined ? 0 : await findLineEnd(active, (await active.stat()).size);
      return { instance, name, directory, rotated, active, end };
    }
    await active?.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

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
