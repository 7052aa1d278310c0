import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { delta, frame, openEvents, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { canMount, mountFolder } from '../helpers/logFolder.ts';
import { call, message } from '../helpers/startApp.ts';
import { type Binary, startBinary } from '../helpers/startBinary.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';
import { waitUntil } from '../helpers/waitUntil.ts';

const REQUESTS = 60;

/** Ends the streams of the model `open`. */
const held: (() => void)[] = [];

/** Begins streams; the returned function ends them, and fails where one has not come whole. */
async function openStreams({ url }: Binary, count: number): Promise<() => Promise<void>> {
  const answers = Array.from({ length: count }, () => call(`${url}/v1/messages`, message('open', { stream: true })));
  await waitUntil('all streams are open', async () => held.length === count);
  return async () => {
    for (const end of held.splice(0)) end();
    for (const { text } of await Promise.all(answers)) expect(text).toMatch(/it goes.* on.*event: message_stop/s);
  };
}

/** An instance that writes its logs and its usage into the folder. */
async function startIn(folder: string): Promise<Binary> {
  const upstream = await startFakeUpstream({
    '*': words('fine'),
    open: (response) => {
      openEvents(response);
      response.write(frame(delta({ content: 'it goes' })));
      held.push(() => response.end(`${frame(delta({ content: ' on' }, 'stop'))}data: [DONE]\n\n`));
    },
  });
  const binary = await startBinary({
    OPENAI_BASE_URL: upstream.url,
    OPENAI_API_KEY: 'key-of-the-provider',
    BIG_MODEL: 'x',
    SMALL_MODEL: 'x',
    LOG_DIR: join(folder, 'logs'),
    STATE_DIR: join(folder, 'state'),
  });
  onTestFinished(async () => {
    await binary.stop();
    await upstream.close();
  });
  return binary;
}

async function askMany({ url }: Binary): Promise<void> {
  const answers = await Promise.all(
    Array.from({ length: REQUESTS }, (_, index) =>
      call(`${url}/v1/messages`, message('x', { stream: index % 2 === 0 })),
    ),
  );
  expect(answers.filter(({ status, text }) => status !== 200 || !text.includes('fine'))).toEqual([]);
}

const logOf = async ({ url }: Binary) => JSON.parse((await call(`${url}/health`)).text).log;

async function untilHealthy(binary: Binary, isHealthy: boolean): Promise<void> {
  await waitUntil(
    `the log is ${isHealthy ? 'well' : 'in trouble'}`,
    async () => (await logOf(binary)).healthy === isHealthy,
  );
}

/** Requests are served as if nothing was, the loss is counted, and logging comes back by itself. */
async function expectOutlived(binary: Binary, path: string, repair: () => void | Promise<void>): Promise<void> {
  await askMany(binary);
  await untilHealthy(binary, false);
  await askMany(binary);
  const { dropped } = await logOf(binary);
  expect(dropped).toBeGreaterThanOrEqual(REQUESTS);
  await repair();
  await untilHealthy(binary, true);
  await askMany(binary);
  binary.process.kill('SIGTERM');
  expect(await binary.exited).toBe(0);
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(events.find(({ event }) => event === 'log_recovered')?.['dropped']).toBeGreaterThanOrEqual(dropped);
  expect(events.filter(({ event }) => event === 'request').length).toBeGreaterThanOrEqual(REQUESTS);
}

test('G1 a log for which the disk has no room costs no request, and comes back with the room', {
  timeout: 90_000,
}, async () => {
  const { path: folder, remove } = temporaryFolder();
  onTestFinished(remove);
  const log = join(folder, 'logs/test/test.log');
  mkdirSync(join(folder, 'logs/test'), { recursive: true });
  symlinkSync('/dev/full', log);
  await expectOutlived(await startIn(folder), log, () => rmSync(log));
});

test('G2 a log folder in whose place stands a file costs no request, and comes back with the folder', {
  timeout: 90_000,
}, async () => {
  const { path: folder, remove } = temporaryFolder();
  onTestFinished(remove);
  writeFileSync(join(folder, 'logs'), 'not a folder');
  const binary = await startIn(folder);
  await expectOutlived(binary, join(folder, 'logs/test/test.log'), () => rmSync(join(folder, 'logs')));
});

test('G2 a log folder that is moved away while the instance runs costs neither a request nor a line', async () => {
  const { path: folder, remove } = temporaryFolder();
  onTestFinished(remove);
  const binary = await startIn(folder);
  await askMany(binary);
  renameSync(join(folder, 'logs'), join(folder, 'moved'));
  await askMany(binary);
  binary.process.kill('SIGTERM');
  expect(await binary.exited).toBe(0);
  const written = ['moved', 'logs'].map((name) => readFileSync(join(folder, name, 'test/test.log'), 'utf8')).join('');
  // What was on its way to the old file when it went may stand in both.
  const ids = written
    .split('\n')
    .filter((line) => line.includes('"event":"request"'))
    .map((line) => JSON.parse(line).id);
  expect(new Set(ids).size).toBe(2 * REQUESTS);
});

test.runIf(canMount)(
  'G1 a file system of 256 kB that is full costs no request and no open stream, and everything comes back',
  { timeout: 90_000 },
  async () => {
    const folder = mountFolder('256k');
    const binary = await startIn(folder);
    const endStreams = await openStreams(binary, 10);
    const filler = join(folder, 'filler');
    for (let size = 64 * 1024; size >= 1; size /= 2) {
      try {
        for (;;) writeFileSync(filler, Buffer.alloc(size), { flag: 'a' });
      } catch {
        // Full for this size: try a smaller one.
      }
    }
    await expectOutlived(binary, join(folder, 'logs/test/test.log'), async () => {
      await endStreams();
      rmSync(filler);
    });
  },
);
