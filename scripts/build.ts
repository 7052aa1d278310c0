import { executablePath } from '../src/host/workers.ts';
import './build/pinnedNode.cjs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { dateStamp, hashSources, isBuilt, PLATFORM, writeStamp } from '../src/cli/buildStamp.ts';
import { bundle, bundleManager, bundlePage } from './build/bundler.ts';
import { packExecutable } from './build/executable.ts';

const WORK_PREFIX = 'new-';
const MAIN = 'main.cjs';

type Report = (line: string) => void;

async function measure(report: Report, label: string, step: () => Promise<number>): Promise<void> {
  const started = performance.now();
  const bytes = await step();
  const seconds = (performance.now() - started) / 1000;
  report(`${label}  ${(bytes / 1e6).toFixed(1)} MB  ${seconds.toFixed(1)} s`);
}

/** Removes what an interrupted build left behind: work directories that nobody has written into for ten minutes. */
async function removeLeftovers(distribution: string): Promise<void> {
  for (const name of await readdir(distribution)) {
    const path = join(distribution, name);
    if (!name.startsWith(WORK_PREFIX) || Date.now() - (await stat(path)).mtimeMs < 600_000) continue;
    await rm(path, { recursive: true, force: true });
  }
}

/** Moves the files of a bundle, that with which it begins last: it then finds the others. */
async function moveBundle(from: string, to: string, entry: string): Promise<void> {
  await mkdir(to, { recursive: true });
  const others = (await readdir(from)).filter((name) => name !== entry);
  for (const name of [...others, entry]) await rename(join(from, name), join(to, name));
}

/**
 * Brings `dist/` of the repository at `root` up to date with its sources: manager.cjs, page/, main.cjs, the executable, build.json.
 * Says in a few lines what it does; keeps the executable when its sources are those of the last build.
 * Made in a directory of its own and renamed into place, the stamp last: a running executable cannot be overwritten,
 * builds may run at the same time, and one that is interrupted leaves the old executable standing.
 * @throws when a step fails.
 */
export async function build(root: string, report: Report): Promise<void> {
  const startedAt = new Date();
  const sourceHash = await hashSources(root);
  const executable = executablePath(root);
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const distribution = join(root, 'dist');
  await mkdir(distribution, { recursive: true });
  await removeLeftovers(distribution);
  const workDirectory = await mkdtemp(join(distribution, WORK_PREFIX));
  try {
    const manager = join(workDirectory, 'manager.cjs');
    await measure(report, 'dist/manager.cjs', () => bundleManager(root, manager));
    await rename(manager, join(distribution, 'manager.cjs'));
    const page = join(workDirectory, 'page');
    await measure(report, 'dist/page', () => bundlePage(root, page));
    await moveBundle(page, join(distribution, 'page'), 'index.html');
    if (await isBuilt(root, sourceHash)) report(`${relative(root, executable)} is up to date`);
    else {
      const bundled = join(workDirectory, 'bundle');
      const packed = join(workDirectory, 'claude-code-proxy');
      await measure(report, 'dist/main.cjs', () => bundle(join(root, 'src', 'main.ts'), join(bundled, MAIN), version));
      await measure(report, relative(root, executable), () => packExecutable(bundled, packed, workDirectory));
      await moveBundle(bundled, distribution, MAIN);
      await rename(packed, executable);
      await writeStamp(root, { version, platform: PLATFORM, sourceHash, builtAt: startedAt.toISOString() });
    }
  } finally {
    await rm(workDirectory, { recursive: true, force: true });
  }
  await dateStamp(root, startedAt);
}

if (import.meta.main) {
  try {
    await build(resolve(import.meta.dirname, '..'), (line) => process.stdout.write(`${line}\n`));
  } catch (error) {
    process.stderr.write(`claude-code-proxy: the build failed. ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}
