import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import type { Context, Invocation } from '../command.ts';
import { Failure } from '../exitCodes.ts';
import { checkPm2Home } from '../fileAccess.ts';

export interface LockOptions {
  /** What the holder does, for those who wait: `start all`. */
  readonly purpose: string;
  readonly timeoutMs: number;
  /** Called once when somebody else holds the lock, with what is known of him. */
  onWait(holder: string): void;
}

const RETRY_MS = 50;
const SQLITE_BUSY = 5;

/**
 * Does `work` while no other manager of the same project does: one lock for start, stop and restart.
 * The lock is the operating system's own (SQLite's on state/manage.lock), which ends with its process: it can be neither
 * stale nor stolen, however its holder died. `manage.holder` beside it is for messages only.
 * @throws Failure when the lock is not free in time.
 */
export async function withLock<T>(root: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const directory = join(root, 'state');
  const holderFile = join(directory, 'manage.holder');
  mkdirSync(directory, { recursive: true });
  const lockFile = join(directory, 'manage.lock');
  // SQLite does not say why it cannot write.
  for (const path of [directory, lockFile]) if (existsSync(path)) accessSync(path, constants.W_OK);
  const database = new DatabaseSync(lockFile, { timeout: 0 });
  try {
    const deadline = performance.now() + options.timeoutMs;
    for (let waited = false; !tryLock(database); waited = true) {
      const holder = readHolder(holderFile);
      if (!waited) options.onWait(holder);
      if (performance.now() > deadline) throw new Failure(`gave up waiting for ${holder}`);
      await pause(RETRY_MS);
    }
    writeFileSync(holderFile, `"./manage ${options.purpose}" (pid ${process.pid})`);
    return await work();
  } finally {
    database.close();
  }
}

function tryLock(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return false;
    throw error;
  }
}

function readHolder(file: string): string {
  try {
    return readFileSync(file, 'utf8') || 'another ./manage';
  } catch {
    return 'another ./manage';
  }
}

/** Long enough for another command that waits for running answers to end. */
const LOCK_TIMEOUT_MS = 180_000;

/** Does the work of a command that changes something while no other command of this project does. */
export function withManagerLock<T>(
  context: Context,
  { command, names }: Invocation,
  work: () => Promise<T>,
): Promise<T> {
  checkPm2Home(context.environment);
  const options = {
    purpose: [command, ...names].join(' '),
    timeoutMs: LOCK_TIMEOUT_MS,
    onWait: (holder: string) => context.output.say(`Waiting for ${holder}.`),
  };
  return withLock(context.root, options, work);
}
