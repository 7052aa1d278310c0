import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startLoad } from './load.ts';
import { createProject, type TemporaryProject } from './temporaryProject.ts';

const binary = resolve(import.meta.dirname, '..', '..', 'dist', 'claude-code-proxy');
const LONG_WAIT = { timeout: 20_000, interval: 200 };

let project: TemporaryProject;
let port: number;
beforeAll(async () => {
  project = await createProject({ binary });
  port = await project.addInstance('demo');
});
afterAll(() => project.dispose());

interface Part {
  readonly part: number;
  readonly pid: number;
  readonly state: string;
  readonly supervised: boolean;
  readonly requests: { readonly total: number };
}

async function statusOfDemo() {
  const [demo] = JSON.parse((await project.manage(['status', 'demo', '--json'])).stdout).instances;
  return demo as { pid: number; state: string; remark: string | null; requests: { total: number }; parts: Part[] };
}

async function daemonPid(): Promise<number> {
  return Number(await readFile(join(project.pm2Home, 'pm2.pid'), 'utf8'));
}

// One story, in order.
test('start --instances runs several processes on one port, and status shows them as one with their parts', async () => {
  const { code, stdout, stderr } = await project.manage(['start', 'demo', '--instances', '3']);
  expect(code, stderr).toBe(0);
  expect(stderr).toContain('demo runs as 3 processes');
  expect(stdout).toMatch(/ready \(3 processes\)/);
  const { state, remark, parts } = await statusOfDemo();
  expect([state, remark]).toEqual(['serving', null]);
  expect(parts.map(({ part }) => part).sort()).toEqual([1, 2, 3]);
  expect(parts.every((part) => part.supervised && part.state === 'serving')).toBe(true);
});

test('requests are spread over them, and status, usage and logs show all', async () => {
  const load = startLoad(port);
  await load.answered(30);
  const { keepAlive, newConnections } = await load.stop();
  expect([...keepAlive.failures, ...newConnections.failures]).toEqual([]);
  const sent = keepAlive.sent + newConnections.sent;
  const { requests, parts } = await statusOfDemo();
  expect(requests.total).toBe(sent);
  expect(parts.reduce((sum, part) => sum + part.requests.total, 0)).toBe(sent);
  expect(parts.every((part) => part.requests.total > 0)).toBe(true);
  await vi.waitFor(async () => {
    const { stdout } = await project.manage(['usage', 'demo', '--json']);
    expect(JSON.parse(stdout).total.requests).toBe(sent);
    const logged = await project.manage(['logs', 'demo', '--json', '-n', '100000']);
    expect(logged.stdout.match(/"event":"request"/g)).toHaveLength(sent);
  }, LONG_WAIT);
  expect((await readdir(join(project.root, 'logs', 'demo'))).filter((name) => name.endsWith('.log')).sort()).toEqual([
    'console.log',
    'demo.2.log',
    'demo.3.log',
    'demo.log',
  ]);
});

test('P1 one that is killed comes back, and the others serve meanwhile', async () => {
  const { parts } = await statusOfDemo();
  const killed = parts[1]?.pid ?? 0;
  process.kill(killed, 'SIGKILL');
  await vi.waitFor(async () => {
    const after = await statusOfDemo();
    expect(after.state).toBe('serving');
    expect(after.parts.filter(({ state }) => state === 'serving')).toHaveLength(3);
    expect(after.parts.map(({ pid }) => pid)).not.toContain(killed);
  }, LONG_WAIT);
});

test('reload puts a new one in the place of each; restart keeps their number; start changes it', async () => {
  const pids = async () => (await statusOfDemo()).parts.map(({ pid }) => pid);
  const before = await pids();
  expect((await project.manage(['reload', 'demo', '--force'])).code).toBe(0);
  const reloaded = await pids();
  expect(reloaded).toHaveLength(3);
  expect(reloaded.filter((pid) => before.includes(pid))).toEqual([]);
  expect((await project.manage(['restart', 'demo'])).code).toBe(0);
  expect(await pids()).toHaveLength(3);
  expect((await project.manage(['start', 'demo', '--instances', '2'])).stderr).toContain('2 of 3 processes left');
  expect(await pids()).toHaveLength(2);
  expect((await project.manage(['start', 'demo'])).stderr).toContain('demo already up');
  expect(await pids()).toHaveLength(2);
});

test('P4 all of them survive the PM2 daemon, status says so, and start takes the instance back without a clash', async () => {
  process.kill(await daemonPid(), 'SIGKILL');
  const orphans = await statusOfDemo();
  expect(orphans).toMatchObject({ state: 'unsupervised', remark: expect.stringContaining('PM2 does not know it') });
  expect(orphans.parts.map(({ supervised }) => supervised)).toEqual([false, false]);
  expect((await project.manage(['status', 'demo'])).stdout).toContain('ready, not supervised (2 processes)');
  expect((await project.manage(['start', 'demo'])).code).toBe(0);
  const after = await statusOfDemo();
  expect(after.parts.map(({ supervised, state }) => [supervised, state])).toEqual([[true, 'serving']]);
});

test('P11 after pm2 save and a restart of the machine (pm2 kill, pm2 resurrect) the instances are back', async () => {
  await project.manage(['start', 'demo', '--instances', '2']);
  expect((await project.pm2(['save'])).code).toBe(0);
  await project.pm2(['kill']);
  expect((await statusOfDemo()).state).toBe('not started');
  await project.pm2(['resurrect']);
  await vi.waitFor(async () => {
    const { state, remark, parts } = await statusOfDemo();
    expect([state, remark]).toEqual(['serving', null]);
    expect(parts.map((part) => [part.supervised, part.state])).toEqual([
      [true, 'serving'],
      [true, 'serving'],
    ]);
  }, LONG_WAIT);
});

test('after a resurrect beside orphans status names them, and start ends them', async () => {
  const orphans = (await statusOfDemo()).parts.map(({ pid }) => pid);
  process.kill(await daemonPid(), 'SIGKILL');
  await project.pm2(['resurrect']);
  await vi.waitFor(async () => {
    const { state, remark, parts } = await statusOfDemo();
    expect(state).toBe('serving');
    expect(parts.filter((part) => part.supervised && part.state === 'serving')).toHaveLength(2);
    expect(remark).toContain('and PM2 does not know it; end it with: ./manage start demo');
  }, LONG_WAIT);
  expect((await project.manage(['start', 'demo'])).code).toBe(0);
  const { remark, parts } = await statusOfDemo();
  expect(remark).toBeNull();
  expect(parts).toHaveLength(2);
  expect(parts.filter(({ pid }) => orphans.includes(pid))).toEqual([]);
});

test('P3 a part that crashes again and again is reported', async () => {
  const [first] = (await statusOfDemo()).parts;
  const file = join(project.root, 'envs', 'demo.env');
  const text = await readFile(file, 'utf8');
  await writeFile(file, `${text}LOG_LEVEL=loud\n`); // no process can start with this
  process.kill(first?.pid ?? 0, 'SIGKILL');
  await vi.waitFor(async () => {
    expect((await project.manage(['status', 'demo'])).stderr).toMatch(/demo: 1 of 2 processes serve, the others: /);
  }, LONG_WAIT);
  await writeFile(file, text);
  expect((await project.manage(['restart', 'demo'])).code).toBe(0);
  expect((await statusOfDemo()).parts.map(({ state }) => state)).toEqual(['serving', 'serving']);
});

test('stop ends all of them', async () => {
  expect((await project.manage(['stop', 'all'])).code).toBe(0);
  expect(await statusOfDemo()).toMatchObject({ state: 'not started', parts: [] });
});
