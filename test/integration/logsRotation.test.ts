import { statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DAY, JumpingClock, listFolder, makeFolder, openTestLog, readLines, readText } from '../helpers/logFolder.ts';

const COMPRESSED = /^kimi-\d{8}-\d{6}-\d{3}\.log\.gz$/;

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => JSON.stringify({ number: index, text: 'x'.repeat(60) }));
}

test('rotates at the size, compresses, and keeps every line once and in order', async () => {
  const directory = makeFolder();
  const log = openTestLog({ directory, maxSizeBytes: 40_000 });
  const lines = numbered(20_000);
  for (let at = 0; at < lines.length; at += 500) {
    for (const line of lines.slice(at, at + 500)) log.write(line);
    await log.flush();
  }
  await log.close();

  expect(readLines(directory)).toEqual(lines);
  expect(log.status()).toMatchObject({ written: lines.length, dropped: 0, healthy: true });
  const rotated = listFolder(directory).filter((name) => name !== 'kimi.log');
  expect(rotated.length).toBeGreaterThan(30);
  expect(rotated.filter((name) => !COMPRESSED.test(name))).toEqual([]);
  for (const name of rotated) expect(readText(join(directory, name)).length).toBeLessThanOrEqual(45_000);
});

test('a burst in one tick is not lost either', async () => {
  const directory = makeFolder();
  const log = openTestLog({ directory, maxSizeBytes: 100_000 });
  const lines = numbered(30_000);
  for (const line of lines) log.write(line);
  await log.close();
  expect(readLines(directory)).toEqual(lines);
});

test('rotates when the UTC day changes, also to an earlier day, once', async () => {
  const directory = makeFolder();
  const clock = new JumpingClock();
  const log = openTestLog({ directory, clock });
  for (const [line, offset] of [
    ['today', 0],
    ['tomorrow', DAY],
    ['still tomorrow', DAY],
    ['today again', 0],
  ] as const) {
    clock.offset = offset;
    log.write(line);
    await log.flush();
  }
  await log.close();
  const texts = listFolder(directory).map((name) => readText(join(directory, name)));
  expect(texts.sort()).toEqual(['today\n', 'today again\n', 'tomorrow\nstill tomorrow\n']);
});

test('on opening, rotates a file of an earlier day and goes on with one of today', async () => {
  const [old, young] = [makeFolder(), makeFolder()];
  for (const folder of [old, young]) writeFileSync(join(folder, 'kimi.log'), 'before\n');
  const yesterday = (Date.now() - DAY) / 1000;
  utimesSync(join(old, 'kimi.log'), yesterday, yesterday);
  for (const directory of [old, young]) {
    const log = openTestLog({ directory });
    log.write('after');
    await log.close();
  }
  expect(readText(join(old, 'kimi.log'))).toBe('after\n');
  expect(readLines(old)).toEqual(['before', 'after']);
  expect(listFolder(young)).toEqual(['kimi.log']);
  expect(readLines(young)).toEqual(['before', 'after']);
});

test('a compressed file keeps the time of its last line', async () => {
  const directory = makeFolder();
  writeFileSync(join(directory, 'kimi.log'), 'before\n');
  const yesterday = Math.floor((Date.now() - DAY) / 1000);
  utimesSync(join(directory, 'kimi.log'), yesterday, yesterday);
  await openTestLog({ directory }).close();
  const compressed = listFolder(directory).find((name) => COMPRESSED.test(name)) ?? '';
  expect(statSync(join(directory, compressed)).mtimeMs).toBe(yesterday * 1000);
});

test('rotations within one second do not overwrite each other, across restarts too', async () => {
  const directory = makeFolder();
  const frozen = { now: () => Date.UTC(2026, 10, 20, 8, 54, 0), monotonic: () => 0 };
  const lines = numbered(40);
  for (const line of lines) {
    const log = openTestLog({ directory, clock: frozen, maxSizeBytes: 10 });
    log.write(line);
    await log.close();
  }
  expect(readLines(directory)).toEqual(lines);
  expect(listFolder(directory)[0]).toBe('kimi-20261120-085400-001.log.gz');
});

test('finishes the compression that an earlier process left, and cuts its half-written last line', async () => {
  const directory = makeFolder();
  const now = new Date().toISOString().slice(0, 10).replaceAll('-', '');
  const left = join(directory, `kimi-${now}-000000-001.log`);
  writeFileSync(left, 'one\ntwo\nthr');
  writeFileSync(`${left}.gz`, 'half a gzip file of the same');
  writeFileSync(join(directory, `kimi-${now}-000000-002.log.gz.tmp`), 'half');
  writeFileSync(join(directory, 'kimi.log'), 'three\nfou');
  const log = openTestLog({ directory });
  log.write('five');
  await log.close();
  expect(readLines(directory)).toEqual(['one', 'two', 'three', 'five']);
  expect(listFolder(directory)).toEqual([`kimi-${now}-000000-001.log.gz`, 'kimi.log']);
});

test('makes its folder, and files that only their owner can read', async () => {
  const directory = join(makeFolder(), 'a', 'kimi');
  const log = openTestLog({ directory });
  log.write('line');
  await log.flush();
  expect(statSync(join(directory, 'kimi.log')).mode & 0o777).toBe(0o600);
});
