import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

function run(program: string, parameters: readonly string[], folder: string): string {
  try {
    return execFileSync(program, parameters, {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(`${program} ${parameters.join(' ')} failed: ${stderr?.trim() || (error as Error).message}`);
  }
}

/** The packages of the checkout serve where the other commit names the same ones. */
function providePackages(root: string, clone: string): void {
  const lock = (folder: string) => readFileSync(join(folder, 'package-lock.json'), 'utf8');
  if (lock(root) === lock(clone)) symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
  else run('npm', ['ci'], clone);
}

/** Builds what stands at `root`, unless its build is up to date. @returns the executable */
export function buildCheckout(root: string): string {
  run(process.execPath, [join(root, 'scripts/build.ts')], root);
  return join(root, 'dist/claude-code-proxy');
}

/**
 * Builds a commit of the repository at `root` in a clone of its own in `folder`, which must not exist.
 * @param reference what git understands as a commit: a hash, branch or tag
 * @returns the executable
 * @throws when there is no such commit or a step fails, with what git, npm or the build said.
 */
export function buildCommit(root: string, reference: string, folder: string): string {
  const commit = run('git', ['rev-parse', '--verify', '--end-of-options', `${reference}^{commit}`], root);
  run('git', ['clone', '--quiet', '--shared', '--no-checkout', root, folder], root);
  run('git', ['checkout', '--quiet', '--detach', commit], folder);
  providePackages(root, folder);
  const node = join(folder, 'node_modules/.bin/node');
  if (!existsSync(node)) throw new Error(`${node} is missing; run npm ci in ${root}`);
  run(node, [join(folder, 'scripts/build.ts')], folder);
  return join(folder, 'dist/claude-code-proxy');
}
