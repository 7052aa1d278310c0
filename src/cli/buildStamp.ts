import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { executablePath } from '../host/workers.ts';

/**
 * Everything the executable is made of, seen from the root, but for the manager and its page. The launcher (`manage`) watches all of
 * `src` and `scripts`: after an edit of these two alone a build makes their bundles anew, and keeps the executable.
 */
export const SOURCES = ['src', 'scripts/build', 'scripts/build.ts', 'package.json', 'package-lock.json'];
const MANAGER = [join('src', 'cli'), join('src', 'page')];

/** `dist/build.json`: what the executable beside it was built from. */
export interface BuildStamp {
  version: string;
  /** Operating system and processor, like `linux-x64`. */
  platform: string;
  /** SHA-256 over names and contents of {@link SOURCES} without the manager and its page, hexadecimal. */
  sourceHash: string;
  /** ISO 8601, UTC. */
  builtAt: string;
}

/** The platform this process runs on, as written in the stamp. */
export const PLATFORM = `${process.platform}-${process.arch}`;

function stampPath(root: string): string {
  return join(root, 'dist', 'build.json');
}

async function listFiles(root: string, path: string): Promise<string[]> {
  const entries = await readdir(join(root, path), { recursive: true, withFileTypes: true }).catch((error) => {
    if (error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (entries === undefined) return [join(root, path)];
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Hashes the present sources of the executable. */
export async function hashSources(root: string): Promise<string> {
  const files = await Promise.all(SOURCES.map((path) => listFiles(root, path)));
  const hash = createHash('sha256');
  const others = MANAGER.map((folder) => join(root, folder, sep));
  const ofExecutable = files.flat().filter((file) => !others.some((folder) => file.startsWith(folder)));
  for (const file of ofExecutable.sort()) {
    const content = await readFile(file);
    hash.update(`${file.slice(root.length)}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/** Reads the stamp; undefined when there is none that can be read. */
export async function readStamp(root: string): Promise<BuildStamp | undefined> {
  return readFile(stampPath(root), 'utf8')
    .then(JSON.parse, () => undefined)
    .catch(() => undefined);
}

/** Whether the executable is there and was built on this platform from sources with this hash. */
export async function isBuilt(root: string, sourceHash: string): Promise<boolean> {
  const stamp = await readStamp(root);
  return stamp?.sourceHash === sourceHash && stamp.platform === PLATFORM && existsSync(executablePath(root));
}

/** Writes the stamp. */
export async function writeStamp(root: string, stamp: BuildStamp): Promise<void> {
  await writeFile(stampPath(root), `${JSON.stringify(stamp, undefined, 2)}\n`);
}

/** Dates the stamp: a source changed after `moment` is newer than the executable, which is all the launcher looks at. */
export async function dateStamp(root: string, moment: Date): Promise<void> {
  await utimes(stampPath(root), moment, moment);
}
