import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createProject, freePort, type StatusRow, type TemporaryProject } from './temporaryProject.ts';

const binary = resolve(import.meta.dirname, '..', '..', 'dist', 'claude-code-proxy');
const LONG_WAIT = { timeout: 20_000, interval: 200 };

let project: TemporaryProject;
let port: number;
beforeAll(async () => {
  project = await createProject({ binary });
  port = await project.addInstance('demo');
});
afterAll(() => project.dispose());

async function statusOfDemo(): Promise<StatusRow | undefined> {
  return (await project.status()).find(({ name }) => name === 'demo');
}

// One story, in order.
test('the compiled binary comes up under PM2 with the settings that the manager read', async () => {
  const { code, stderr } = await project.manage(['start', 'demo']);
  expect(stderr).toMatch(/^demo up on/m);
  expect(code).toBe(0);
  const again = await project.manage(['start', 'demo']);
  expect(again.stderr).toContain('demo already up'); // and not "older settings": both have the same hash
});

test('a request is answered, counted by status and shown by logs', async () => {
  const body = JSON.stringify({
    model: 'claude-sonnet-4-5',
    max_tokens: 50,
    messages: [{ role: 'user', content: 'hello' }],
  });
  const headers = { 'content-type': 'application/json', 'x-api-key': 'unused' };
  const response = await fetch(`http://127.0.0.1:${port}/v1/messages`, { method: 'POST', headers, body });
  expect(response.status).toBe(200);
  await response.text();
  const { stdout } = await project.manage(['status', 'demo', '--json']);
  expect(JSON.parse(stdout).instances[0]).toMatchObject({
    provider: 'demo',
    key: 'none',
    requests: { total: 1, failed: 0 },
  });
  await vi.waitFor(async () => {
    expect((await project.manage(['logs', 'demo'])).stdout).toMatch(/ ✓ {2}middle side {2}claude-sonnet-4-5 → /);
  }, LONG_WAIT);
});

test('P1 killed, it is back under PM2', async () => {
  const before = await statusOfDemo();
  process.kill(before?.pid ?? 0, 'SIGKILL');
  await vi.waitFor(async () => {
    const after = await statusOfDemo();
    expect(after).toMatchObject({ state: 'serving', supervised: true });
    expect(after?.pid).not.toBe(before?.pid);
  }, LONG_WAIT);
});

test('pm2 logs shows its words, also without following', async () => {
  const { stdout } = await project.pm2(['logs', 'demo', '--nostream']);
  expect(stdout).toMatch(/demo.*listen/i);
});

test('P2 with a wrong configuration it ends with 78 and says where, once', async () => {
  await project.addInstance('bad', ['MAX_RETRIES=banana']);
  await project.pm2(['start', 'ecosystem.config.cjs', '--only', 'bad']);
  await vi.waitFor(async () => {
    const { stdout } = await project.pm2(['logs', 'bad', '--nostream']);
    expect(stdout.match(/bad\.env:4 {2}MAX_RETRIES/g)).toHaveLength(1);
  }, LONG_WAIT);
  expect((await project.status()).find(({ name }) => name === 'bad')?.state).toBe('failed');
});

test('P4 it outlives the PM2 daemon, also when it has something to say to it', async () => {
  const before = await statusOfDemo();
  process.kill(Number(await readFile(join(project.pm2Home, 'pm2.pid'), 'utf8')), 'SIGKILL');
  expect(await statusOfDemo()).toMatchObject({ state: 'unsupervised', pid: before?.pid });
  process.kill(before?.pid ?? 0, 'SIGTERM'); // which it announces on its stdout, where nobody listens
  await vi.waitFor(async () => expect((await statusOfDemo())?.state).toBe('not started'), LONG_WAIT);
  const { stdout } = await project.manage(['logs', 'demo']);
  expect(stdout).toMatch(/stopped/i);
  expect((await project.manage(['start', 'demo'])).code).toBe(0);
});

test('E1 status finds a running instance whose env file is broken or names another port, and says what to do', async () => {
  const file = join(project.root, 'envs', 'demo.env');
  const text = await readFile(file, 'utf8');
  const untilHint = (word: string) =>
    vi.waitFor(async () => {
      const demo = await statusOfDemo();
      expect(demo).toMatchObject({ state: 'serving', port, remark: expect.stringContaining(word) });
    }, LONG_WAIT);
  await writeFile(file, `${text}LOG_LEVEL=loud\n`);
  await untilHint('serving the old configuration; wrong is envs/demo.env:');
  await writeFile(file, text.replace(`PORT=${port}`, `PORT=${await freePort()}`));
  await untilHint('restart needed for PORT; do it with: ./manage reload demo');
  await writeFile(file, text);
  await vi.waitFor(async () => expect((await statusOfDemo())?.remark).toBeNull(), LONG_WAIT);
});

test('stop ends it and frees its port', async () => {
  expect((await project.manage(['stop', 'all'])).code).toBe(0);
  expect((await statusOfDemo())?.state).toBe('not started');
});
