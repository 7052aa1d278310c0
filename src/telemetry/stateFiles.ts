import {
  chmodSync,
  closeSync,
  constants,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** A flag for opening: a link, which could lead to a file that is not ours, is an error (ELOOP). Windows has no such flag. */
export const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;

/** Opening a pipe that nobody reads fails with this, in place of waiting for ever. */
export const NO_WAIT = constants.O_NONBLOCK ?? 0;

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/**
 * Does something that makes a file, and where its folder is missing, makes that first. Not the other way round: an instance may
 * write its files in a folder without having the right to make the folder (src/permissions/).
 * @throws what the work throws
 */
export function withParentFolder<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  const folder = dirname(path);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    if (codeOf(error) !== 'ERR_ACCESS_DENIED') throw error;
    throw new Error(`${folder} is gone; a restart makes it again`);
  }
  return work();
}

/** Something learned that can be written down as plain JSON and taken back. */
export interface Restorable {
  snapshot(): unknown;
  restore(snapshot: unknown): void;
}

export interface StateFile {
  /** Writes what was learned since the last time and stops writing. */
  close(): void;
}

const SAVE_INTERVAL_MS = 60_000;

/**
 * Keeps something learned across restarts in one small JSON file: read once at the start, written every minute if it has
 * changed and at the end, by rename, so that it is never half written. A file that is missing, broken or cannot be written
 * costs only what was learned: the instance works without it.
 */
export function openStateFile(path: string, state: Restorable): StateFile {
  let written = read(path);
  if (written !== '') {
    try {
      state.restore(JSON.parse(written));
    } catch {
      written = '';
    }
  }
  const save = () => {
    const text = JSON.stringify(state.snapshot());
    if (text !== written && write(path, text)) written = text;
  };
  const timer = setInterval(save, SAVE_INTERVAL_MS).unref();
  return {
    close() {
      clearInterval(timer);
      save();
    },
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function write(path: string, text: string): boolean {
  try {
    const draft = `${path}.${process.pid}.new`; // several processes may keep the same file
    withParentFolder(draft, () => writeFileSync(draft, text, { mode: 0o600 }));
    renameSync(draft, path);
    return true;
  } catch {
    return false;
  }
}

const LIMIT_BYTES = 1_000_000;
const CHECK_MS = 3_600_000;

function makePrivate(path: string): void {
  try {
    const stats = lstatSync(path);
    const isOpen = (stats.mode & 0o077) !== 0 && !stats.isSymbolicLink();
    if (isOpen) chmodSync(path, stats.isDirectory() ? 0o700 : 0o600);
  } catch {
    // It is not there, or it is not ours.
  }
}

/**
 * Takes from other users the right to read what the process manager writes for this process, which makes the file and its folder as
 * the user's umask says. The folder is left as it is where it is not the instance's own.
 * @param folder of the instance's logs, where that is known
 */
export function protectConsoleFile(path: string, folder: string | undefined): void {
  makePrivate(path);
  if (folder === dirname(path)) makePrivate(folder);
}

function emptyFile(path: string): void {
  const descriptor = openSync(path, constants.O_WRONLY | NO_FOLLOW);
  try {
    ftruncateSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Keeps the file small into which the process manager writes this process's output: it has no limit of its own, and appends,
 * so that emptying the file is safe. The few lines that go there are in the rotated log as well.
 */
export function boundConsoleFile(path: string): { close(): void } {
  const check = () => {
    try {
      const stats = lstatSync(path);
      if (stats.isFile() && stats.size > LIMIT_BYTES) emptyFile(path);
    } catch {
      // There is no such file when nobody redirects the output.
    }
  };
  check();
  const timer = setInterval(check, CHECK_MS).unref();
  return { close: () => clearInterval(timer) };
}
