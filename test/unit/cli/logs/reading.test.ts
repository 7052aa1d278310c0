import { appendFileSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  byTime,
  entriesSince,
  type LogEntry,
  type LogFilter,
  lastEntries,
  mergeByTime,
} from '../../../../src/cli/logs/logEntries.ts';
import { makeFolder } from '../../../helpers/logFolder.ts';
import {
  collect,
  compress,
  namesOf,
  openSampleLog,
  rotatedPath,
  sampleLine,
  sampleLines,
  writeLines,
} from './sampleLog.ts';

const EVERYTHING: LogFilter = { errorsOnly: false, since: undefined };
const linesOf = (entries: readonly LogEntry[]) => entries.map(({ line }) => line);

let directory: string;
let active: string;
beforeEach(() => {
  directory = makeFolder();
  active = join(directory, 'kimi.log');
});

async function last(count: number, filter: Partial<LogFilter> = {}): Promise<string[]> {
  return linesOf(await lastEntries(await openSampleLog(directory), count, { ...EVERYTHING, ...filter }));
}

async function all(filter: Partial<LogFilter> = {}): Promise<string[]> {
  const log = await openSampleLog(directory);
  return linesOf(await collect(entriesSince(log, { ...EVERYTHING, ...filter })));
}

describe('one file', () => {
  test('the last lines are found across the pieces in which a file is read, whatever their letters', async () => {
    const lines = Array.from({ length: 5000 }, (_line, index) => sampleLine(index, { text: '月'.repeat(index % 40) }));
    writeLines(active, lines);
    for (const count of [0, 1, 3, 4000, 9999]) {
      expect(await last(count)).toEqual(count === 0 ? [] : lines.slice(-count));
    }
    expect(await all()).toEqual(lines);
  });

  test('a line longer than several pieces is one line', async () => {
    const lines = [sampleLine(1), sampleLine(2, { text: 'x'.repeat(300_000) }), sampleLine(3)];
    writeLines(active, lines);
    expect(await last(2)).toEqual(lines.slice(-2));
    expect(await all()).toEqual(lines);
  });

  test('the line that is being written is not shown, and a missing file, folder or line is nothing', async () => {
    expect(await last(5)).toEqual([]);
    directory = join(directory, 'missing');
    expect([await last(5), await all()]).toEqual([[], []]);
    mkdirSync(directory);
    active = join(directory, 'kimi.log');
    writeFileSync(active, '');
    expect([await last(5), await all()]).toEqual([[], []]);
    writeFileSync(active, 'half');
    expect([await last(5), await all()]).toEqual([[], []]);
    writeFileSync(active, 'one\ntwo\nthr');
    expect([await last(5), await all()]).toEqual([
      ['one', 'two'],
      ['one', 'two'],
    ]);
  });

  test('what comes after the opening belongs to following', async () => {
    writeLines(active, sampleLines(1, 2));
    const log = await openSampleLog(directory);
    appendFileSync(active, `${sampleLine(3)}\n`);
    expect(linesOf(await lastEntries(log, 9, EVERYTHING))).toEqual(sampleLines(1, 2));
    expect(linesOf(await collect(entriesSince(log, EVERYTHING)))).toEqual(sampleLines(1, 2));
  });
});

