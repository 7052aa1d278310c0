import { existsSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import type { EcosystemApp } from './ecosystem.ts';

/** A process that begins anew names its program by the path without links. */
function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}

/**
 * Whether a process was started as this instance of this project: the file that it runs, first word or second (after an
 * interpreter), lies in our dist/, and its env file is the instance's own. Only such a process may be signalled (P6).
 */
export function isCommandOf(command: readonly string[] | undefined, app: EcosystemApp): boolean {
  if (command === undefined) return false;
  const folders = [app.script, realPath(app.script)].map((path) => dirname(path));
  const ours = command.slice(0, 2).some((word) => folders.includes(dirname(word)));
  const [option, file] = app.args;
  return ours && ` ${command.join(' ')} `.includes(` ${option} ${file} `);
}
