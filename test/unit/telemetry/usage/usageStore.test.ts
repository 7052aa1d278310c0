import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as sqlite from 'node:sqlite';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { Logger } from '../../../../src/telemetry/logger.ts';
import { readRowsAfter, UsageFile, usageFilePath } from '../../../../src/telemetry/usage/file.ts';
import { UsageStore } from '../../../../src/telemetry/usage/store.ts';
import type { UsageRow } from '../../../../src/telemetry/usage/totals.ts';
import { temporaryFolder } from '../../../helpers/temporaryFolder.ts';
import { sampleRow } from '../../../helpers/usageRow.ts';

const NOON = new Date(2026, 10, 20, 12).getTime();

beforeEach(() => {
  vi.useFakeTimers({ now: NOON });
});
afterEach(() => {
  vi.useRealTimers();
});

function createStage() {
  const { path: folder, remove } = temporaryFolder();
  const path = usageFilePath(`${folder}/state`, 'test');
  const said: string[] = [];
  const say: Logger['warn'] = (message) => said.push(message);
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const open = async (retentionDays = 0) => {
    const store = new UsageStore({ path, retentionDays, clock, logger: { info: say, warn: say } });
    onTestFinished(() => store.close());
    const { days: sums, clients } = await store.start(7);
    return { store, sums, clients };
  };
  onTestFinished(remove);
  const query = (statement: string) => {
    const database = new sqlite.DatabaseSync(path);
    const rows = database.prepare(statement).all();
    database.close();
    return rows;
  };
  const count = () => query('SELECT count(*) AS count FROM requests')[0]?.['count'];
  return { path, said, open, query, count };
}

test('rows wait for a second and are written together, in a file that is nobody else’s', async () => {
  const { path, open, query, count } = createStage();
  const { store } = await open();
  store.add(sampleRow({ id: 'req_1', cost: null }));
  store.add(sampleRow({ id: 'req_2', used_model: null }));
  expect(count()).toBe(0);
  await vi.advanceTimersByTimeAsync(1000);
  expect(query('SELECT * FROM requests').map((row) => ({ ...row }))).toEqual([
    sampleRow({ id: 'req_1', cost: null }),
    sampleRow({ id: 'req_2', used_model: null }),
  ]);
  expect(store.status()).toEqual({ written: 2, dropped: 0, healthy: true, lastError: undefined });
  expect(statSync(path).mode & 0o077).toBe(0);
});

test('a batch is written wholly or not at all, and the next one can be written', async () => {
  const { path, open, count } = createStage();
  (await open()).store.close();
  const file = new UsageFile(sqlite, path);
  onTestFinished(() => file.close());
  const failing = {
    ...sampleRow(),
    get id(): string {
      throw new Error('disk full');
    },
  };
  expect(() => file.write([sampleRow(), failing])).toThrow('disk full');
  file.write([sampleRow()]);
  expect(count()).toBe(1);
});

test.each([{ status: 0.5 }, { input_tokens: 1e308 }, { duration_ms: Number.NaN }, { endpoint: undefined }])(
  'a row that does not fit (%j) is dropped alone and counted; what comes before and after it is written',
  async (fields) => {
    const { open, query, said } = createStage();
    const { store } = await open();
    const wrong = { ...sampleRow({ id: 'wrong' }), ...fields } as unknown as UsageRow;
    for (const row of [sampleRow({ id: 'before' }), wrong, sampleRow({ id: 'after' })]) store.add(row);
    await vi.advanceTimersByTimeAsync(1000);
    expect(query('SELECT id FROM requests').map(({ id }) => id)).toEqual(['before', 'after']);
    expect(store.status()).toEqual({ written: 2, dropped: 1, healthy: true, lastError: undefined });
    expect(said).toEqual([]);
  },
);

test('many rows do not wait for the second', async () => {
  const { open } = createStage();
  const { store } = await open();
  for (let index = 0; index < 450; index += 1) store.add(sampleRow());
  await vi.advanceTimersByTimeAsync(10);
  expect(store.status().written).toBe(450);
});

