import { constants, createReadStream, createWriteStream } from 'node:fs';
import { lstat, open, readdir, rename, rm, unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { NO_FOLLOW } from '../stateFiles.ts';
import { activeFileName, type LogFileKind, logFileKind, logNamesIn } from './fileNames.ts';

const LONGEST_TRUNCATED_LINE = 4 * 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * Cuts a half-written last line off a log file, as a crash, a power cut or a full disk leaves it, so that every line of
 * the file is whole. A file without any newline near its end is not one of our logs and is left alone.
 */
export async function repairTruncatedLine(path: string): Promise<void> {
  const file = await open(path, constants.O_RDWR | NO_FOLLOW);
  try {
    const { size } = await file.stat();
    if (size === 0) return;
    const last = await file.read(Buffer.alloc(1), 0, 1, size - 1);
    if (last.buffer[0] === NEWLINE) return;
    const length = Math.min(size, LONGEST_TRUNCATED_LINE);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    const newline = buffer.lastIndexOf(NEWLINE);
    if (newline >= 0) await file.truncate(size - length + newline + 1);
    else if (length === size) await file.truncate(0);
  } finally {
    await file.close();
  }
}

/**
 * Compresses a rotated file to `<path>.gz` and removes it. The copy keeps the time of the last line, from which its age is
 * counted. A crash at any point leaves the whole content in one place at least, and doing it again completes the rest.
 * Not done by rotating-file-stream, which compresses under the final name, holds up writing meanwhile, and leaves an open
 * file descriptor behind each time that the disk is full.
 */
export async function compressLog(path: string): Promise<void> {
  const { atime, mtime } = await lstat(path);
  await repairTruncatedLine(path);
  const temporary = `${path}.gz.tmp`;
  await rm(temporary, { force: true });
  try {
    await pipeline(
      createReadStream(path),
      createGzip(),
      createWriteStream(temporary, { flags: 'wx', mode: 0o600 }), // made anew, as there could be a link of this name
    );
    await utimes(temporary, atime, mtime);
    await rename(temporary, `${path}.gz`);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await unlink(path);
}

/** A file of ours in the log folder. */
export interface LogFileInfo {
  name: string;
  size: number;
  /** When it was last written, in milliseconds since 1970. */
  modifiedAt: number;
}

export interface RetentionLimits {
  now: number;
  retentionMs: number;
  /** For all files of ours together, the active one included. */
  maxTotalBytes: number;
  /** Name of the active file, which is never removed. */
  active: string;
  /** How large the active file may still become before files are looked at again: space kept free for it. */
  activeMaxBytes: number;
}

/**
 * Names of the files to remove: those at least as old as the retention, then the oldest until the rest fits under the total.
 * The active file counts with the size that it may reach, so that the total also holds between two sweeps.
 */
export function planRemovals(files: readonly LogFileInfo[], limits: RetentionLimits): string[] {
  const removals: string[] = [];
  const kept: LogFileInfo[] = [];
  let total = limits.activeMaxBytes;
  for (const file of files) {
    if (file.name === limits.active) total += Math.max(0, file.size - limits.activeMaxBytes);
    else if (limits.now - file.modifiedAt >= limits.retentionMs) removals.push(file.name);
    else {
      kept.push(file);
      total += file.size;
    }
  }
  kept.sort((a, b) => a.modifiedAt - b.modifiedAt || (a.name < b.name ? -1 : 1));
  for (const file of kept) {
    if (total <= limits.maxTotalBytes) break;
    removals.push(file.name);
    total -= file.size;
  }
  return removals;
}

const CLOCK_TOLERANCE_MS = 3_600_000;

/**
 * Names of the files whose time lies in the future: written while the clock was wrong. Their age counts from now on, else
 * they would be kept until the clock has caught up with them.
 */
export function planRedating(files: readonly LogFileInfo[], now: number): string[] {
  return files.filter((file) => file.modifiedAt > now + CLOCK_TOLERANCE_MS).map((file) => file.name);
}

export interface SweepOptions {
  directory: string;
  /** The log name of this process. */
  name: string;
  /** Whose folder it is: logs that other processes of the instance have left there are removed, too. */
  instance: string;
  now: number;
  retentionMs: number;
  maxTotalBytes: number;
  activeMaxBytes: number;
}

/**
 * Removes old logs of an instance from its folder: what `planRemovals` names, and temporary files that an interrupted
 * compression left behind. Must not run while a compression does. A missing folder is an empty one; a file that cannot be
 * removed is reported by an error after all the others were tried.
 */
export async function sweepLogs(options: SweepOptions): Promise<void> {
  const { directory, now } = options;
  for (const file of await listLogs(directory, options.name, 'temporary')) {
    await rm(join(directory, file), { force: true });
  }

  const files = await inspectLogs(options);
  const redated = new Set(planRedating(files, now));
  const current = files.map((file) => (redated.has(file.name) ? { ...file, modifiedAt: now } : file));
  const removals = planRemovals(current, { ...options, active: activeFileName(options.name) });

  const results = await Promise.allSettled([
    ...removals.map((name) => rm(join(directory, name), { force: true })),
    ...[...redated].filter((name) => !removals.includes(name)).map((name) => setTime(join(directory, name), now)),
  ]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** Names of our files of one kind, sorted, which is oldest first; links are not ours. */
export async function listLogs(directory: string, logName: string, kind: LogFileKind): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(emptyWhenMissing);
  return entries
    .filter((entry) => entry.isFile() && logFileKind(logName, entry.name) === kind)
    .map(({ name }) => name)
    .sort();
}

async function inspectLogs({ directory, instance, name, now, retentionMs }: SweepOptions): Promise<LogFileInfo[]> {
  const files: LogFileInfo[] = [];
  const found = await readdir(directory).catch(emptyWhenMissing);
  const logNames = logNamesIn(found, instance);
  for (const file of found) {
    const logName = logNames.find((candidate) => logFileKind(candidate, file) !== undefined);
    if (logName === undefined) continue;
    const stats = await lstat(join(directory, file)).catch(() => undefined);
    if (!stats?.isFile()) continue;
    // What another process may be writing goes with its age only.
    const isForeign = logName !== name && file === activeFileName(logName);
    if (isForeign && now - stats.mtimeMs < retentionMs) continue;
    files.push({ name: file, size: stats.size, modifiedAt: stats.mtimeMs });
  }
  return files;
}

async function setTime(path: string, at: number): Promise<void> {
  await utimes(path, at / 1000, at / 1000);
}

function emptyWhenMissing(error: NodeJS.ErrnoException): never[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}

export interface LogMaintenanceOptions extends Omit<SweepOptions, 'now'> {
  now: () => number;
  onProblem: (error: unknown) => void;
}

/**
 * Compresses the rotated files of one process in the background and removes the old ones. One run at a
 * time, and writing never waits for it.
 */
export class LogMaintenance {
  readonly #options: LogMaintenanceOptions;
  readonly #uncompressed = new Set<string>();
  #running: Promise<void> = Promise.resolve();
  #queued = false;

  constructor(options: LogMaintenanceOptions) {
    this.#options = options;
  }

  /**
   * Remembers rotated files that an earlier run or process has not compressed. Call only while nothing can be rotated:
   * the library makes an empty file of the new name for a moment, and compressing that one would lose the real one.
   */
  async findUncompressed(): Promise<void> {
    const { directory, name, onProblem } = this.#options;
    const files = await listLogs(directory, name, 'rotated').catch(onProblem);
    for (const file of files ?? []) this.#uncompressed.add(join(directory, file));
  }

  /** Compresses a file that was just rotated, and removes what is now too much. */
  compress(path: string): Promise<void> {
    this.#uncompressed.add(path);
    return this.run();
  }

  /** Does the work soon; never rejects. Requests while one waits are one. */
  run(): Promise<void> {
    if (!this.#queued) {
      this.#queued = true;
      this.#running = this.#running.then(() => {
        this.#queued = false;
        return this.#work();
      });
    }
    return this.#running;
  }

  /** Resolves when nothing is being done. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #work(): Promise<void> {
    // First, since compression needs space for a while, and what is to go need not be compressed.
    await this.#attempt(() => this.#sweep());
    for (const path of [...this.#uncompressed].sort()) {
      await this.#attempt(async () => {
        await compressLog(path);
        this.#uncompressed.delete(path);
      }, path);
    }
  }

  #sweep(): Promise<void> {
    return sweepLogs({ ...this.#options, now: this.#options.now() });
  }

  async #attempt(task: () => Promise<void>, path?: string): Promise<void> {
    try {
      await task();
    } catch (error) {
      if (path !== undefined && isMissing(error)) this.#uncompressed.delete(path);
      else this.#options.onProblem(error);
    }
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
