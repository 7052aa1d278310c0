import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { recordCodeCache } from './codeCache.ts';

const run = promisify(execFile);

/**
 * What starts the bundle where Node cannot be packed with it. The two paths are seen from `dist/`;
 * `exec` keeps the process id and the inherited channel, so PM2 talks to Node itself.
 */
const WRAPPER = `#!/bin/sh
here=$(dirname "$0")
exec "$here/../node_modules/.bin/node" "$here/main.cjs" "$@"
`;

/**
 * Node's options for the executable: the size of V8's young generation in MiB.
 * - at least: V8 begins with 1 and collects four times until the first answer, which takes 12 ms. At rest the memory is the same.
 * - at most: 36 MiB less at 1,000 streams than with what V8 takes otherwise, for 5 % more processor time when there is none to spare.
 */
const YOUNG_GENERATION = ['--min-semi-space-size=8', '--max-semi-space-size=8'];

/**
 * The bytes of bodies lie outside V8's heap. Without this V8 searches the whole heap each time when some of them have come, also where
 * these are few beside what the process may take: half of the processor time of a conversation with large pictures (docs/VISION.md).
 */
const BYTES_OUTSIDE = '--external-memory-accounted-in-global-limit';

const OPTIONS = [...YOUNG_GENERATION, BYTES_OUTSIDE];

/** Writes the shell wrapper for platforms without a packed executable (macOS on Intel). */
export async function writeWrapper(output: string): Promise<void> {
  await writeFile(output, WRAPPER);
  await chmod(output, 0o755);
}

/** A copy of the running Node without its symbol tables (a fifth smaller), or the running Node where `strip` cannot help. */
async function stripNode(workDirectory: string): Promise<string> {
  if (process.platform !== 'linux') return process.execPath;
  const stripped = join(workDirectory, 'node');
  return run('strip', ['-o', stripped, process.execPath]).then(
    () => stripped,
    () => process.execPath,
  );
}

/** The files of a folder by their names, as the executable holds them. */
async function listAssets(folder: string): Promise<Record<string, string>> {
  const names = await readdir(folder);
  return Object.fromEntries(names.sort().map((name) => [name, join(folder, name)]));
}

/**
 * Packs the bundle in the folder `bundle`, the cache of its compiled code and the running Node into the executable `output`; gives
 * its size in bytes.
 * Node is stripped before the injection, which a later `strip` would destroy, and on macOS signed after it.
 * `execArgvExtension: cli`: NODE_OPTIONS of the caller's shell does not reach the proxy, while the proxy itself can re-execute itself with
 * options of Node's (src/permissions/sandbox.ts), which are added to those of `execArgv`.
 * See https://nodejs.org/api/single-executable-applications.html
 * @throws with the tool's own words when the bundle does not run, or packing or signing fails.
 */
export async function packExecutable(bundle: string, output: string, workDirectory: string): Promise<number> {
  if (process.platform === 'darwin' && process.arch === 'x64') {
    await writeWrapper(output);
  } else {
    const cached = join(workDirectory, 'cached');
    await mkdir(cached);
    await recordCodeCache(bundle, cached, OPTIONS);
    const settings = join(workDirectory, 'executable.json');
    const executable = await stripNode(workDirectory);
    const packed = join(workDirectory, 'packed');
    await writeFile(
      settings,
      JSON.stringify({
        main: join(import.meta.dirname, 'executableMain.cjs'),
        executable,
        output: packed,
        assets: await listAssets(cached),
        disableExperimentalSEAWarning: true,
        execArgv: OPTIONS,
        execArgvExtension: 'cli',
      }),
    );
    await run(process.execPath, ['--build-sea', settings]);
    // Node writes the file in one piece, and Linux keeps it in memory in pieces so large that 14 MiB more of it count as memory of
    // each process than of a copy, which is written in small ones.
    await copyFile(packed, output);
    if (process.platform === 'darwin') await run('codesign', ['--sign', '-', output]);
    await chmod(output, 0o755);
  }
  return (await stat(output)).size;
}
