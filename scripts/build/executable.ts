import { execFile } from 'node:child_process';
import { chmod, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * What starts the bundle where Node cannot be packed with it. The two paths are seen from `dist/`;
 * `exec` keeps the process id and the inherited channel, so PM2 talks to Node itself.
 */
const WRAPPER = `#!/bin/sh
here=$(dirname "$0")
exec "$here/../node_modules/.bin/node" "$here/main.cjs" "$@"
`;

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

/**
 * Packs the bundle `main` and the running Node into the executable `output`; gives its size in bytes.
 * Node is stripped before the injection, which a later `strip` would destroy, and on macOS signed after it.
 * `execArgvExtension: cli`: NODE_OPTIONS of the caller's shell does not reach the proxy, while the proxy itself can begin anew with
 * options of Node's (src/permissions/restrictProcess.ts).
 * See https://nodejs.org/api/single-executable-applications.html
 * @throws with the tool's own words when packing or signing fails.
 */
export async function packExecutable(main: string, output: string, workDirectory: string): Promise<number> {
  if (process.platform === 'darwin' && process.arch === 'x64') {
    await writeWrapper(output);
  } else {
    const settings = join(workDirectory, 'executable.json');
    const executable = await stripNode(workDirectory);
    await writeFile(
      settings,
      JSON.stringify({
        main,
        executable,
        output,
        disableExperimentalSEAWarning: true,
        useCodeCache: true,
        execArgvExtension: 'cli',
      }),
    );
    await run(process.execPath, ['--build-sea', settings]);
    if (process.platform === 'darwin') await run('codesign', ['--sign', '-', output]);
    await chmod(output, 0o755);
  }
  return (await stat(output)).size;
}
