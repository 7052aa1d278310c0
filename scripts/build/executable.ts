import { execFile } from 'node:child_process';
import { chmod, copyFile, cp, mkdir, mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { recordCodeCache } from './codeCache.ts';

const run = promisify(execFile);

/**
 * What starts the bundle where Node cannot be packed with it, called by a link or not: with the Node beside it, as a release has it, or
 * with that of the checkout. `exec` keeps the process id and the inherited channel, so PM2 talks to Node itself.
 */
const WRAPPER = `#!/bin/sh
program=$0
while [ -L "$program" ]; do
  target=$(readlink "$program")
  case $target in
    /*) program=$target ;;
    *) program=$(dirname "$program")/$target ;;
  esac
done
here=$(dirname "$program")
node=$here/node
[ -x "$node" ] || node=$here/../node_modules/.bin/node
exec "$node" "$here/main.cjs" "$@"
`;

/**
 * Node's options for the executable: the size of V8's young generation in MiB.
 * - at least: V8 begins with 1 and collects four times until the first answer, which takes 12 ms. At rest the memory is the same.
 * - at most: 36 MiB less at 1,000 streams than with what V8 takes otherwise, for 5 % more processor time when there is none to spare.
 * Most other options of V8's would cost 13 ms at each of the two starts of Node: V8 then refuses the compiled code that Node brings along.
 */
const OPTIONS = ['--min-semi-space-size=8', '--max-semi-space-size=8'];

/** Writes the shell wrapper for platforms without a packed executable (macOS on Intel). */
export async function writeWrapper(output: string): Promise<void> {
  await writeFile(output, WRAPPER);
  await chmod(output, 0o755);
}

/** Programs that strip executables; the first that is there and knows the kind of this one does it. */
const STRIPPERS = ['strip', 'aarch64-linux-gnu-strip', 'llvm-strip'];

/** A copy of Node for Linux without its symbol tables (a fifth smaller), or the same Node where nothing can strip it. */
async function stripNode(node: string, workDirectory: string): Promise<string> {
  const stripped = join(workDirectory, 'node');
  for (const program of STRIPPERS) {
    const isStripped = await run(program, ['-o', stripped, node]).then(
      () => true,
      () => false,
    );
    if (isStripped) return stripped;
  }
  return node;
}

/** The files of a folder by their names, as the executable holds them. */
async function listAssets(folder: string): Promise<Record<string, string>> {
  const names = await readdir(folder);
  return Object.fromEntries(names.sort().map((name) => [name, join(folder, name)]));
}

/**
 * Packs chunks and a Node into the executable `output`.
 * Node is stripped before the injection, which a later `strip` would destroy, and on macOS signed after it.
 * `execArgvExtension: cli`: NODE_OPTIONS of the caller's shell does not reach the proxy, while the proxy itself can re-execute itself with
 * options of Node's (src/permissions/sandbox.ts), which are added to those of `execArgv`.
 * See https://nodejs.org/api/single-executable-applications.html
 */
async function inject(chunks: string, node: string, output: string, workDirectory: string): Promise<void> {
  const settings = join(workDirectory, 'executable.json');
  const packed = join(workDirectory, 'packed');
  await writeFile(
    settings,
    JSON.stringify({
      main: join(import.meta.dirname, 'executableMain.cjs'),
      executable: node,
      output: packed,
      assets: await listAssets(chunks),
      disableExperimentalSEAWarning: true,
      execArgv: OPTIONS,
      execArgvExtension: 'cli',
    }),
  );
  await run(process.execPath, ['--build-sea', settings]);
  // Node writes the file in one piece, and Linux keeps it in memory in pieces so large that 14 MiB more of it count as memory of
  // each process than of a copy, which is written in small ones.
  await copyFile(packed, output);
  await chmod(output, 0o755);
}

/** Node makes executables that crash of its own for macOS on Intel (https://github.com/nodejs/node/issues/65479, seen on 2026-11-30). */
function canBePacked(platform: string): boolean {
  return platform !== 'darwin-x64';
}

/**
 * Packs the bundle in the folder `bundle`, the cache of its compiled code and the running Node into the executable `output`; gives
 * its size in bytes.
 * @throws with the tool's own words when the bundle does not run, or packing or signing fails.
 */
export async function packExecutable(bundle: string, output: string, workDirectory: string): Promise<number> {
  if (!canBePacked(`${process.platform}-${process.arch}`)) {
    await writeWrapper(output);
  } else {
    const cached = join(workDirectory, 'cached');
    await mkdir(cached);
    await recordCodeCache(bundle, cached, OPTIONS);
    const { platform, execPath } = process;
    const node = platform === 'linux' ? await stripNode(execPath, workDirectory) : execPath;
    await inject(cached, node, output, workDirectory);
    if (platform === 'darwin') await run('codesign', ['--sign', '-', output]);
  }
  return (await stat(output)).size;
}

/**
 * Packs the bundle and the Node of another platform into the executable `output`, without a code cache and unsigned. Where it cannot be
 * packed, the bundle and Node lie beside `output`, which runs them.
 * @param node the same version as the one that runs
 * @throws with the tool's own words when packing fails.
 */
export async function packForPlatform(
  platform: string,
  node: string,
  bundle: string,
  output: string,
  workDirectory: string,
): Promise<void> {
  if (!canBePacked(platform)) {
    await writeWrapper(output);
    await cp(bundle, dirname(output), { recursive: true });
    await copyFile(node, join(dirname(output), 'node'));
    return;
  }
  const chunks = await mkdtemp(join(workDirectory, 'chunks-'));
  for (const name of await readdir(bundle)) {
    const code = await readFile(join(bundle, name), 'latin1');
    // As scripts/build/codeRecorder.cjs writes them.
    await writeFile(join(chunks, name), `(function (exports, require, module) {${code}\n})`, 'latin1');
  }
  const stripped = platform.startsWith('linux') ? await stripNode(node, workDirectory) : node;
  await inject(chunks, stripped, output, workDirectory);
}
