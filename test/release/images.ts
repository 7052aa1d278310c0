import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, inject } from 'vitest';
import { type Finished, run } from '../cli/temporaryProject.ts';
import { LOCAL_BASES, makeLocalBases } from './localBases.ts';

/** The images of deploy/Dockerfile, on bases of this machine's own files, as registries are not for tests. */

const root = resolve(import.meta.dirname, '..', '..');
const environment = process.env as Record<string, string>;

/** Podman with a storage of its own. Containers have the network of this machine; its limits may be lower than podman's usual ones. */
export function podman(...command: string[]): Promise<Finished> {
  const base = inject('imageFolder');
  const folders = ['--root', `${base}/root`, '--runroot', `${base}/run`];
  const settings = ['--cgroup-manager', 'cgroupfs', '--runtime', 'runc', '--log-level', 'fatal'];
  return run('podman', [...folders, ...settings, ...command], root, { ...environment, TMPDIR: base });
}

/** The same where it has to succeed; what it prints. */
export async function succeed(...command: string[]): Promise<string> {
  const { code, stdout, stderr } = await podman(...command);
  expect(code, `podman ${command.join(' ')}: ${stderr.slice(-3000)}`).toBe(0);
  return stdout.trim();
}

/** Why no image can be built here; empty if it can. */
async function findObstacle(): Promise<string> {
  if (!readFileSync('/etc/os-release', 'utf8').includes('bookworm')) return 'this is no Debian 12';
  if (process.getuid?.() !== 0) return 'this needs root';
  const tools = await run('sh', ['-c', 'command -v podman && command -v runc && command -v strip'], root, environment);
  if (tools.code !== 0) return 'podman, runc or binutils are not installed';
  const { code, stderr } = await run('npm', ['view', 'pm2', 'version'], root, environment);
  return code === 0 ? '' : `npm cannot reach its registry: ${stderr.split('\n')[0]}`;
}

/** The targets of deploy/Dockerfile, each also the name of its image. */
export type Image = 'instance' | 'all';

/** Builds what this run does not have yet; the reason where that is not possible. */
export async function buildImages(...images: readonly Image[]): Promise<string> {
  const obstacle = await findObstacle();
  if (obstacle !== '') {
    console.info(`skipped: ${obstacle}`);
    return obstacle;
  }
  const missing: Image[] = [];
  for (const image of images) if ((await podman('image', 'exists', image)).code !== 0) missing.push(image);
  if (missing.length === 0) return '';
  const startedAt = performance.now();
  // Made anew they would be other images, and what was built on them would be built again.
  if ((await podman('image', 'exists', LOCAL_BASES.RUNTIME_IMAGE)).code !== 0) await makeLocalBases(succeed);
  const bases = Object.entries(LOCAL_BASES).flatMap((pair) => ['--build-arg', pair.join('=')]);
  const ways = ['--format', 'docker', '--isolation', 'chroot', '--network', 'host', '--layers'];
  for (const image of missing)
    await succeed('build', ...ways, ...bases, '-f', 'deploy/Dockerfile', '--target', image, '-t', image, '.');
  console.info(`built in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
  return '';
}

/** Ends all containers of this file of tests. */
export async function removeContainers(): Promise<void> {
  await podman('rm', '--all', '--force', '--time', '1');
}
