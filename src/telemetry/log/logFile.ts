import { lstatSync, mkdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { createStream, type RotatingFileStream } from 'rotating-file-stream';
import { type Clock, utcDay } from '../../core/clock.ts';
import { activeFileName, rotatedFileName } from './fileNames.ts';
import { type LogMaintenance, repairTruncatedLine } from './retention.ts';

export interface LogStreamOptions {
  directory: string;
  /** The log name of this process. */
  name: string;
  maxSizeBytes: number;
  clock: Clock;
}

/** What became of one append. */
export interface AppendResult {
  /** How many of the bytes are in the log. */
  written: number;
  /** The file or folder was removed or replaced meanwhile: append again to a newly opened stream. */
  vanished: boolean;
  /** The file is full and was renamed; a new one is being written. */
  rotatedTo?: string;
  /** Somebody else writes to the same file. */
  shared: boolean;
  /** The stream is of no more use. */
  error?: Error;
  /** The error came of giving the full file another name; the file itself is as it was. */
  rotationFailed: boolean;
}

type WriteError = Error | null | undefined;

/**
 * The sole importer of rotating-file-stream. It is used for what it does well, appending and renaming at a size; around that:
 * it neither notices that its file was deleted nor that a nearly full disk took only half of a write, and it is dead after
 * its first error. So the file is looked at after every append, and whoever gets an `error` closes it and opens another.
 */
export class LogStream {
  /** The UTC day for which it was opened. */
  readonly day: string;
  readonly #stream: RotatingFileStream;
  readonly #path: string;
  #inode: number;
  #size: number;
  #inFlight: Buffer | undefined;
  #rotating = false;
  #rotatedTo: string | undefined;

  private constructor(stream: RotatingFileStream, path: string, day: string, stats: Stats) {
    this.#stream = stream;
    this.#path = path;
    this.day = day;
    this.#inode = stats.ino;
    this.#size = stats.size;
    stream.on('rotation', () => {
      this.#rotating = true;
    });
    stream.on('rotated', (path) => {
      this.#rotatedTo = path;
    });
  }

  /**
   * Opens the active file, making the folder when it is missing. A file of another day is rotated first: of `contentDay`
   * where that is known, else of the day of its last line.
   */
  static async open(options: LogStreamOptions, contentDay?: string): Promise<LogStream> {
    const path = join(options.directory, activeFileName(options.name));
    const day = utcDay(options.clock.now());
    makeFolder(options.directory);
    const before = inspect(path);
    if (before?.isSymbolicLink()) throw new Error(`${path} is a link, which a log does not follow; remove it`);
    if (before?.isFile() && before.size > 0) {
      await repairTruncatedLine(path);
      if ((contentDay ?? utcDay(before.mtimeMs)) !== day) await rotateNow(options);
    }
    const stream = await openStreamOrGrow(options, path);
    try {
      const stats = lstatSync(path);
      if (!stats.isFile()) throw new Error(`${path} is no file`);
      return new LogStream(stream, path, day, stats);
    } catch (error) {
      stream.destroy();
      throw error;
    }
  }

  /** Appends whole lines. One call at a time; never rejects. */
  async append(bytes: Buffer): Promise<AppendResult> {
    this.#inFlight = bytes;
    this.#rotating = false;
    this.#rotatedTo = undefined;
    let error = (await new Promise<WriteError>((resolve) => this.#stream.write(bytes, resolve))) ?? undefined;
    const rotatedTo = this.#rotatedTo;
    const found = inspect(rotatedTo ?? this.#path);
    if (found?.ino !== this.#inode) return { written: 0, vanished: true, shared: false, rotationFailed: false };

    const grown = found.size - this.#size;
    // Smaller than before: somebody emptied the file, as a shell does with `> file`; what we wrote went the same way.
    const written = grown < 0 && !error ? bytes.length : Math.max(0, Math.min(grown, bytes.length));
    if (written < bytes.length) error ??= new Error(`only ${written} of ${bytes.length} bytes could be written`);
    const active = rotatedTo ? inspect(this.#path) : found;
    this.#inFlight = undefined;
    this.#inode = active?.ino ?? -1;
    this.#size = active?.size ?? 0;
    return {
      written,
      vanished: false,
      shared: grown > bytes.length,
      rotationFailed: error !== undefined && this.#rotating,
      ...(rotatedTo !== undefined && { rotatedTo }),
      ...(error && { error }),
    };
  }

  /**
   * For the exit of the process: which part of an append under way is not in the file. Waits up to 100 ms, since the write
   * itself is done by another thread.
   */
  missingSync(bytes: Buffer): Buffer {
    if (this.#inFlight !== bytes) return bytes;
    if (this.#rotating) return Buffer.alloc(0);
    let written = 0;
    for (let waited = 0; waited < 100; waited++) {
      const stats = lstatSync(this.#path, { throwIfNoEntry: false });
      if (stats?.ino !== this.#inode) return bytes;
      written = stats.size - this.#size;
      if (written >= bytes.length) break;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
    return bytes.subarray(Math.max(0, written));
  }

  async close(): Promise<void> {
    await close(this.#stream);
  }
}

/** Nobody else has any business in it. */
function makeFolder(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
}

/** Gives the file another name; where that cannot be, its lines stay where they are. */
async function rotateNow(options: LogStreamOptions): Promise<void> {
  try {
    await close(await openStream(options, 1)); // at a limit of one byte the library rotates on opening
  } catch {
    // Opening it for writing is tried next, and has the error if it is not the rotation's alone.
  }
}

/**
 * A full file is rotated on opening. Where that fails, as without a free inode, and the file itself can be written, it may grow to
 * twice its size before lines are lost; after every eighth more, rotating is tried again.
 */
async function openStreamOrGrow(options: LogStreamOptions, path: string): Promise<RotatingFileStream> {
  const { maxSizeBytes } = options;
  try {
    return await openStream(options, maxSizeBytes);
  } catch (error) {
    const size = inspect(path)?.size ?? 0;
    if (size < maxSizeBytes || size >= 2 * maxSizeBytes) throw error;
    return openStream(options, size + Math.ceil(maxSizeBytes / 8));
  }
}

function openStream({ directory, name, clock }: LogStreamOptions, maxSizeBytes: number): Promise<RotatingFileStream> {
  const stream = createStream(
    (time, index = 1) => (time === null ? activeFileName(name) : freeRotatedName(directory, name, clock.now(), index)),
    { path: directory, size: `${maxSizeBytes}B`, mode: 0o600 },
  );
  return new Promise((resolve, reject) => {
    // Stays attached: an error event nobody listens to would end the process.
    stream.on('error', reject);
    stream.once('open', () => resolve(stream));
  });
}

/** The library looks only for the plain name, which is free again once its file is compressed. */
function freeRotatedName(directory: string, logName: string, at: number, firstIndex: number): string {
  for (let index = firstIndex; ; index++) {
    const name = rotatedFileName(logName, at, index);
    const path = join(directory, name);
    if (inspect(path) === undefined && inspect(`${path}.gz`) === undefined) return name;
  }
}

function close(stream: RotatingFileStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed) return resolve();
    stream.once('close', resolve);
    stream.end();
  });
}

/** What is there under a name, a link itself; undefined when there is nothing or it cannot be looked at. Not by a promise, which takes 55 µs of processor time in place of 3 (measured). */
function inspect(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}

export interface LogAppenderOptions extends LogStreamOptions {
  maintenance: LogMaintenance;
  /** Called when another process was seen to write the same file. */
  onShared: () => void;
  /** Called when the full file could not be rotated and is written on. */
  onRotationFailed: (error: Error) => void;
}

/**
 * Appends to the active file of today, whatever happened to the file meanwhile: one that was removed with or without its
 * folder is made anew and the bytes are written again; one of yesterday, or a full one, is rotated and handed to maintenance.
 */
export class LogAppender {
  readonly #options: LogAppenderOptions;
  #stream: LogStream | undefined;

  constructor(options: LogAppenderOptions) {
    this.#options = options;
  }

  /** Makes sure that the file of today is open; rejects with the file system's error. */
  async open(): Promise<void> {
    await this.#openForToday();
  }

  get isOpenForToday(): boolean {
    return this.#stream?.day === utcDay(this.#options.clock.now());
  }

  /** Appends whole lines; returns how many of the bytes are in the log, and the error if that is not all or was the last. */
  async append(bytes: Buffer): Promise<{ written: number; error?: unknown }> {
    const { maintenance, onShared } = this.#options;
    try {
      for (let attempt = 0; attempt < 2; attempt++) {
        const stream = await this.#openForToday();
        const result = await stream.append(bytes);
        if (result.vanished) {
          await this.close();
          continue;
        }
        if (result.rotatedTo !== undefined) void maintenance.compress(result.rotatedTo);
        if (result.shared) onShared();
        if (result.error === undefined || !result.rotationFailed) return result;
        return { written: result.written, ...(await this.#goOnWithoutRotation(result.error)) };
      }
      return { written: 0, error: new Error('the log file is removed again and again') };
    } catch (error) {
      return { written: 0, error };
    }
  }

  /** For the exit of the process: the part of an append under way that is not in the file. */
  missingSync(bytes: Buffer): Buffer {
    return this.#stream?.missingSync(bytes) ?? bytes;
  }

  async close(): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    await stream?.close();
  }

  async #goOnWithoutRotation(reason: Error): Promise<{ error?: unknown }> {
    await this.close();
    try {
      await this.#openForToday();
    } catch (error) {
      return { error };
    }
    this.#options.onRotationFailed(reason);
    return {};
  }

  async #openForToday(): Promise<LogStream> {
    if (this.#stream && this.isOpenForToday) return this.#stream;
    const contentDay = this.#stream?.day;
    await this.close();
    const stream = await LogStream.open(this.#options, contentDay);
    this.#stream = stream;
    await this.#options.maintenance.findUncompressed();
    void this.#options.maintenance.run();
    return stream;
  }
}
