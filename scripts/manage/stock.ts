import { relative } from 'node:path';
import { executablePath } from '../build/stamp.ts';
import type { Context } from './context.ts';
import { type Instance, loadInstances } from './instances.ts';
import type { Pm2Row } from './pm2.ts';

export interface Stock {
  readonly rows: readonly Pm2Row[];
  readonly instances: readonly Instance[];
}

/** Longer than any usual drain; the env file that would tell is gone. */
const LOST_KILL_TIMEOUT_MS = 60_000;

/** PM2's list, and all instances: those with an env file, and those that PM2 still runs though theirs was removed. */
export async function takeStock({ root, pm2 }: Context): Promise<Stock> {
  const rows = await pm2.list();
  const present = loadInstances(root);
  return { rows, instances: [...present, ...findLost(root, rows, present)] };
}

function findLost(root: string, rows: readonly Pm2Row[], present: readonly Instance[]): Instance[] {
  const names = present.map(({ name }) => name);
  return rows.flatMap(({ name, executable, args: [option, file] }) => {
    if (executable !== executablePath(root) || option === undefined || file === undefined || names.includes(name))
      return [];
    const problem = {
      file: relative(root, file),
      key: 'file',
      found: 'none, though PM2 still has its instance',
      fix: `Bring the file back, or run: ./manage stop ${name}`,
      severity: 'error',
    } as const;
    const app = {
      name,
      script: executable,
      args: [option, file],
      env: {},
      out_file: '',
      kill_timeout: LOST_KILL_TIMEOUT_MS,
      listen_timeout: 0,
    } as const;
    return [{ name, app, config: undefined, problems: [problem] }];
  });
}
