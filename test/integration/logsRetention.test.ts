import { existsSync, mkdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import type { LogProblem } from '../../src/telemetry/log/queue.ts';
import {
  DAY,
  HOUR,
  JumpingClock,
  listFolder,
  makeFolder,
  openTestLog,
  totalSize,
  until,
} from '../helpers/logFolder.ts';

afterEach(() => {
  vi.useRealTimers();
});

function put(folder: string, name: string, ageMs: number, size = 10): void {
  const path = join(folder, name);
  writeFileSync(path, 'x'.repeat(size));
  const at = (Date.now() - ageMs) / 1000;
  utimesSync(path, at, at);
}

function rotatedName(number: number): string {
  return `kimi-20261101-000000-${String(number).padStart(3, '0')}.log.gz`;
}

test('G3 what another process of the instance has left goes by its age, and what it may be writing stays', async () => {
  const directory = makeFolder();
  put(directory, 'kimi.2-20261101-000000-001.log.gz', 72 * HOUR);
  put(directory, 'kimi.3.log', 72 * HOUR);
  put(directory, 'kimi.2.log', HOUR, 10_000);
  put(directory, 'kimi.2-20261101-000000-002.log.gz', HOUR);
  openTestLog({ directory, maxTotalBytes: 1000 });
  await until(() => listFolder(directory).length === 3, 'the old ones are gone');
  expect(listFolder(directory)).toEqual(['kimi.2-20261101-000000-002.log.gz', 'kimi.2.log', 'kimi.log']);
});

test('G3 removes own rotated files of 72 hours on opening, and nothing else', async () => {
  const directory = makeFolder();
  put(directory, rotatedName(1), 72 * HOUR);
  put(directory, rotatedName(2), 72 * HOUR - 60_000);
  const others = [
    'notes.txt',
    'glm-20260101-000000-001.log.gz',
    'kimi.log.old',
    'kimi-dump.log',
    'kimi-20260101.log.gz',
  ];
  for (const name of others) put(directory, name, 400 * DAY);
  mkdirSync(join(directory, rotatedName(3)));
  utimesSync(join(directory, rotatedName(3)), 1, 1);
  put(directory, 'kimi.log', HOUR);
  const problems: LogProblem[] = [];
  await openTestLog({ directory, onProblem: (problem) => problems.push(problem) }).close();
  expect(problems).toEqual([]);
  const left = listFolder(directory).filter((name) => name !== 'kimi.log');
  expect(left.filter((name) => !name.startsWith('kimi-2026') || others.includes(name)).sort()).toEqual(others.sort());
  expect(existsSync(join(directory, rotatedName(1)))).toBe(false);
  expect(existsSync(join(directory, rotatedName(2)))).toBe(true);
  expect(existsSync(join(directory, rotatedName(3)))).toBe(true);
});

test('G3 sweeps every hour, and an idle instance gives up the file of a past day', async () => {
  vi.useFakeTimers({ toFake: ['setInterval'] });
  const directory = makeFolder();
  const clock = new JumpingClock();
  const log = openTestLog({ directory, clock });
  log.write('the only line');
  await log.flush();
  put(directory, rotatedName(1), 72 * HOUR - 5_000);

  vi.advanceTimersByTime(HOUR);
  await log.flush();
  expect(listFolder(directory)).toEqual([rotatedName(1), 'kimi.log']);

  clock.offset = 10_000;
  vi.advanceTimersByTime(HOUR);
  await until(() => !existsSync(join(directory, rotatedName(1))), 'the expired file to go');

  clock.offset = DAY;
  vi.advanceTimersByTime(HOUR);
  await until(
    () => listFolder(directory).some((name) => /^kimi-.*\.gz$/.test(name)),
    'the file of the past day to be rotated',
  );

  clock.offset = 4 * DAY;
  vi.advanceTimersByTime(HOUR);
  await until(() => listFolder(directory).length === 1, 'the only line to expire');
  expect(listFolder(directory)).toEqual(['kimi.log']);
});

test('G3 the total stays under its cap while logging, the active file included', async () => {
  const directory = makeFolder();
  const maxTotalBytes = 60_000;
  const log = openTestLog({ directory, maxSizeBytes: 1_000_000, maxTotalBytes });
  // Hexadecimal noise hardly compresses, so that the cap is reached soon.
  for (let round = 0; round < 300; round++) {
    log.write(Array.from({ length: 20 }, () => Math.random().toString(16).slice(2)).join(''));
    if (round % 10 !== 9) continue;
    await log.flush();
    expect(totalSize(directory)).toBeLessThanOrEqual(maxTotalBytes + 15_000);
  }
  await log.close();
  expect(totalSize(directory)).toBeLessThanOrEqual(maxTotalBytes);
  expect(totalSize(directory)).toBeGreaterThan(maxTotalBytes / 3);
  expect(log.status()).toMatchObject({ written: 300, dropped: 0 });
});

test.each([
  ['a year ahead', 365 * DAY],
  ['a year back', -365 * DAY],
])('G4 a clock that jumps %s causes one rotation and no crash', async (_name, offset) => {
  const directory = makeFolder();
  const clock = new JumpingClock();
  const log = openTestLog({ directory, clock });
  put(directory, rotatedName(1), HOUR);
  for (const jump of [0, offset, offset, offset]) {
    clock.offset = jump;
    for (let line = 0; line < 50; line++) log.write(`line ${line}`);
    await log.flush();
  }
  await log.close();
  expect(log.status()).toMatchObject({ written: 200, dropped: 0, healthy: true });
  const rotated = listFolder(directory).filter((name) => name !== 'kimi.log' && name !== rotatedName(1));
  expect(rotated.length).toBeLessThanOrEqual(1);
});

test('G4 a file from the future is dated today, so that it expires three days from now', async () => {
  const directory = makeFolder();
  put(directory, rotatedName(1), -365 * DAY);
  await openTestLog({ directory }).close();
  const age = Date.now() - statSync(join(directory, rotatedName(1))).mtimeMs;
  expect(Math.abs(age)).toBeLessThan(HOUR);
});