test('a regular end writes what waits, and the next start goes on and reports the days', async () => {
  const { open, count } = createStage();
  const { store, sums } = await open();
  expect(sums).toEqual([]);
  store.add(sampleRow());
  store.add(sampleRow({ day: '2026-11-13' }));
  store.add(sampleRow({ day: '2026-11-14', cost: null, outcome: 'error' }));
  store.close();
  expect(count()).toBe(3);
  const again = await open();
  expect(again.sums).toEqual([
    expect.objectContaining({ group: '2026-11-14', requests: 1, failed: 1, cost: 0, unpriced: 1 }),
    expect.objectContaining({ group: '2026-11-20', requests: 1, failed: 0, cost: 0.5, unpriced: 0, cacheRead: 1000 }),
  ]);
});

test('the next start knows what each client has used today and in this month', async () => {
  const { open } = createStage();
  const { store } = await open();
  store.add(sampleRow({ client: 'alice', cost: 0.5, search_cost: 0.25 }));
  store.add(sampleRow({ client: 'alice', day: '2026-11-01', cost: 2 }));
  store.add(sampleRow({ client: 'alice', day: '2026-10-31', cost: 4 }));
  store.add(sampleRow({ client: 'bob', day: '2026-11-19', cost: null }));
  store.add(sampleRow());
  store.close();
  const { clients } = await open();
  expect(clients.map((sum) => ({ ...sum }))).toEqual([
    { client: 'alice', tokens: 1110, cost: 2.75 },
    { client: 'bob', tokens: 0, cost: 0 },
  ]);
});

test('rows older than the retention are removed at the start and every hour; 0 keeps them', async () => {
  const { open, count } = createStage();
  const { store } = await open();
  store.add(sampleRow({ day: '2026-11-10' }));
  store.add(sampleRow({ day: '2026-11-11' }));
  store.add(sampleRow({ day: '2026-11-12' }));
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(count()).toBe(3);
  store.close();
  const { store: sweeping } = await open(10);
  expect(count()).toBe(2);
  await vi.advanceTimersByTimeAsync(12 * 3_600_000);
  expect(count()).toBe(1);
  sweeping.close();
});

test('very many old rows are removed in steps', async () => {
  const { open, query, count } = createStage();
  const { store } = await open();
  store.add(sampleRow({ day: '2020-01-01' }));
  store.close();
  query(
    `INSERT INTO requests SELECT r.* FROM requests r, (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4999) SELECT i FROM n)`,
  );
  expect(count()).toBe(5000);
  await open(30);
  expect(count()).toBe(3000);
  await vi.advanceTimersByTimeAsync(2000);
  expect(count()).toBe(0);
});

test('a broken file is moved aside with one warning, and a new one is begun', async () => {
  const { path, said, open, count } = createStage();
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, 'this is no database, and never was one. '.repeat(100));
  const { store } = await open();
  store.add(sampleRow());
  await vi.advanceTimersByTimeAsync(5000);
  expect(count()).toBe(1);
  expect(said).toEqual(['the usage file was broken; a new one is begun', 'usage is written again']);
  const broken = readdirSync(dirname(path)).filter((name) => name.includes('.broken-'));
  expect(broken).toEqual([expect.stringMatching(/^test\.usage\.sqlite\.broken-[\d-]+T[\d-]+Z$/)]);
  expect(readFileSync(`${dirname(path)}/${broken[0]}`, 'utf8')).toContain('this is no database');
});

test('a file that is locked costs no rows: they are written when the lock is gone', async () => {
  const { path, said, open, count } = createStage();
  const { store } = await open();
  const other = new sqlite.DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  store.add(sampleRow());
  await vi.advanceTimersByTimeAsync(1500);
  expect(store.status()).toMatchObject({ written: 0, dropped: 0, healthy: false, lastError: 'database is locked' });
  other.exec('ROLLBACK');
  other.close();
  await vi.advanceTimersByTimeAsync(5000);
  expect(store.status()).toMatchObject({ written: 1, dropped: 0, healthy: true });
  expect(count()).toBe(1);
  expect(said).toEqual(['usage cannot be written for now; requests go on', 'usage is written again']);
});

