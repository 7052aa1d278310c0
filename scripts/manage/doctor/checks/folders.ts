import { mkdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type Finding, fail, ok, warn } from '../finding.ts';
import type { Subject } from '../subject.ts';

const CHECK = 'folders';
const OWNER_ONLY = 0o700;

/** Whether the folders are there in which instances are found, and in which they write. */
export function checkFolders({ root, all }: Subject): Finding[] {
  const configs = all.flatMap(({ config }) => config ?? []);
  const needed = new Set([join(root, 'envs'), join(root, 'logs'), ...configs.map(({ logs }) => logs.directory)]);
  // Made when there is something to write.
  const possible = [join(root, 'state'), ...configs.map(({ stateDirectory }) => stateDirectory)];
  const findings = [...new Set([...needed, ...possible])].flatMap((path) => {
    const shown = relative(root, path);
    const kind = kindOf(path);
    if (kind === 'other') return [fail(CHECK, `${shown} is not a folder`, { remedy: `move ${shown} away` })];
    if (kind === 'folder' || !needed.has(path)) return [];
    const words = `mkdir -p ${shown}`;
    const run = () => void mkdirSync(path, { recursive: true, mode: OWNER_ONLY });
    return [warn(CHECK, `${shown} is missing`, { remedy: words, fix: { words, run } })];
  });
  return findings.length > 0 ? findings : [ok(CHECK, 'are all there')];
}

function kindOf(path: string): 'folder' | 'other' | 'missing' {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'other';
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOTDIR' ? 'other' : 'missing';
  }
}
