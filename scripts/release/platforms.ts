import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A system for which there is an executable, in npm's words. Those of Linux need glibc, as the Node in them does. */
export interface Platform {
  readonly os: string;
  readonly cpu: string;
  readonly libc?: string;
  /** Debian's name of the processor, where there is a package for Debian. */
  readonly debian?: string;
}

/** All platforms by their names, which are Node's for system and processor. */
export const platforms: Readonly<Record<string, Platform>> = {
  'linux-x64': { os: 'linux', cpu: 'x64', libc: 'glibc', debian: 'amd64' },
  'linux-arm64': { os: 'linux', cpu: 'arm64', libc: 'glibc', debian: 'arm64' },
  'darwin-arm64': { os: 'darwin', cpu: 'arm64' },
  'darwin-x64': { os: 'darwin', cpu: 'x64' },
  'win32-x64': { os: 'win32', cpu: 'x64' },
};

/** @throws Error with the names that there are */
export function platformOf(name: string): Platform {
  const platform = platforms[name];
  if (platform !== undefined) return platform;
  throw new Error(`There is no release for ${name}; there are: ${Object.keys(platforms).join(', ')}.`);
}

/** The pinned Node of a platform: npm's package with it, and where the program is in there. */
function packageWithNode(name: string, dependencies: Readonly<Record<string, string>>) {
  const ending = `-${name.replace('win32', 'win')}`;
  const found = Object.entries(dependencies).find(([candidate]) => candidate.endsWith(ending));
  if (found === undefined) throw new Error(`package.json pins no Node for ${name} (optionalDependencies).`);
  return { name: found[0], version: found[1], program: join('bin', name.startsWith('win32') ? 'node.exe' : 'node') };
}

/** Downloads a package into `folder` and unpacks it there. What comes is compared with the hash in package-lock.json. */
async function download(root: string, name: string, version: string, folder: string): Promise<void> {
  const shell = process.platform === 'win32';
  await run('npm', ['pack', '--ignore-scripts', '--silent', `${name}@${version}`], { cwd: folder, shell });
  const tarball = `${name}-${version}.tgz`;
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
  const expected = lock.packages[`node_modules/${name}`]?.integrity;
  const bytes = await readFile(join(folder, tarball));
  const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
  if (integrity !== expected) throw new Error(`${tarball} is not what package-lock.json names: ${integrity}.`);
  await run('tar', ['-xzf', tarball], { cwd: folder });
}

/**
 * The pinned Node for a platform: from node_modules where npm has installed it, else from npm, once, kept in `dist/nodes`.
 * @returns the path of the program
 * @throws Error when it cannot be downloaded, or is not what package-lock.json names
 */
export async function findNode(root: string, platform: string): Promise<string> {
  const { optionalDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const { name, version, program } = packageWithNode(platform, optionalDependencies);
  const installed = join(root, 'node_modules', name);
  if (existsSync(join(installed, program))) return join(installed, program);
  const kept = join(root, 'dist', 'nodes', `${name}-${version}`);
  if (existsSync(join(kept, program))) return join(kept, program);
  await mkdir(join(root, 'dist', 'nodes'), { recursive: true });
  const work = await mkdtemp(join(root, 'dist', 'nodes', 'new-'));
  try {
    await download(root, name, version, work);
    await rm(kept, { recursive: true, force: true });
    await rename(join(work, 'package'), kept);
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new Error(`${name}@${version}, the Node for ${platform}, cannot be had: ${reason}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return join(kept, program);
}
