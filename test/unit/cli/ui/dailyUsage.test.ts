import { join } from 'node:path';
import * as sqlite from 'node:sqlite';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { DailyUsage } from '../../../../src/cli/ui/dailyUsage.ts';
import { mergeUsage, readUsage } from '../../../../src/cli/usage/read.ts';
import { usageFields } from '../../../../src/cli/usage/usageView.ts';
import { localDay } from '../../../../src/core/clock.ts';
import { UsageFile } from '../../../../src/telemetry/usage/file.ts';
import {
  type DayRange,
  type UsageGrouping,
  type UsageRow,
  usageGroupings,
} from '../../../../src/telemetry/usage/totals.ts';
import { writeUsageHistory } from '../../../helpers/largeHistory.ts';
import { temporaryFolder } from '../../../helpers/temporaryFolder.ts';
import { sampleRow } from '../../../helpers/usageRow.ts';

const NOW = Date.UTC(2026, 10, 20, 12);
const DAY_MS = 86_400_000;
const dayBefore = (days: number) => localDay(NOW - days * DAY_MS);
const ALL: DayRange = { first: dayBefore(400), last: dayBefore(0) };

function createFile(rows: readonly UsageRow[] = []) {
  const { path: folder, remove } = temporaryFolder();
  onTestFinished(remove);
  const path = join(folder, 'demo.usage.sqlite');
  write(path, rows);
  return path;
}

function write(path: string, rows: readonly UsageRow[]): void {
  const file = new UsageFile(sqlite, path);
  file.write(rows);
  file.close();
}

function createUsage(mostKept?: number): DailyUsage {
  const daily = new DailyUsage(mostKept);
  onTestFinished(() => daily.close());
  return daily;
}

const linesOf = (usages: Parameters<typeof mergeUsage>[0], by: UsageGrouping) =>
  mergeUsage(usages, by).map((line) => ({ group: line.group, name: line.name, ...usageFields(line) }));

/** The lines that the terminal has. */
const expected = (path: string, by: UsageGrouping, range: DayRange) =>
  linesOf([{ name: 'demo', ...readUsage(path, by, range) }], by);

async function found(daily: DailyUsage, path: string, by: UsageGrouping, range: DayRange) {
  return daily.read([path], range, NOW, (failures) => {
    expect([...failures]).toEqual([]);
    const names = by === 'session' ? { names: daily.sessionIds(path, range) } : {};
    return linesOf([{ name: 'demo', sums: daily.sums(path, by, range), ...names }], by);
  });
}

const oneOf = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const count = oneOf(null, 0, 1, 7, 123_456);
const money = oneOf(null, 0, 0.1, 0.2, 0.000_7, 12.5);
const anyRow = fc
  .record({
    days: fc.nat(6),
    hour: fc.nat(11),
    used_model: oneOf(null, 'a', '=b'),
    provider: oneOf('demo', 'other'),
    session: oneOf(null, 's1', 's2'),
    intent: oneOf(null, 'chat', 'title'),
    client: oneOf(null, 'alice', 'bob'),
    project: oneOf(null, null, '/home/a', '/home/b'),
    endpoint: oneOf('/v1/messages', '/v1/messages', 'health_check', 'side:vision'),
    agent: oneOf<0 | 1>(0, 1),
    outcome: oneOf('ok', 'error', 'interrupted', 'rejected'),
    input_tokens: count,
    output_tokens: count,
    cache_read_tokens: count,
    cache_write_tokens: count,
    reasoning_tokens: count,
    cost: money,
    searches: oneOf(null, 0, 2),
    search_cost: oneOf(null, 0, 0.005),
  })
  .map(({ days, hour, ...fields }) => {
    const time = NOW - days * DAY_MS - hour * 1000;
    const session_id = fields.session === null ? null : `id of ${fields.session}`;
    return sampleRow({ time, day: localDay(time), session_id, ...fields });
  });

