import * as sqlite from 'node:sqlite';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { UsageFile } from '../../../../src/telemetry/usage/file.ts';
import { sumStatement, sumUsage, type UsageGrouping, usageGroupings } from '../../../../src/telemetry/usage/totals.ts';
import { temporaryFolder } from '../../../helpers/temporaryFolder.ts';
import { sampleRow } from '../../../helpers/usageRow.ts';

function fileWith(rows: readonly Parameters<typeof sampleRow>[0][]): sqlite.DatabaseSync {
  const { path: folder, remove } = temporaryFolder();
  const path = `${folder}/test.usage.sqlite`;
  const file = new UsageFile(sqlite, path);
  file.write(rows.map((row) => sampleRow(row)));
  file.close();
  const database = new sqlite.DatabaseSync(path, { readOnly: true });
  onTestFinished(() => {
    database.close();
    remove();
  });
  return database;
}

describe('the sums', () => {
  const rows = [
    { day: '2026-11-18', used_model: 'a', session: 's1', time: 1, cost: 1 },
    { day: '2026-11-19', used_model: 'a', session: 's1', time: 5, cost: null, outcome: 'error' },
    { day: '2026-11-20', used_model: 'b', session: null, time: 3, cost: 0.25, outcome: 'interrupted' },
    { day: '2026-11-20', used_model: 'a', session: 's2', time: 4, cost: 0, input_tokens: null },
  ];
  const sums = (by: UsageGrouping, firstDay: string) =>
    sumUsage(fileWith(rows), by, firstDay).map((sum) => [sum.group, sum.requests, sum.failed, sum.cost, sum.unpriced]);

  test.each([
    [
      'day',
      [
        ['2026-11-19', 1, 1, 0, 1],
        ['2026-11-20', 2, 1, 0.25, 0],
      ],
    ],
    [
      'model',
      [
        ['a', 2, 1, 0, 1],
        ['b', 1, 1, 0.25, 0],
      ],
    ],
    [
      'session',
      [
        [null, 1, 1, 0.25, 0],
        ['s1', 1, 1, 0, 1],
        ['s2', 1, 0, 0, 0],
      ],
    ],
    ['instance', [[null, 3, 2, 0.25, 1]]],
  ] as const)('by %s, from a day on, an unknown cost apart', (by, expected) => {
    expect(sums(by, '2026-11-19')).toEqual(expected);
  });

  test('have the time of the last request, and nothing for tokens that are not known', () => {
    const [all] = sumUsage(fileWith(rows), 'instance', '');
    expect(all).toMatchObject({ last: 5, requests: 4, input: 300, output: 40, cacheRead: 4000, reasoning: 0 });
  });

  test('count health checks apart, and their tokens and cost with the others', () => {
    const checks = [
      { endpoint: 'health_check', session: null, used_model: 'a', time: 9, input_tokens: 7, cost: 0.5 },
      { endpoint: 'health_check', session: null, used_model: 'c', time: 9, input_tokens: 7, cost: null },
    ];
    const database = fileWith([...rows, ...checks]);
    const [all] = sumUsage(database, 'instance', '');
    expect(all).toMatchObject({ last: 5, requests: 4, checks: 2, failed: 2, input: 314, cost: 1.75, unpriced: 2 });
    const models = sumUsage(database, 'model', '').map(({ group, requests, checks, last }) => [
      group,
      requests,
      checks,
      last,
    ]);
    expect(models).toEqual([
      ['a', 3, 1, 5],
      ['b', 1, 0, 3],
      ['c', 0, 1, 0],
    ]);
  });

  test('count side calls apart, and their tokens and cost with the others', () => {
    const side = { endpoint: 'side:vision', session: 's1', used_model: 'eyes', time: 9, input_tokens: 7, cost: 0.5 };
    const database = fileWith([...rows, side, { ...side, outcome: 'error', input_tokens: null, cost: null }]);
    const [all] = sumUsage(database, 'instance', '');
    expect(all).toMatchObject({ last: 5, requests: 4, checks: 0, sideCalls: 2, failed: 2, input: 307, cost: 1.75 });
    const sides = sumUsage(database, 'side', '').map(({ group, requests, sideCalls, cost }) => [
      group,
      requests,
      sideCalls,
      cost,
    ]);
    expect(sides).toEqual([
      ['client', 4, 0, 1.25],
      ['vision', 0, 2, 0.5],
    ]);
  });

  test('by project: a request that names no folder belongs to that of its session', () => {
    const named = { session: 's1', project: '/shop', cost: 1, day: '2026-11-19' };
    const database = fileWith([
      named,
      { ...named, project: null, cost: 2 },
      { ...named, project: null, cost: 4, day: '2026-11-25' },
      { ...named, session: 's2', project: null, cost: 8 },
      { ...named, session: null, project: null, cost: 16 },
      { ...named, session: 's3', project: '/site', cost: 32 },
    ]);
    expect(sumUsage(database, 'project', '2026-11-19', '2026-11-20').map(({ group, cost }) => [group, cost])).toEqual([
      [null, 24],
      ['/shop', 3],
      ['/site', 32],
    ]);
  });

  test('by intent', () => {
    const database = fileWith([
      { intent: 'chat', cost: 1 },
      { intent: 'title', cost: 2 },
      { intent: null, cost: 4 },
    ]);
    expect(sumUsage(database, 'intent', '').map(({ group, cost }) => [group, cost])).toEqual([
      [null, 4],
      ['chat', 1],
      ['title', 2],
    ]);
  });

  test('of an empty file are none', () => {
    expect(usageGroupings.map((by) => sumUsage(fileWith([]), by, ''))).toEqual(usageGroupings.map(() => []));
  });
});

describe('100,000 rows', () => {
  let database: sqlite.DatabaseSync;
  const plan = (by: UsageGrouping) =>
    database
      .prepare(`EXPLAIN QUERY PLAN ${sumStatement(by)}`)
      .all({ first: '2026-11-14' })
      .map(({ detail }) => String(detail));

  beforeAll(() => {
    const { path: folder, remove } = temporaryFolder();
    const path = `${folder}/test.usage.sqlite`;
    const file = new UsageFile(sqlite, path);
    const days = Array.from({ length: 100 }, (_, index) =>
      new Date(Date.UTC(2026, 7, 13 + index)).toISOString().slice(0, 10),
    );
    for (const day of days) file.write(Array.from({ length: 1000 }, () => sampleRow({ day })));
    file.close();
    database = new sqlite.DatabaseSync(path, { readOnly: true });
    return () => {
      database.close();
      remove();
    };
  });

  test.each(usageGroupings)('by %s: only the rows of the days that are asked for are read', (by) => {
    const reads = plan(by).filter((step) => step.includes('requests'));
    expect(reads.length).toBe(by === 'project' ? 2 : 1);
    for (const read of reads) expect(read).toContain('SEARCH requests USING INDEX requests_day (day>? AND day<?)');
  });

  test('by day: nothing has to be sorted', () => {
    expect(plan('day')).toHaveLength(1);
    const sums = sumUsage(database, 'day', '2026-11-14');
    expect(sums.map(({ group, requests }) => [group, requests])).toEqual(
      [14, 15, 16, 17, 18, 19, 20].map((day) => [`2026-11-${day}`, 1000]),
    );
  });
});
