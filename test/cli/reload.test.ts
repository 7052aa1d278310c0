import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLoad } from './load.ts';
import { createProject, freePort, type TemporaryProject } from './temporaryProject.ts';

const binary = resolve(import.meta.dirname, '..', '..', 'dist', 'claude-code-proxy');
const RELOADS = process.env['LONG'] ? 20 : 3;

let project: TemporaryProject;
let port: number;
beforeAll(async () => {
  project = await createProject({ binary });
  port = await project.addInstance('demo');
  expect((await project.manage(['start', 'demo'])).code).toBe(0);
});
afterAll(() => project.dispose());

async function statusOfDemo() {
  const [demo] = JSON.parse((await project.manage(['status', 'demo', '--json'])).stdout).instances;
  return demo;
}

async function pidsInPm2(): Promise<number[]> {
  return JSON.parse((await project.pm2(['jlist'])).stdout).map(({ pid }: { pid: number }) => pid);
}

// One story, in order.
test('nothing to reload is said, and nothing is done', async () => {
  const before = await statusOfDemo();
  const { code, stderr } = await project.manage(['reload', 'demo']);
  expect(code).toBe(0);
  expect(stderr).toContain('demo has the present settings and build');
  expect((await statusOfDemo()).pid).toBe(before.pid);
});

test(`P9 ${RELOADS} reloads under load: no request fails on a kept connection, hardly one on a new one`, {
  timeout: 600_000,
}, async () => {
  const load = startLoad(port);
  const pids = new Set<number>();
  for (let time = 0; time < RELOADS; time += 1) {
    const { code, stderr } = await project.manage(['reload', 'demo', '--force']);
    expect(code, stderr).toBe(0);
    await load.answered(20);
    const supervised = await pidsInPm2();
    expect(supervised).toHaveLength(1);
    pids.add(supervised[0] ?? 0);
  }
  expect(pids.size).toBe(RELOADS);
  const { keepAlive, newConnections } = await load.stop();
  expect(keepAlive.failures).toEqual([]);
  // The kernel resets a connection that comes in between the last look at the queue and the closing of the listener.
  expect(newConnections.failures.filter((failure) => failure !== 'ECONNRESET')).toEqual([]);
  expect(newConnections.failures.length / newConnections.sent).toBeLessThan(0.005);
  expect(await statusOfDemo()).toMatchObject({ state: 'serving', supervised: true, remark: null });
});

test('a newer executable is a reason', async () => {
  const before = await statusOfDemo();
  const { version } = JSON.parse(await readFile(join(project.root, 'package.json'), 'utf8'));
  const stamp = { version, platform: '', sourceHash: '', builtAt: new Date().toISOString() };
  await writeFile(join(project.root, 'dist', 'build.json'), JSON.stringify(stamp));
  const { code, stderr } = await project.manage(['reload', 'all']);
  expect(stderr).toContain('demo: the executable is newer');
  expect(code).toBe(0);
  expect((await statusOfDemo()).pid).not.toBe(before.pid);
  expect((await project.manage(['reload', 'all'])).stderr).toContain('demo has the present settings');
});

test('an edit that the instance takes over by itself is waited for', async () => {
  const before = await statusOfDemo();
  const file = join(project.root, 'envs', 'demo.env');
  await writeFile(file, `${await readFile(file, 'utf8')}MAX_RETRIES=1\n`);
  const { stderr } = await project.manage(['reload', 'demo']);
  expect(stderr).toContain('demo has the present settings');
  const after = await statusOfDemo();
  expect([after.pid, after.config_hash === before.config_hash]).toEqual([before.pid, false]);
});

test('another port is taken over: the new one answers before the old one is given up', async () => {
  const file = join(project.root, 'envs', 'demo.env');
  const other = await freePort();
  await writeFile(file, (await readFile(file, 'utf8')).replace(`PORT=${port}`, `PORT=${other}`));
  const { code, stderr } = await project.manage(['reload', 'demo']);
  expect(stderr).toContain('demo: PORT changed');
  expect(stderr).toContain(`demo reloaded, on 127.0.0.1:${other}`);
  expect(code).toBe(0);
  expect(await statusOfDemo()).toMatchObject({ port: other, state: 'serving', remark: null });
  await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow();
  port = other;
});

test('a drain that PM2 has to know of means a restart', async () => {
  const file = join(project.root, 'envs', 'demo.env');
  await writeFile(file, (await readFile(file, 'utf8')).replace('DRAIN_SECONDS=5', 'DRAIN_SECONDS=6'));
  const { code, stderr } = await project.manage(['reload', 'demo']);
  expect(stderr).toContain('demo: stopping and starting again, as PM2 has to learn DRAIN_SECONDS');
  expect(code).toBe(0);
  expect(await statusOfDemo()).toMatchObject({ state: 'serving', restart_needed: [] });
});

test('a wrong configuration leaves the old process serving', async () => {
  const before = await statusOfDemo();
  const file = join(project.root, 'envs', 'demo.env');
  const text = await readFile(file, 'utf8');
  await writeFile(file, `${text}LOG_LEVEL=loud\n`);
  const { code, stderr } = await project.manage(['reload', 'demo', '--force']);
  await writeFile(file, text);
  expect(code).toBe(78);
  expect(stderr).toMatch(/^envs\/demo\.env:\d+ {2}LOG_LEVEL/m);
  expect((await statusOfDemo()).pid).toBe(before.pid);
});

test('a new process that does not come up is removed, and the old one goes on', async () => {
  const before = await statusOfDemo();
  const executable = join(project.root, 'dist', 'claude-code-proxy');
  await rm(executable);
  await writeFile(executable, '#!/bin/sh\necho "this build is broken" >&2\nexit 3\n', { mode: 0o755 });
  const { code, stderr } = await project.manage(['reload', 'demo', '--force']);
  await rm(executable);
  await symlink(binary, executable);
  expect(code).toBe(1);
  expect(stderr).toContain('demo ended at start (exit status 3)');
  expect(stderr).toContain('    this build is broken');
  expect(stderr).toContain('demo: the processes from before go on');
  expect(await statusOfDemo()).toMatchObject({ state: 'serving', pid: before.pid, supervised: true });
  expect(await pidsInPm2()).toEqual([before.pid]);
});

test('what does not run is not started by a reload', async () => {
  await project.manage(['stop', 'demo']);
  const { code, stderr } = await project.manage(['reload', 'demo']);
  expect(code).toBe(0);
  expect(stderr).toContain('demo does not run; start it with: ./manage start demo');
  expect((await statusOfDemo()).state).toBe('not started');
});
