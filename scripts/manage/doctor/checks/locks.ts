import { readlinkSync, rmSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { isAlive } from '../../processes.ts';
import { type Finding, ok, warn } from '../finding.ts';
import type { Subject } from '../subject.ts';

const CHECK = 'locks';
/** Removing a stale lock takes the launcher a moment; the mark of a removal that is older has been left behind. In ms. */
const REMOVAL_TIME_MS = 10_000;

/**
 * Whether the lock of `./manage` for installing and building belongs to a process that lives. The one for start and stop is the
 * operating system's own and cannot be stale.
 */
export function checkLocks({ root, now }: Subject): Finding[] {
  const lock = join(root, 'state', 'launcher.lock');
  const removal = `${lock}.removal`;
  const left = (path: string, detail: string) => {
    const words = `rm -r ${relative(root, path)}`;
    const fix = { words, run: () => rmSync(path, { recursive: true, force: true }) };
    return warn(CHECK, detail, { remedy: words, fix });
  };
  const holder = readHolder(lock);
  const removalSince = statSync(removal, { throwIfNoEntry: false })?.mtimeMs ?? now;
  const findings = [
    ...(holder !== undefined && !isAlive(holder)
      ? [left(lock, `process ${holder} is gone and has left its lock`)]
      : []),
    ...(now - removalSince > REMOVAL_TIME_MS ? [left(removal, 'the removal of a lock was not finished')] : []),
  ];
  if (findings.length > 0) return findings;
  return [ok(CHECK, holder === undefined ? 'none is held' : `process ${holder} installs or builds`)];
}

function readHolder(lock: string): number | undefined {
  try {
    return Number(readlinkSync(lock));
  } catch {
    return undefined;
  }
}
