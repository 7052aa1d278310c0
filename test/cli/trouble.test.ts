import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { readCommand } from '../../src/host/ports.ts';
import { createProject, type StatusRow, type TemporaryProject } from './temporaryProject.ts';

const LONG_WAIT = { timeout: 20_000, interval: 200 };

let project: TemporaryProject;
beforeAll(async () => {
  project = await createProject({ listenTimeout: 5000 });
});
afterAll(() => project.dispose());

async function statusOf(name: string): Promise<StatusRow | undefined> {
  return (await project.status()).find((row) => row.name === name);
}

async function pm2Rows(name: string): Promise<{ pid: number; pm2_env: Record<string, unknown> }[]> {
  return JSON.parse((await project.pm2(['jlist'])).stdout).filter((row: { name: string }) => row.name === name);
}

/** Whether a process runs; one that has ended and waits for its parent to notice (a zombie) does not. */
async function isAlive(pid: number | null | undefined): Promise<boolean> {
  return pid !== null && pid !== undefined && (await readCommand(pid)) !== undefined;
}

test('P2 a wrong configuration is reported with file and line and is never started; the others are', async () => {
  await project.addInstance('good');
  await project.addInstance('bad', ['MAX_RETRIES=banana', 'LOG_LEVEL=loud']);
  const { code, stderr } = await project.manage(['start', 'good', 'bad']);
  expect(code).toBe(78);
  expect(stderr).toMatch(/^envs\/bad\.env:4 {2}MAX_RETRIES/m);
  expect(stderr).toMatch(/^envs\/bad\.env:5 {2}LOG_LEVEL/m);
  expect((await statusOf('good'))?.state).toBe('serving');
  expect(await statusOf('bad')).toMatchObject({ state: 'failed', supervised: false });
});

test('P2 one that plain pm2 starts nevertheless ends at once, without a loop', async () => {
  await project.pm2(['start', 'ecosystem.config.cjs', '--only', 'bad']);
  await vi.waitFor(async () => {
    const [row] = await pm2Rows('bad');
    // Of an app that it means to restart, PM2 keeps the last pid.
    expect(row).toMatchObject({ pid: 0, pm2_env: { exit_code: 78, restart_time: 0 } });
  }, LONG_WAIT);
  expect(await statusOf('bad')).toMatchObject({ state: 'failed', supervised: false });
  const { stdout } = await project.pm2(['logs', 'bad', '--nostream']);
  expect(stdout).toContain('MAX_RETRIES');
  expect((await project.manage(['stop', 'bad'])).code).toBe(0);
});

test('a crash at start is reported with what the instance said', async () => {
  await project.addInstance('crash');
  const { code, stderr } = await project.manage(['start', 'crash']);
  expect(code).toBe(1);
  expect(stderr).toContain('crash ended at start (exit status 1)');
  expect(stderr).toContain('    the fake proxy crashes at start, as its name demands');
  await project.manage(['stop', 'crash']);
  expect((await statusOf('crash'))?.state).toBe('not started');
});

test('a slow start is waited for, one that never ends is not', async () => {
  await project.addInstance('slow');
  await project.addInstance('never');
  const { code, stderr } = await project.manage(['start', 'slow', 'never']);
  expect(code).toBe(4);
  expect(stderr).toMatch(/^slow up on/m);
  expect(stderr).toMatch(/^never does not answer on/m);
  expect((await statusOf('never'))?.state).toBe('starting');
  await project.manage(['stop', 'slow', 'never']);
});

test('stop waits for the drain', async () => {
  await project.addInstance('lasting');
  await project.manage(['start', 'lasting']);
  const pid = (await statusOf('lasting'))?.pid;
  expect((await project.manage(['stop', 'lasting'])).code).toBe(0);
  expect(await isAlive(pid)).toBe(false);
  expect(await readFile(join(project.root, 'logs', 'lasting', 'console.log'), 'utf8')).toContain('lasting has drained');
});

