import { dirname } from 'node:path';
import type { EcosystemApp } from './ecosystem.ts';

/**
 * Whether a process was started as this instance of this project: the file that it runs, first word or second (after an
 * interpreter), lies in our dist/, and its env file is the instance's own. Only such a process may be signalled (P6).
 */
export function isCommandOf(command: readonly string[] | undefined, app: EcosystemApp): boolean {
  if (command === undefined) return false;
  const ours = command.slice(0, 2).some((word) => dirname(word) === dirname(app.script));
  const [option, file] = app.args;
  return ours && ` ${command.join(' ')} `.includes(` ${option} ${file} `);
}