test('each figure of each grouping is the one that the terminal has, for any rows and any range', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyRow, { maxLength: 30 }), fc.nat(6), fc.nat(6), async (rows, from, to) => {
      const path = createFile(rows);
      const daily = createUsage();
      const range = { first: dayBefore(Math.max(from, to)), last: dayBefore(Math.min(from, to)) };
      for (const by of usageGroupings) {
        // Where costs are equal, their order is not said.
        const sorted = (lines: { readonly group: string }[]) => lines.sort((a, b) => (a.group < b.group ? -1 : 1));
        expect(sorted(await found(daily, path, by, range))).toEqual(sorted(expected(path, by, range)));
      }
    }),
    { numRuns: 60 },
  );
}, 120_000);

test('the sums of the days add up to those of the range; a folder that was named on another day counts', async () => {
  const row = (days: number, fields: Partial<UsageRow>) =>
    sampleRow({ time: NOW - days * DAY_MS, day: dayBefore(days), ...fields });
  const path = createFile([row(3, { project: '/home/a' }), row(2, {}), row(1, { session: 'other' })]);
  const daily = createUsage();
  const sums = await daily.read([path], ALL, NOW, () => [...daily.daySums(path, 'project', ALL)]);
  expect(sums.map(({ day, group, requests }) => [day, group, requests])).toEqual([
    [dayBefore(3), '/home/a', 1],
    [dayBefore(2), '/home/a', 1],
    [dayBefore(1), null, 1],
  ]);
});

test('what is added today, and what is removed of the oldest days, is seen', async () => {
  const rows = [0, 5, 9].map((days) => sampleRow({ time: NOW - days * DAY_MS, day: dayBefore(days) }));
  const path = createFile(rows);
  const daily = createUsage();
  expect((await found(daily, path, 'day', ALL)).map(({ requests }) => requests)).toEqual([1, 1, 1]);
  write(path, rows.slice(0, 1));
  const file = new UsageFile(sqlite, path);
  file.removeBefore(dayBefore(8));
  file.close();
  expect(await found(daily, path, 'day', ALL)).toEqual(expected(path, 'day', ALL));
  expect((await found(daily, path, 'day', ALL)).map(({ group, requests }) => [group, requests])).toEqual([
    [dayBefore(5), 1],
    [dayBefore(0), 2],
  ]);
});

test('more than is kept is read again, with the same figures', async () => {
  const path = createFile();
  writeUsageHistory(path, 3000, 40, NOW);
  const daily = createUsage(10);
  for (const by of ['model', 'session', 'model'] as const) {
    expect(await found(daily, path, by, ALL)).toEqual(expected(path, by, ALL));
  }
});

test('a file that cannot be read is a failure with its reason, and the others are answered', async () => {
  const path = createFile([sampleRow({ day: dayBefore(0) })]);
  const daily = createUsage();
  const folder = join(path, '..');
  const answer = await daily.read([folder, path, `${path}.none`], ALL, NOW, (failures) => ({
    failed: [...failures.keys()],
    requests: [...daily.sums(path, 'instance', ALL)].map(({ requests }) => requests),
    none: [...daily.sums(`${path}.none`, 'instance', ALL)],
  }));
  expect(answer).toEqual({ failed: [folder], requests: [1], none: [] });
});

test('what is kept is not in the heap: 20,000 rows of sums are less than 1 MB of it', async () => {
  const { setFlagsFromString } = await import('node:v8');
  setFlagsFromString('--expose-gc');
  const { runInNewContext } = await import('node:vm');
  const collect = runInNewContext('gc') as () => void;
  const path = createFile();
  writeUsageHistory(path, 20_000, 300, NOW);
  const daily = createUsage();
  await found(daily, path, 'model', { first: dayBefore(1), last: dayBefore(0) });
  collect();
  const before = process.memoryUsage().heapUsed;
  await daily.read([path], ALL, NOW, () => undefined);
  collect();
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(1_000_000);
  const sums = [...daily.sums(path, 'session', ALL)];
  expect(sums.length).toBeGreaterThan(100);
}, 60_000);