test('P5 a port that a stranger holds: who it is, exit status 78, and the stranger lives', async () => {
  const port = await project.addInstance('thief');
  const server = createServer((socket) => socket.resume().end('hello\r\n'));
  onTestFinished(() => void server.close());
  await new Promise((listening) => server.listen(port, '127.0.0.1', () => listening(undefined)));
  for (const command of ['start', 'restart']) {
    const { code, stderr } = await project.manage([command, 'thief']);
    expect(code).toBe(78);
    expect(stderr).toContain(`thief: port ${port} is held by pid ${process.pid}`);
  }
  for (const command of ['start', 'status'])
    expect((await project.manage([command, 'thief'])).stdout).toContain(`\n\nthief: port ${port} is held by pid`);
  expect((await project.manage(['stop', 'thief'])).stderr).toContain('thief does not run');
  expect((await statusOf('thief'))?.state).toBe('port taken');
  expect(server.listening).toBe(true);
});

test('P6 a process that only claims to be the instance is not signalled', async () => {
  const port = await project.addInstance('claimed');
  const code = `require('node:http').createServer((q, r) => r.end(JSON.stringify({ service: 'claude-code-proxy',
    instance: 'claimed', pid: process.pid, state: 'serving' }))).listen(${port}, '127.0.0.1', () => console.log('up'))`;
  const impostor = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void impostor.kill());
  await new Promise((up) => impostor.stdout.once('data', up));
  expect((await statusOf('claimed'))?.state).toBe('port taken');
  await project.manage(['stop', 'claimed']);
  expect((await project.manage(['start', 'claimed'])).code).toBe(78);
  expect(await isAlive(impostor.pid)).toBe(true);
});

test('a port that stands in two env files starts neither', async () => {
  const port = await project.addInstance('one');
  await project.addInstance('two');
  await writeFile(join(project.root, 'envs', 'two.env'), `PROVIDER=demo\nPORT=${port}\n`, { mode: 0o600 });
  const { code, stderr } = await project.manage(['start', 'one', 'two']);
  expect(code).toBe(78);
  expect(stderr).toMatch(/^envs\/one\.env:2 {2}PORT/m);
  expect(stderr).toMatch(/^envs\/two\.env:2 {2}PORT/m);
  expect((await statusOf('one'))?.supervised).toBe(false);
  await project.addInstance('two');
});

test('another app of the same name in PM2 is left alone', async () => {
  await project.addInstance('shared');
  const script = join(project.root, 'other.cjs');
  await writeFile(script, 'setInterval(() => {}, 1000);');
  await project.pm2(['start', script, '--name', 'shared']);
  expect((await project.manage(['start', 'shared'])).code).toBe(0);
  expect(await pm2Rows('shared@project')).toHaveLength(1);
  await project.manage(['restart', 'shared']);
  await project.manage(['stop', 'shared']);
  expect(await pm2Rows('shared@project')).toEqual([]);
  const [row] = await pm2Rows('shared');
  expect(row?.pm2_env).toMatchObject({ status: 'online', restart_time: 0, pm_exec_path: script });
  await project.pm2(['delete', 'shared']);
});

test('P4 after the PM2 daemon was killed the instance serves on; start puts it under PM2 again', async () => {
  const before = await statusOf('good');
  process.kill(Number(await readFile(join(project.pm2Home, 'pm2.pid'), 'utf8')), 'SIGKILL');
  expect(await statusOf('good')).toMatchObject({ state: 'unsupervised', supervised: false, pid: before?.pid });
  expect((await project.manage(['status', 'good'])).stderr).toContain('PM2 does not know it');

  expect((await project.manage(['start', 'good'])).code).toBe(0);
  const after = await statusOf('good');
  expect(after).toMatchObject({ state: 'serving', supervised: true });
  expect(await isAlive(before?.pid)).toBe(false);
});

test('stop ends an instance that PM2 has lost', async () => {
  const before = await statusOf('good');
  process.kill(Number(await readFile(join(project.pm2Home, 'pm2.pid'), 'utf8')), 'SIGKILL');
  expect((await project.manage(['stop', 'good'])).code).toBe(0);
  expect(await isAlive(before?.pid)).toBe(false);
  expect((await statusOf('good'))?.state).toBe('not started');
});
