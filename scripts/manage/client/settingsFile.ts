import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from '../processes.ts';

const NAME = /^claude-(?<pid>\d+)\.json$/;

/** Removes what processes have left that were killed. */
function sweep(directory: string): void {
  for (const file of readdirSync(directory)) {
    const pid = Number(NAME.exec(file)?.groups?.['pid'] ?? process.pid);
    if (!isAlive(pid)) rmSync(join(directory, file), { force: true });
  }
}

/**
 * Writes the settings for one run of Claude Code, for the user's eyes only as they may hold a token, and does the work with
 * the path of that file, which is gone afterwards.
 */
export async function withSettingsFile<T>(
  root: string,
  settings: object,
  work: (path: string) => Promise<T>,
): Promise<T> {
  const directory = join(root, 'state', 'run');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  sweep(directory);
  const path = join(directory, `claude-${process.pid}.json`);
  rmSync(path, { force: true });
  writeFileSync(path, `${JSON.stringify(settings, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' });
  try {
    return await work(path);
  } finally {
    rmSync(path, { force: true });
  }
}
