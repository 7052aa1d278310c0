import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PLATFORM } from '../../src/cli/buildStamp.ts';
import { executablePath } from '../../src/host/workers.ts';
import { bundle } from '../build/bundler.ts';
import { packForPlatform } from '../build/executable.ts';
import { findNode } from './platforms.ts';

/** A folder with what a platform runs: `claude-code-proxy`, with `.exe` for Windows, what that needs beside it, and its `build.json`. */
export type ExecutableFolders = Readonly<Record<string, string>>;

/**
 * Makes the executables of these platforms in `output`, each in a folder of its own. That of this machine is the one that the build has
 * made. Those of others are made of the same bundle and have no code cache, as V8 takes only what was compiled on its own kind of
 * machine. Those of macOS are not signed.
 * @param builtAt for the stamp, so that the same sources give the same bytes; when the build was made, when absent
 * @throws Error when a step fails
 */
export async function makeExecutables(
  root: string,
  output: string,
  names: readonly string[],
  builtAt?: Date,
): Promise<ExecutableFolders> {
  const stamp = JSON.parse(await readFile(join(root, 'dist', 'build.json'), 'utf8'));
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  await mkdir(output, { recursive: true });
  const work = await mkdtemp(join(output, 'new-'));
  try {
    const bundled = join(work, 'bundle');
    await bundle(join(root, 'src', 'main.ts'), join(bundled, 'main.cjs'), version);
    const folders: Record<string, string> = {};
    for (const platform of names) {
      const made = join(work, platform);
      await mkdir(made);
      const program = join(made, platform.startsWith('win32') ? 'claude-code-proxy.exe' : 'claude-code-proxy');
      if (platform === PLATFORM) await copyFile(executablePath(root), program);
      else await packForPlatform(platform, await findNode(root, platform), bundled, program, work);
      await chmod(program, 0o755);
      const own = { ...stamp, platform, ...(builtAt === undefined ? {} : { builtAt: builtAt.toISOString() }) };
      await writeFile(join(made, 'build.json'), `${JSON.stringify(own, undefined, 2)}\n`);
      const place = join(output, platform);
      await rm(place, { recursive: true, force: true });
      await rename(made, place);
      folders[platform] = place;
    }
    return folders;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
