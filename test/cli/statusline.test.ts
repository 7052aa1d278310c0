import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { dirname, join, relative, resolve } from 'node:path';
import * as sqlite from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { localDay } from '../../src/core/clock.ts';
import { shortHash } from '../../src/telemetry/requestRecord.ts';
import { UsageFile } from '../../src/telemetry/usage/file.ts';
import { sampleRow } from '../helpers/usageRow.ts';
import { createProject, run, type TemporaryProject } from './temporaryProject.ts';

const SESSION = '262112a0-8142-43c0-a37f-ac2ca3b0a977';
const TODAY = localDay(Date.now());

let project: TemporaryProject;
let port: number;
let server: Server;
/** The command of the settings that `run` makes. */
let command: string;

const input = (session: string) =>
  JSON.stringify({ session_id: session, model: { id: 'x' }, cost: { total_cost_usd: 9 } });
const statusLine = (stdin: string, environment: Record<string, string> = {}) =>
  run('sh', ['-c', command], '/', { PATH: process.env['PATH'] ?? '', NO_COLOR: '1', ...environment }, stdin);

beforeAll(async () => {
  project = await createProject();
  port = await project.addInstance('one');
  const claude = resolve(import.meta.dirname, 'fakeClaude.mjs');
  const { stdout } = await project.manage(['run', 'one'], { CLAUDE_BIN: claude });
  command = JSON.parse(stdout).settings.statusLine.command;
  await project.manage(['stop', 'one']);
  server = createServer((socket) => socket.on('error', () => {})).listen(port, '127.0.0.1');
});
afterAll(async () => {
  server.close();
  await project.dispose();
});

describe('the status line as Claude Code runs it', () => {
  test('before anything was used', async () => {
    expect(await statusLine(input(SESSION))).toEqual({ code: 0, stdout: 'one\n', stderr: '' });
  });

  test('shows instance, model that answered, tokens and cost of the session, and the day’s cost', async () => {
    const file = new UsageFile(sqlite, join(project.root, 'state', 'one.usage.sqlite'));
    const session = shortHash(SESSION);
    const row = { day: TODAY, session, used_model: 'real-model', cost: 0.125, agent: 0 as const };
    const tokens = { input_tokens: 500, cache_read_tokens: 9500, cache_write_tokens: 0, output_tokens: 1234 };
    file.write([
      sampleRow({ ...row, ...tokens }),
      sampleRow({ ...row, ...tokens, day: '2020-01-01' }),
      sampleRow({ ...row, ...tokens, agent: 1, used_model: 'small-model', cost: null }),
      sampleRow({ ...row, ...tokens, session: 'another', used_model: 'another-model', cost: 2 }),
    ]);
    file.close();
    expect((await statusLine(input(SESSION))).stdout).toBe(
      'one · real-model · $0.25+? · today $2.13+? · 30.0k in (95% cached), 3.7k out\n',
    );
    expect((await statusLine(input('of-somebody-else'))).stdout).toBe('one · today $2.13+?\n');
  });

  test.each([
    ['of a window of 100,000', 6990, 'one · ctx 7%'],
    ['that nearly fills it, in yellow', 75_000, 'one · \u001b[33mctx 75%\u001b[39m'],
    ['that fills it, in red', 99_000, 'one · \u001b[31mctx 99%\u001b[39m'],
    ['that is more than it, as no share is more than all', 250_000, 'one · \u001b[31mctx 100%\u001b[39m'],
  ])('shows the share of a conversation %s', async (_what, tokens, expected) => {
    const usage = { input_tokens: tokens - 5, cache_creation_input_tokens: 2, cache_read_input_tokens: 3 };
    const stdin = JSON.stringify({
      session_id: 'x',
      context_window: { current_usage: usage, context_window_size: 1e6 },
    });
    const { stdout } = await statusLine(stdin, { CLAUDE_CODE_AUTO_COMPACT_WINDOW: '100000', NO_COLOR: '' });
    expect(stdout).toBe(`${expected} · today $2.13+?\n`);
    expect((await statusLine(stdin)).stdout).toBe('one · today $2.13+?\n');
  });

  test.each([
    ['nothing on stdin', ''],
    ['no JSON', 'hello'],
    ['a number for the session', '{"session_id":5}'],
  ])('%s is no failure', async (_what, stdin) => {
    expect(await statusLine(stdin)).toEqual({ code: 0, stdout: 'one · today $2.13+?\n', stderr: '' });
  });

  test('./manage statusline is the same, by name or by the address of the client', async () => {
    for (const words of [['statusline', 'one'], ['statusline']]) {
      const environment = { ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}/` };
      const { code, stdout } = await project.manage(words, environment, input(SESSION));
      expect([code, stdout]).toEqual([0, expect.stringContaining('one · real-model · $0.25+?')]);
    }
    const elsewhere = await project.manage(['statusline'], { ANTHROPIC_BASE_URL: 'https://api.anthropic.com' });
    expect([elsewhere.code, elsewhere.stdout]).toEqual([0, 'not through this proxy\n']);
  });

  test('an instance that is down: how to start it, and what was used', async () => {
    await new Promise((closed) => server.close(closed));
    const { code, stdout } = await statusLine(input(SESSION));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^one is down: \S+\/manage start one · real-model · \$0\.25/);
  });

  test('a usage file that is broken is no failure', async () => {
    mkdirSync(join(project.root, 'state'), { recursive: true });
    writeFileSync(join(project.root, 'state', 'one.usage.sqlite'), 'no database '.repeat(100));
    expect(await statusLine(input(SESSION))).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^one is down: [~/]\S*\/manage start one\n$/),
      stderr: '',
    });
  });
});

test('it is quick because it loads nothing but a handful of small files of ours', () => {
  const root = resolve(import.meta.dirname, '../..');
  const seen = new Set<string>();
  const foreign: string[] = [];
  const visit = (path: string) => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const [, specifier = ''] of readFileSync(path, 'utf8').matchAll(/^import (?!type)[^;]*?'([^']+)';/gm)) {
      if (specifier.startsWith('.')) visit(resolve(dirname(path), specifier));
      else foreign.push(specifier);
    }
  };
  visit(join(root, 'src/cli/statusline/statusLine.ts'));
  expect(
    foreign.filter(
      (name) => !['node:fs', 'node:net', 'node:tty', 'node:util', 'node:sqlite', 'node:crypto'].includes(name),
    ),
  ).toEqual([]);
  expect([...seen].map((path) => relative(root, path)).length).toBeLessThan(12);
});
