import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { executablePath } from '../../src/host/workers.ts';
import { delta, frame, openEvents, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { writeProbeHook } from '../helpers/probeHook.ts';
import { type Binary, freePort, spawnBinary, startBinary } from '../helpers/startBinary.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';
import { ask, COUNT_TOKENS, expectLegal, question, wholeQuestion } from './client.ts';
import { KEY } from './stage.ts';

/** What ends or hinders a whole instance has one of its own, with all that stands between it and the machine (PERMISSION_MODEL). */

const ROOT = join(import.meta.dirname, '../..');
const EXECUTABLE = executablePath(ROOT);

function makeFolder(): string {
  const { path, remove } = temporaryFolder();
  onTestFinished(remove);
  return path;
}

const settingsFor = (url: string): Record<string, string> => ({
  PROVIDER: 'custom',
  OPENAI_BASE_URL: url,
  OPENAI_API_KEY: KEY,
  BIG_MODEL: 'model',
  SMALL_MODEL: 'model',
  MAX_RETRIES: '0',
  BREAKER_FAILURES: '1000',
});

async function start(settings: Record<string, string>, command?: readonly string[]): Promise<Binary> {
  const binary = await startBinary(settings, 'test', command);
  onTestFinished(() => binary.stop());
  return binary;
}

async function startProvider(behaviours: Parameters<typeof startFakeUpstream>[0]) {
  const upstream = await startFakeUpstream(behaviours);
  onTestFinished(() => upstream.close());
  return upstream;
}

/** Runs a shell command in front of the executable, in the same process. */
const inShell = (command: string) => ['/bin/sh', '-c', `${command} exec "$0" "$@"`, EXECUTABLE];

function canRun(program: string, ...words: string[]): boolean {
  try {
    execFileSync(program, words, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Ends as the processes of a machine do that is short of memory: without a word. */
async function kill({ process: child, exited }: Binary): Promise<void> {
  child.kill('SIGKILL');
  await exited;
}

test('P1 an instance that is killed under forty streams serves again, and what it has written can be read', async () => {
  const folder = makeFolder();
  const upstream = await startProvider({
    model: words('fine'),
    endless: (response) => {
      openEvents(response);
      const drip = setInterval(() => response.write(frame(delta({ content: 'on and on ' }))), 5);
      response.on('close', () => clearInterval(drip));
    },
  });
  const settings = {
    ...settingsFor(upstream.url),
    PORT: String(await freePort()),
    LOG_DIR: join(folder, 'logs'),
    STATE_DIR: join(folder, 'state'),
  };
  for (let round = 0; round < 3; round += 1) {
    const binary = await start(settings);
    expectLegal(await ask(binary.url, '', question('model')));
    const asked = Array.from({ length: 40 }, () => ask(binary.url, '', question('endless')));
    await expect.poll(() => upstream.requests.length, { timeout: 10_000 }).toBe(41 * (round + 1));
    await kill(binary);
    // Nobody takes what was cut for an answer.
    for (const { text } of await Promise.all(asked)) expect(text).not.toContain('message_stop');
  }
  const last = await start(settings);
  const answer = await ask(last.url, '', wholeQuestion('model'));
  expectLegal(answer);
  expect(answer.status).toBe(200);
  last.process.kill('SIGTERM');
  expect(await last.exited).toBe(0);
  const lines = readFileSync(join(folder, 'logs/test/test.log'), 'utf8').trimEnd().split('\n');
  for (const line of lines) expect(() => JSON.parse(line), line.slice(0, 200)).not.toThrow();
  const database = new DatabaseSync(join(folder, 'state/test.usage.sqlite'), { readOnly: true });
  expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  expect(
    database.prepare("SELECT count(*) AS count FROM requests WHERE outcome = 'ok'").get()?.['count'],
  ).toBeGreaterThan(0);
  database.close();
});

test.runIf(canRun('prlimit', '--version'))(
  'P13 an instance without descriptors refuses legally, and serves when there are some',
  async () => {
    const upstream = await startProvider({ '*': words('fine') });
    const binary = await start(settingsFor(upstream.url));
    const question = wholeQuestion('model');
    expect((await ask(binary.url, '', question)).status).toBe(200);
    const open = readdirSync(`/proc/${binary.process.pid}/fd`).length;
    execFileSync('prlimit', [`--pid=${binary.process.pid}`, `--nofile=${open + 12}:`]);
    const answers = await Promise.all(Array.from({ length: 60 }, () => ask(binary.url, '', question)));
    // Where no connection could be taken there is no answer; where one was, it is legal.
    for (const answer of answers.filter(({ status }) => status !== 0)) expectLegal(answer);
    expect(binary.process.exitCode).toBeNull();
    execFileSync('prlimit', [`--pid=${binary.process.pid}`, '--nofile=4096:']);
    await expect.poll(async () => (await ask(binary.url, '', question)).status, { timeout: 10_000 }).toBe(200);
  },
);

const CORE_PATTERN = '/proc/sys/kernel/core_pattern';
const writesCores = existsSync(CORE_PATTERN) && !/^[|/]/.test(readFileSync(CORE_PATTERN, 'utf8'));

test.runIf(writesCores)('P14 a core dump is not made, or holds no key', async () => {
  const binary = await start(settingsFor('http://127.0.0.1:9/v1'), inShell('ulimit -c unlimited;'));
  expectLegal(await ask(binary.url, '', wholeQuestion('model')));
  const { pid } = binary.process;
  const folders = [binary.folder, execFileSync('readlink', [`/proc/${pid}/cwd`], { encoding: 'utf8' }).trim()];
  binary.process.kill('SIGABRT');
  await binary.exited;
  // The folder of a process may be one below /proc, which ends with it.
  const cores = folders.filter(existsSync).flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name === 'core' || name === `core.${pid}`)
      .map((name) => join(folder, name)),
  );
  for (const core of cores) expect(readFileSync(core).includes(KEY), `${core} holds the key`).toBe(false);
});

const NO_NAMES = 'mount --bind "$PWD/hosts" /etc/hosts && mount --bind "$PWD/nsswitch" /etc/nsswitch.conf &&';

test.runIf(canRun('unshare', '--mount', 'true'))(
  'U21 a name that is known only now and then is an error only when it is not',
  async () => {
    // Without keep-alive each question looks the name up.
    const answer: RequestListener = (request, response) => {
      request.resume();
      response.setHeader('connection', 'close');
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ choices: [{ message: { content: 'fine' }, finish_reason: 'stop' }] }));
    };
    const server = createServer(answer).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const folder = makeFolder();
    const hosts = join(folder, 'hosts');
    writeFileSync(hosts, '');
    writeFileSync(join(folder, 'nsswitch'), 'hosts: files\n');
    const { port } = server.address() as AddressInfo;
    const binary = await start(settingsFor(`http://flapping.example:${port}/v1`), [
      'unshare',
      '--mount',
      ...['/bin/sh', '-c', `cd ${folder} && ${NO_NAMES} cd / && exec "$0" "$@"`, EXECUTABLE],
    ]);
    const asked = async () => {
      const got = await ask(binary.url, '', wholeQuestion('model'));
      expectLegal(got);
      return got.status;
    };
    for (let round = 0; round < 5; round += 1) {
      writeFileSync(hosts, '');
      await expect.poll(asked, { timeout: 10_000 }).toBe(529);
      writeFileSync(hosts, '127.0.0.1 flapping.example\n');
      await expect.poll(asked, { timeout: 10_000 }).toBe(200);
    }
  },
);

