import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createProject, type TemporaryProject } from './temporaryProject.ts';

const MINUTE_MS = 60_000;

let project: TemporaryProject;
const folder = (name: string) => join(project.root, 'logs', name);
const active = (name: string) => join(folder(name), `${name}.log`);

/** A line of a log, so many minutes old. */
function line(instance: string, minutesAgo: number, text: string, fields: Record<string, unknown> = {}): string {
  const time = new Date(Date.now() - minutesAgo * MINUTE_MS).toISOString();
  return `${JSON.stringify({ time, level: 'info', instance, message: text, ...fields })}\n`;
}

beforeAll(async () => {
  project = await createProject();
  for (const name of ['kimi', 'glm', 'fresh']) await project.addInstance(name);
  for (const name of ['kimi', 'glm']) mkdirSync(folder(name), { recursive: true });
  const old = [line('kimi', 300, 'oldest'), line('kimi', 290, 'old', { level: 'warn' })].join('');
  writeFileSync(join(folder('kimi'), 'kimi-20261120-085400-001.log.gz'), gzipSync(old));
  writeFileSync(join(folder('kimi'), 'kimi-20261120-095400-001.log'), line('kimi', 100, 'rotated'));
  writeFileSync(active('kimi'), line('kimi', 20, 'late') + line('kimi', 10, 'latest \u001b[2J'));
  writeFileSync(active('glm'), line('glm', 150, 'between') + line('glm', 15, 'refused', { outcome: 'rejected' }));
});
afterAll(() => project.dispose());

async function logs(...words: string[]) {
  const { code, stdout, stderr } = await project.manage(['logs', ...words]);
  return { code, stderr, lines: stdout.split('\n').slice(0, -1) };
}

const messages = (lines: readonly string[]) =>
  lines.map((text) => text.replace(/^.*info |^.*warn /, '').replace(/ \w+=.*/, ''));

test('all instances in the order of time, rotated and compressed files included', async () => {
  const { code, lines } = await logs('all');
  expect(messages(lines)).toEqual(['oldest', 'old', 'between', 'rotated', 'late', 'refused', 'latest \\x1b[2J']);
  expect(lines[0]).toMatch(/^kimi {3}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}info oldest$/);
  expect(lines[2]).toMatch(/^glm {4}\d{4}/);
  expect(code).toBe(0);
});

test.each([
  [
    ['kimi', '-n', '2'],
    ['late', 'latest \\x1b[2J'],
  ],
  [
    ['all', '--since', '2h'],
    ['rotated', 'late', 'refused', 'latest \\x1b[2J'],
  ],
  [['all', '--since', '2h', '-n', '1'], ['latest \\x1b[2J']],
  [
    ['kimi', '--since', '1d'],
    ['oldest', 'old', 'rotated', 'late', 'latest \\x1b[2J'],
  ],
  [
    ['all', '--errors'],
    ['old', 'refused'],
  ],
  [['all', '--errors', '--since', '1h'], ['refused']],
])('%j', async (words, expected) => {
  expect(messages((await logs(...words)).lines)).toEqual(expected);
});

test('--id: the request of an error message, wherever it is, by our id or the provider’s', async () => {
  const fields = {
    event: 'request',
    id: 'req_wanted',
    upstream_request_id: 'up_wanted',
    outcome: 'error',
    status: 529,
  };
  const path = join(folder('fresh'), 'fresh-20261120-085400-001.log.gz');
  mkdirSync(folder('fresh'), { recursive: true });
  writeFileSync(
    path,
    gzipSync(line('fresh', 300, 'x', { ...fields, id: 'req_other' }) + line('fresh', 299, 'x', fields)),
  );
  onTestFinished(() => rmSync(path));
  expect((await logs('--id', 'req_wanted')).lines).toEqual([expect.stringMatching(/^fresh .* ✗ .*req_wanted$/)]);
  expect((await logs('all', '--id', 'up_wanted')).lines).toHaveLength(2);
  expect(await logs('--id', 'req_nobody')).toEqual({ code: 0, lines: [], stderr: 'No such lines.\n' });
});

test('--json: each line a record, as it is stored', async () => {
  const { lines } = await logs('all', '--json');
  expect(lines.map((text) => JSON.parse(text).instance)).toEqual([
    'kimi',
    'kimi',
    'glm',
    'kimi',
    'kimi',
    'glm',
    'kimi',
  ]);
});

test('nothing is no fault, a wrong time is a wrong use', async () => {
  expect(await logs('fresh')).toEqual({ code: 0, lines: [], stderr: 'Nothing is logged yet.\n' });
  expect(await logs('kimi', '--since', '1m')).toEqual({ code: 0, lines: [], stderr: 'No such lines.\n' });
  const wrong = await logs('kimi', '--since', 'yesterday');
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('--since takes a span like 30m')]);
});

test('the colours of instances differ on a terminal', async () => {
  const { stdout } = await project.manage(['logs', 'all'], { FORCE_COLOR: '1' });
  const colourOf = (name: string) => new RegExp(`^(\\S+?)${name}`, 'm').exec(stdout)?.[1];
  expect(colourOf('kimi')).not.toBe(colourOf('glm'));
  expect(stripVTControlCharacters(stdout)).toContain('kimi  ');
  expect((await project.manage(['logs', 'all', '--no-color'], { FORCE_COLOR: '1' })).stdout).not.toContain('\u001b');
});

/** Runs a command line in a shell, as a user would. */
function shell(command: string) {
  const child = spawn('sh', ['-c', command], {
    cwd: project.root,
    env: { PATH: process.env['PATH'], PM2_HOME: project.pm2Home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

test('a reader that leaves early, as head does, ends it without a word', async () => {
  mkdirSync(folder('fresh'), { recursive: true });
  onTestFinished(() => writeFileSync(active('fresh'), ''));
  writeFileSync(
    active('fresh'),
    Array.from({ length: 20_000 }, (_line, index) => line('fresh', 5, `line ${index}`)).join(''),
  );
  const command = `"${process.execPath}" scripts/manage.ts logs fresh --since 1h`;
  const child = shell(`{ ${command}; echo "status $?" >&2; } | head -n 3`);
  let said = '';
  child.stderr.on('data', (bytes) => {
    said += bytes;
  });
  let shown = '';
  child.stdout.on('data', (bytes) => {
    shown += bytes;
  });
  await once(child, 'close');
  expect([messages(shown.trim().split('\n')), said]).toEqual([['line 0', 'line 1', 'line 2'], 'status 0\n']);
}, 60_000);

test('-f shows what comes, across rotations, and Ctrl-C ends it at once', async () => {
  const child = spawn(process.execPath, ['scripts/manage.ts', 'logs', 'all', '-f', '-n', '1', '--json'], {
    cwd: project.root,
    env: { PATH: process.env['PATH'], PM2_HOME: project.pm2Home },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async () => JSON.parse((await lines.next()).value ?? '{}').message;
  expect(await next()).toBe('latest \u001b[2J');

  appendFileSync(active('glm'), line('glm', 0, 'first'));
  expect(await next()).toBe('first');
  appendFileSync(active('kimi'), line('kimi', 0, 'before'));
  renameSync(active('kimi'), join(folder('kimi'), 'kimi-20261120-105400-001.log'));
  writeFileSync(active('kimi'), line('kimi', 0, 'after'));
  expect(await next()).toBe('before');
  expect(await next()).toBe('after');

  const ended = once(child, 'close');
  child.kill('SIGINT');
  expect((await ended)[1]).toBe('SIGINT');
});