test('while nothing can be written a thousand rows wait, and the others are counted', async () => {
  const { path, said, open } = createStage();
  mkdirSync(path, { recursive: true }); // a folder where the file should be
  const { store } = await open();
  for (let index = 0; index < 1100; index += 1) store.add(sampleRow());
  await vi.advanceTimersByTimeAsync(600_000);
  expect(store.status()).toMatchObject({ written: 0, dropped: 100, healthy: false });
  expect(said).toHaveLength(1);
  rmSync(path, { recursive: true });
  await vi.advanceTimersByTimeAsync(31_000);
  expect(store.status()).toMatchObject({ written: 1000, dropped: 100, healthy: true });
});

test('what could not be written is lost and counted at the end', async () => {
  const { path, said, open } = createStage();
  mkdirSync(path, { recursive: true });
  const { store } = await open();
  store.add(sampleRow());
  store.close();
  expect(store.status()).toMatchObject({ written: 0, dropped: 1 });
  expect(said.at(-1)).toBe('usage could not be written before the end');
});

test('a file that somebody deleted is begun anew', async () => {
  const { path, open, count } = createStage();
  const { store } = await open();
  for (const ending of ['', '-wal', '-shm']) rmSync(path + ending, { force: true });
  store.add(sampleRow());
  await vi.advanceTimersByTimeAsync(1000);
  expect(count()).toBe(1);
});

test('a file of a newer version is left as it is', async () => {
  const { open, query, count } = createStage();
  const { store } = await open();
  store.close();
  query('PRAGMA user_version = 99');
  const { store: older } = await open();
  older.add(sampleRow());
  await vi.advanceTimersByTimeAsync(5000);
  expect(older.status()).toMatchObject({
    written: 0,
    healthy: false,
    lastError: expect.stringContaining('newer version'),
  });
  older.close();
  expect(count()).toBe(0);
});

test('a file of an older version gets the columns that it lacks, and keeps its rows', async () => {
  const { open, query } = createStage();
  (await open()).store.close();
  for (const column of ['session_id', 'intent', 'project', 'searches', 'search_cost', 'client'])
    query(`ALTER TABLE requests DROP COLUMN ${column}`);
  query('DROP TABLE source');
  query('PRAGMA user_version = 1');
  const { store } = await open();
  store.add(sampleRow({ intent: 'title', project: '/shop' }));
  await vi.advanceTimersByTimeAsync(1500);
  store.close();
  expect(query('SELECT intent, project FROM requests')).toEqual([{ intent: 'title', project: '/shop' }]);
});

test('rows that come before the start are not lost', async () => {
  const { path, count } = createStage();
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const quiet = { info: () => {}, warn: () => {} };
  const store = new UsageStore({ path, retentionDays: 0, clock, logger: quiet });
  onTestFinished(() => store.close());
  store.add(sampleRow());
  await store.start(7);
  await vi.advanceTimersByTimeAsync(1);
  expect(count()).toBe(1);
});

test('rows are read after a position, and an older copy of the file that was put back is another file', async () => {
  const { path, open, query } = createStage();
  const { store } = await open();
  const add = async (...ids: string[]) => {
    for (const id of ids) store.add(sampleRow({ id }));
    await vi.advanceTimersByTimeAsync(1000);
  };
  await add('a', 'b', 'c');
  const first = readRowsAfter(sqlite, path, undefined, 2);
  expect(first).toMatchObject({
    begin: 0,
    last: 3,
    rows: [
      { rowid: 1, id: 'a' },
      { rowid: 2, id: 'b' },
    ],
  });
  const source = first?.source ?? '';
  expect(readRowsAfter(sqlite, path, { source, row: 2 }, 9)?.rows).toMatchObject([{ rowid: 3, id: 'c' }]);
  query('DELETE FROM requests WHERE rowid = 3');
  const older = readRowsAfter(sqlite, path, { source, row: 3 }, 9);
  expect(older).toMatchObject({ begin: 2, last: 2, rows: [] });
  expect(older?.source).not.toBe(source);
  await add('d');
  const { begin: row = 0, source: name = '' } = older ?? {};
  expect(readRowsAfter(sqlite, path, { source: name, row }, 9)?.rows).toMatchObject([{ rowid: 3, id: 'd' }]);
});