test('a link in place of a log leaves the file that it leads to as it is', async () => {
  const folder = makeFolder();
  mkdirSync(join(folder, 'logs/test'), { recursive: true });
  const foreign = join(folder, 'foreign');
  writeFileSync(foreign, 'a line\nand half a line');
  for (const name of ['test.log', 'test-20261120-085400-001.log'])
    symlinkSync(foreign, join(folder, 'logs/test', name));
  const upstream = await startProvider({ '*': words('fine') });
  const binary = await start({ ...settingsFor(upstream.url), LOG_DIR: join(folder, 'logs') });
  expectLegal(await ask(binary.url, '', wholeQuestion('model')));
  binary.process.kill('SIGTERM');
  await binary.exited;
  expect(readFileSync(foreign, 'utf8')).toBe('a line\nand half a line');
});

test('a star in the name of a folder opens no other folder', async () => {
  const folder = makeFolder();
  mkdirSync(join(folder, 'work*'));
  const secret = join(folder, 'work-of-others');
  writeFileSync(secret, 'not for you');
  const upstream = await startProvider({ '*': words('fine') });
  const binary = await spawnBinary({
    ...settingsFor(upstream.url),
    LOG_DIR: join(folder, 'work*/logs'),
    STATE_DIR: join(folder, 'work*/state'),
    HOOKS_FILE: writeProbeHook(join(folder, 'hooks'), [['read', secret]]),
  });
  onTestFinished(() => binary.stop());
  const listens = expect.poll(() => binary.output(), { timeout: 10_000 }).toContain('listening on');
  const refused = await Promise.race([binary.exited, listens.then(() => undefined)]);
  if (refused !== undefined) return expect(refused).toBe(78);
  const { text } = await ask(binary.url, '', wholeQuestion('model'));
  expect(text).toContain('ERR_ACCESS_DENIED');
});

/** What the kernel says of a process, in MiB: `VmRSS` is its resident memory, `VmHWM` the most that this was. */
function memoryOf({ process: { pid } }: Binary, name: 'VmRSS' | 'VmHWM'): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1]) / 1024;
}

test.runIf(existsSync('/proc/self/status'))(
  'P12 fifty bodies of 60 MB in 60 kB are not decoded at once, and what they took is given back',
  async () => {
    const binary = await start(settingsFor('http://127.0.0.1:9/v1'));
    const before = memoryOf(binary, 'VmRSS');
    const text = `{"model":"model","messages":[{"role":"user","content":"${'a'.repeat(60_000_000)}"}]}`;
    const body = gzipSync(text);
    const packed = { path: COUNT_TOKENS, headers: { 'content-encoding': 'gzip' }, body };
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(binary.url, '', packed)));
    for (const answer of answers) expectLegal(answer);
    const count = (wanted: number) => answers.filter(({ status }) => status === wanted).length;
    // One field of a body may not be so large, which is found when it has been decoded.
    expect(count(413)).toBeGreaterThan(0);
    expect(count(529)).toBe(50 - count(413));
    const peak = memoryOf(binary, 'VmHWM');
    const left = () => memoryOf(binary, 'VmRSS');
    await expect.poll(left, { timeout: 20_000, interval: 500 }).toBeLessThan(before + 100);
    console.log(
      `resident: ${Math.round(before)} MiB, at most ${Math.round(peak)}, ${Math.round(left())} when all was over`,
    );
    expect(peak).toBeLessThan(800);
  },
);