describe('rotated files', () => {
  /** Three compressed and plain files and the active one, ten lines each. */
  beforeEach(() => {
    for (const index of [1, 2, 3]) writeLines(rotatedPath(directory, index), sampleLines(index * 10 - 9, index * 10));
    compress(rotatedPath(directory, 1));
    compress(rotatedPath(directory, 2));
    writeLines(active, sampleLines(31, 40));
    writeLines(join(directory, 'kimi-work.log'), ['of another instance']);
    writeLines(join(directory, 'notes.txt'), ['of nobody']);
    writeFileSync(`${rotatedPath(directory, 2)}.gz.tmp`, 'half of a compression');
  });

  test('come before the active one, in their order', async () => {
    for (const count of [5, 10, 15, 25, 36, 99])
      expect(await last(count)).toEqual(sampleLines(41 - Math.min(count, 40), 40));
    expect(await all()).toEqual(sampleLines(1, 40));
  });

  test('one that is there plain and compressed is read once, one that is being named not at all', async () => {
    writeLines(rotatedPath(directory, 2), sampleLines(11, 20));
    writeFileSync(rotatedPath(directory, 4), '');
    const { rotated } = await openSampleLog(directory);
    expect(namesOf(rotated)).toEqual(namesOf([1, 2, 3].map((index) => rotatedPath(directory, index))));
    expect(await all()).toEqual(sampleLines(1, 40));
  });

  test('one that is compressed or removed after the look is found, or passed over', async () => {
    const log = await openSampleLog(directory);
    compress(rotatedPath(directory, 3));
    expect(linesOf(await lastEntries(log, 99, EVERYTHING))).toEqual(sampleLines(1, 40));
  });

  test('since a time: files from before it are not opened, lines from before it are left out', async () => {
    const since = Date.UTC(2026, 10, 20, 9, 0, 15);
    // What cannot be unpacked would be an error.
    writeFileSync(`${rotatedPath(directory, 1)}.gz`, 'broken');
    utimesSync(`${rotatedPath(directory, 1)}.gz`, 0, since / 1000 - 5);
    expect(await all({ since })).toEqual(sampleLines(15, 40));
    expect(await last(99, { since })).toEqual(sampleLines(15, 40));
    expect(await last(3, { since })).toEqual(sampleLines(38, 40));
  });

  test('one that is broken is reported by its name', async () => {
    writeFileSync(`${rotatedPath(directory, 1)}.gz`, 'broken');
    await expect(all()).rejects.toThrow(`${rotatedPath(directory, 1)}.gz cannot be read`);
    expect(await last(20)).toHaveLength(20);
  });
});

test('only what went wrong: failed and refused requests, warnings and errors, however far back', async () => {
  const request = (number: number, outcome: string, level = 'info') =>
    sampleLine(number, { event: 'request', outcome, level });
  const troubles = [
    request(1, 'error', 'warn'),
    request(2, 'interrupted', 'warn'),
    request(3, 'rejected'),
    sampleLine(4, { level: 'warn' }),
    sampleLine(5, { level: 'error' }),
    sampleLine(6, { level: 'fatal' }),
  ];
  const fine = [request(7, 'ok'), request(8, 'client_closed'), sampleLine(9), 'not JSON', '{"no":"level"}'];
  writeLines(rotatedPath(directory, 1), [...fine, ...troubles, ...fine]);
  compress(rotatedPath(directory, 1));
  writeLines(active, fine);
  expect(await all({ errorsOnly: true })).toEqual(troubles);
  expect(await last(4, { errorsOnly: true })).toEqual(troubles.slice(-4));
});

test('several logs are joined by time; a line without one stays behind the line before', async () => {
  const other = makeFolder();
  const odd = (number: number) => sampleLine(number, { instance: 'kimi' });
  writeLines(active, [odd(1), 'a stranger', odd(3), odd(5)]);
  writeLines(join(other, 'glm.log'), [odd(2), odd(4), odd(6)]);
  const logs = [await openSampleLog(directory), await openSampleLog(other, 'glm')];
  const merged = await collect(mergeByTime(logs.map((log) => entriesSince(log, EVERYTHING))));
  expect(linesOf(merged)).toEqual([odd(1), 'a stranger', odd(2), odd(3), odd(4), odd(5), odd(6)]);
  expect(merged.map(({ instance }) => instance)).toEqual(['kimi', 'kimi', 'glm', 'kimi', 'glm', 'kimi', 'glm']);

  const last = (await Promise.all(logs.map((log) => lastEntries(log, 4, EVERYTHING)))).flat().sort(byTime);
  expect(linesOf(last)).toEqual(linesOf(merged));
});
