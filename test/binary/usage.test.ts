import { closeSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { canMount, mountFolder } from '../helpers/logFolder.ts';
import { call, message, type Settings } from '../helpers/startApp.ts';
import { type Binary, startBinary } from '../helpers/startBinary.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';
import { waitUntil } from '../helpers/waitUntil.ts';

let state: ReturnType<typeof temporaryFolder>;

beforeEach(() => {
  state = temporaryFolder();
});
afterEach(() => {
  state.remove();
});

async function start(settings: Settings = {}): Promise<Binary> {
  const binary = await startBinary({ PROVIDER: 'demo', STATE_DIR: state.path, ...settings });
  onTestFinished(() => binary.stop());
  return binary;
}

const ask = async (binary: Binary) => (await call(`${binary.url}/v1/messages`, message('claude-opus-5'))).status;
const usageOf = async (binary: Binary) => JSON.parse((await call(`${binary.url}/health`)).text).usage;
const written = (binary: Binary, rows: number) =>
  waitUntil(`${rows} rows are written`, async () => (await usageOf(binary)).written === rows);

/** The rows, read while the instance runs or after it. */
function readRows(): Record<string, unknown>[] {
  const database = new DatabaseSync(join(state.path, 'test.usage.sqlite'), { readOnly: true });
  const rows = database.prepare('SELECT * FROM requests').all();
  database.close();
  return rows.map((row) => ({ ...row }));
}

test('usage survives kill -9, and the next start goes on with it', async () => {
  const first = await start();
  for (let request = 0; request < 3; request += 1) expect(await ask(first)).toBe(200);
  await written(first, 3);
  expect(readRows()).toHaveLength(3);
  first.process.kill('SIGKILL');
  await first.exited;

  const second = await start();
  expect(await ask(second)).toBe(200);
  const days = async () => JSON.parse((await call(`${second.url}/v1/stats`)).text).days;
  await waitUntil('the day has the requests of both', async () => (await days())[0]?.requests === 4);
  second.process.kill('SIGTERM');
  expect(await second.exited).toBe(0);
  expect(readdirSync(state.path).filter((name) => name.includes('usage'))).toEqual(['test.usage.sqlite']);
  expect(readRows()).toEqual(
    Array.from({ length: 4 }, () =>
      expect.objectContaining({ provider: 'demo', key: 'none', outcome: 'ok', status: 200, cost: 0 }),
    ),
  );
});

test('a stop right after a request writes its row', async () => {
  const binary = await start();
  await ask(binary);
  binary.process.kill('SIGTERM');
  expect(await binary.exited).toBe(0);
  expect(readRows()).toHaveLength(1);
});

test('a broken file is moved aside with one warning, and usage is kept in a new one', async () => {
  const first = await start();
  await ask(first);
  await written(first, 1);
  first.process.kill('SIGTERM');
  await first.exited;
  writeFileSync(join(state.path, 'test.usage.sqlite'), 'no database '.repeat(1000));

  const second = await start();
  expect(await ask(second)).toBe(200);
  await written(second, 1);
  expect(readRows()).toHaveLength(1);
  expect(readdirSync(state.path).filter((name) => name.includes('.broken-'))).toHaveLength(1);
  expect(second.output().match(/the usage file was broken/g)).toHaveLength(1);
});

const reason = canMount ? '' : ' (SKIPPED: this machine does not allow mounting a tmpfs)';

test.skipIf(!canMount)(
  `a full disk costs rows, which are counted, and no request${reason}`,
  async () => {
    const folder = mountFolder('512k');
    const filler = join(folder, 'filler');
    const binary = await start({ STATE_DIR: folder });
    await ask(binary);
    await written(binary, 1);
    fill(filler);

    const statuses = new Set<number>();
    const flood = async () => {
      for (let request = 0; request < 220; request += 1) statuses.add(await ask(binary));
    };
    await Promise.all([flood(), flood(), flood(), flood(), flood()]);
    expect([...statuses]).toEqual([200]);
    const full = await usageOf(binary);
    expect(full).toMatchObject({ healthy: false, last_error: expect.stringMatching(/full|disk I\/O/) });
    expect(full.dropped).toBeGreaterThan(0);
    expect(binary.output().match(/usage cannot be written/g)).toHaveLength(1);

    rmSync(filler);
    await waitUntil('rows are written again', async () => (await usageOf(binary)).healthy);
    const { dropped } = await usageOf(binary);
    await written(binary, 1101 - dropped);
  },
  120_000,
);

/** Fills the file system to the last byte. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  for (let size = 65_536; size >= 1; ) {
    try {
      if (writeSync(file, Buffer.alloc(size)) < size) size /= 2;
    } catch {
      size /= 2;
    }
  }
  closeSync(file);
}
