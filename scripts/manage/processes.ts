import { existsSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import type { EcosystemApp } from './ecosystem.ts';

/** A process that begins anew names its program by the path without links. */
function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}

/** Whether the file that a process runs, first word or second (after an interpreter), lies in the folder of our executable. */
export function runsExecutable(command: readonly string[], executable: string): boolean {
  const folders = [executable, realPath(executable)].map((path) => dirname(path));
  return command.slice(0, 2).some((word) => folders.includes(dirname(word)));
}

/**
 * Whether a process was started as this instance of this project: it runs our executable, and its env file is the
 * instance's own. Only such a process may be signalled (P6).
 */
export function isCommandOf(command: readonly string[] | undefined, app: EcosystemApp): boolean {
  if (command === undefined) return false;
  const [option, file] = app.args;
  return runsExecutable(command, app.script) && ` ${command.join(' ')} `.includes(` ${option} ${file} `);
}

/** Whether there is such a process, be it another user's. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
