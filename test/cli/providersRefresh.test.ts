import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hasPseudoTerminal, runInTerminal } from '../helpers/pseudoTerminal.ts';
import { createProject, type TemporaryProject } from './temporaryProject.ts';

let project: TemporaryProject;
let server: Server;
let address: string;
let answer: RequestListener;

const models = (input: number) => ({
  'kimi-k3': {
    limit: { context: 900_000, output: 1_000_000 },
    cost: { input, output: 5, cache_read: 0.1 },
    reasoning: false,
  },
  unknown: { limit: { context: 1 } },
});
const catalogue = (input = 1) =>
  JSON.stringify({ moonshotai: { api: 'https://elsewhere.example', models: models(input) } });
const serve =
  (text: string): RequestListener =>
  (_request, response) =>
    void response.end(text);
const keptFile = () => join(project.root, 'state', 'catalogue.json');
const kept = () => JSON.parse(readFileSync(keptFile(), 'utf8'));
const refresh = (...words: string[]) => project.manage(['providers', '--refresh', ...words]);
const k3 = async () => {
  const { stdout } = await project.manage(['providers', 'kimi', '--json']);
  return JSON.parse(stdout).providers[0].models.find(({ name }: { name: string }) => name === 'kimi-k3');
};

beforeAll(async () => {
  project = await createProject();
  execFileSync('mkfifo', [join(project.root, 'pipe')]);
  server = createServer((request, response) => answer(request, response)).listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api.json?token=secret-token`;
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await project.dispose();
});

beforeEach(() => {
  answer = serve(catalogue());
  rmSync(keptFile(), { force: true });
});

describe('./manage providers --refresh', () => {
  test('shows what differs, keeps it with --yes for the owner alone, and lists it', async () => {
    const today = new Date().toISOString().slice(0, 10);
    const before = await k3();
    expect(before).toMatchObject({ context_window: 1_048_576, source: 'preset' });
    const { code, stdout, stderr } = await refresh('--from', address, '--yes');
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('has 1 of the') });
    expect(stdout.split('\n').map((line) => line.split(/ +/).join(' '))).toEqual([
      'provider model field old new',
      'kimi kimi-k3 context_window 1,048,576 -> 900,000',
      'kimi kimi-k3 price.input 3 -> 1',
      'kimi kimi-k3 price.output 15 -> 5',
      'kimi kimi-k3 price.cacheRead 0.3 -> 0.1',
      '',
    ]);
    expect(kept()).toMatchObject({ schema: 1, source: address.split('?')[0], providers: { moonshotai: {} } });
    expect(JSON.stringify(kept())).not.toMatch(/secret-token|unknown|elsewhere/);
    expect(statSync(keptFile()).mode & 0o777).toBe(0o600);
    const { max_output, vision } = before;
    expect(await k3()).toEqual({
      name: 'kimi-k3',
      context_window: 900_000,
      max_output,
      vision,
      prices: { input: 1, output: 5, cacheRead: 0.1 },
      as_of: kept().date,
      source: 'catalogue',
    });
    // Midnight may have passed meanwhile.
    expect([today, new Date().toISOString().slice(0, 10)]).toContain(kept().date);
    const details = await project.manage(['providers', 'kimi']);
    expect(details.stdout).toMatch(/refreshed +\d{4}-\d\d-\d\d \((?:today|1 day ago)\), 1 of 6 models/);

    const again = await refresh('--from', address, '--yes');
    expect(again).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('Nothing differs') });
  });

  test('writes nothing without a terminal or --yes, nor as JSON', async () => {
    const plain = await refresh('--from', address);
    expect(plain).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
    expect(plain.stdout).toContain('kimi-k3');
    const shown = JSON.parse((await refresh('--from', address, '--json')).stdout);
    expect(shown).toMatchObject({ schema: 1, found: 1, skipped: [], written: false });
    expect(shown.changes[0]).toEqual({
      provider: 'kimi',
      model: 'kimi-k3',
      field: 'context_window',
      old: 1_048_576,
      new: 900_000,
    });
    expect(existsSync(keptFile())).toBe(false);
    expect(JSON.parse((await refresh('--from', address, '--json', '--yes')).stdout).written).toBe(true);
    expect(existsSync(keptFile())).toBe(true);
  });

  test('takes a file of its own day, and says whose facts are newer', async () => {
    const file = join(project.root, 'copy.json');
    writeFileSync(file, catalogue());
    utimesSync(file, new Date('2026-01-02T12:00Z'), new Date('2026-01-02T12:00Z'));
    const old = await refresh('--from', file, '--yes');
    expect(old).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringMatching(/not used for kimi, .* after 2026-01-02/),
    });
    expect(kept().date).toBe('2026-01-02');
    expect((await k3()).source).toBe('preset');
    const now = new Date();
    writeFileSync(file, `\ufeff${catalogue()}`);
    utimesSync(file, now, now);
    expect((await refresh('--from', 'copy.json', '--yes')).code).toBe(0);
    expect((await k3()).source).toBe('catalogue');
  });

  test.each<[string, RequestListener, RegExp]>([
    ['is missing', (_request, response) => void response.writeHead(404).end(), /answers with status 404/],
    ['is a page', serve('<html>'), /no JSON object/],
    ['knows no model', serve('{}'), /nothing about any model/],
    ['is very deep', serve('['.repeat(1_000_000)), /levels deep/],
    [
      'has no end',
      (request, response) => {
        const more = () => {
          while (response.write(Buffer.alloc(1 << 20, ' ')));
        };
        response.on('drain', more);
        request.socket.on('error', () => {});
        more();
      },
      /longer than 33554432 bytes/,
    ],
    ['breaks off', (_request, response) => void response.write('{', () => response.destroy()), /cannot be read/],
  ])('is a clear failure when the catalogue %s, and what was kept stays', async (_name, listener, message) => {
    expect((await refresh('--from', address, '--yes')).code).toBe(0);
    const before = readFileSync(keptFile(), 'utf8');
    answer = listener;
    const { code, stdout, stderr } = await refresh('--from', address, '--yes');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/secret-token|\n {4}at /);
    expect(readFileSync(keptFile(), 'utf8')).toBe(before);
  });

  test.each<[readonly string[], number, RegExp]>([
    [['--refresh', '--from', 'nowhere.json'], 1, /nowhere\.json cannot be read \(ENOENT\)/],
    [['--refresh', '--from', '.'], 1, /is no file/],
    [['--refresh', '--from', 'pipe'], 1, /is no file/],
    [['--refresh', '--from', '/dev/zero'], 1, /is no file/],
    [['--refresh', '--from', 'http://127.0.0.1:1/'], 1, /cannot be read: .*--from FILE/],
    [['--refresh', '--from', 'http://user:pass@127.0.0.1/'], 2, /without user and password/],
    [['kimi', '--refresh'], 2, /all providers at once/],
    [['--from', 'file'], 2, /belong to --refresh/],
    [['--yes'], 2, /belong to --refresh/],
  ])('providers %j ends with %i', async (words, code, message) => {
    const result = await project.manage(['providers', ...words]);
    expect(result).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) });
  });

  test('asks through the network proxy of the shell', async () => {
    const asked: (string | undefined)[] = [];
    answer = ({ url }, response) => {
      asked.push(url);
      response.end(catalogue());
    };
    const words = ['providers', '--refresh', '--yes', '--from', 'http://catalogue.invalid/api.json'];
    const { code, stderr } = await project.manage(words, { HTTP_PROXY: new URL(address).origin });
    expect({ code, asked }, stderr).toEqual({ code: 0, asked: ['http://catalogue.invalid/api.json'] });
  });

  test('a broken kept file is a warning, and the next refresh repairs it', async () => {
    mkdirSync(join(project.root, 'state'), { recursive: true });
    writeFileSync(keptFile(), '{"schema": 1');
    chmodSync(keptFile(), 0o600);
    const list = await project.manage(['providers']);
    expect(list).toMatchObject({ code: 0, stderr: expect.stringMatching(/catalogue {2}warning: found no catalogue/) });
    expect((await refresh('--from', address, '--yes')).code).toBe(0);
    expect((await project.manage(['providers'])).stderr).toBe('');
  });

  test.skipIf(!hasPseudoTerminal)('asks at a terminal', async () => {
    for (const [typed, exists] of [
      ['n', false],
      ['y', true],
    ] as const) {
      const terminal = runInTerminal(
        [process.execPath, join(project.root, 'scripts', 'manage.ts'), 'providers', '--refresh', '--from', address],
        { columns: 100, folder: project.root, environment: { HOME: project.root, PM2_HOME: project.pm2Home } },
      );
      await terminal.waitFor(/Use these from now on\? \[y\/N\] /);
      terminal.press(`${typed}\r`);
      await terminal.waitFor(exists ? /Kept in/ : /nothing was changed/);
      await terminal.stop();
      expect(existsSync(keptFile())).toBe(exists);
    }
  });
});
