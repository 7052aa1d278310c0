import { describe, expect, test } from 'vitest';
import { mergeUsage } from '../../../../src/cli/usage/read.ts';
import { costText, usageCsv, usageJson, usageTable } from '../../../../src/cli/usage/usageView.ts';
import { LAST_DAY, NO_USAGE, type UsageSum } from '../../../../src/telemetry/usage/totals.ts';

const sum = (group: string | null, fields: Partial<UsageSum> = {}): UsageSum => ({
  ...NO_USAGE,
  group,
  last: 0,
  requests: 1,
  ...fields,
});
const plain = { columns: undefined, paint: (_colour: string, text: string) => text };
const groups = (lines: readonly { group: string }[]) => lines.map(({ group }) => group);

describe('several instances', () => {
  const usages = [
    { name: 'zeta', sums: [sum('b', { cost: 1, last: 9 }), sum('a', { cost: 2, last: 3 })] },
    { name: 'alpha', sums: [sum('b', { cost: 4, last: 5, unpriced: 1 }), sum(null, { last: 1 })] },
  ];

  test('are added up by their groups', () => {
    const line = mergeUsage(usages, 'model').find(({ group }) => group === 'b');
    expect(line).toMatchObject({ requests: 2, cost: 5, unpriced: 1, last: 9 });
  });

  test.each([
    ['day', ['-', 'a', 'b']],
    ['model', ['b', 'a', '-']],
    ['session', ['-', 'a', 'b']],
    ['project', ['b', 'a', '-']],
    ['intent', ['b', 'a', '-']],
    ['side', ['b', 'a', '-']],
    ['instance', ['alpha', 'zeta']],
  ] as const)('by %s they are in order', (by, expected) => {
    expect(groups(mergeUsage(usages, by))).toEqual(expected);
  });
});

test.each([
  [{ cost: 1.5 }, '$1.5000'],
  [{ cost: 0 }, '$0.0000'],
  [{ requests: 3, unpriced: 3 }, '? (3)'],
  [{ requests: 3000, unpriced: 2000, cost: 0.25 }, '$0.2500 + ? (2,000)'],
  [{ requests: 1, checks: 1, unpriced: 1, cost: 0.25 }, '$0.2500 + ? (1)'],
  [{ requests: 0, checks: 1, unpriced: 1 }, '? (1)'],
  [{ requests: 0, sideCalls: 2, unpriced: 2 }, '? (2)'],
])('a cost that is not known is never shown as nothing: %j', (fields, expected) => {
  expect(costText({ ...sum('a', fields), group: 'a' })).toBe(expected);
});

const lines = mergeUsage(
  [
    {
      name: 'one',
      sums: [
        sum('2026-11-19', {
          requests: 1200,
          input: 1000,
          cacheRead: 50_000,
          cacheWrite: 10,
          output: 300,
          cost: 1,
          last: 60_000,
        }),
        sum('2026-11-20', { requests: 2, failed: 1, reasoning: 7, output: 9, unpriced: 2, last: 120_000 }),
      ],
    },
  ],
  'day',
);

test('the table has numbers at the right and the total below', () => {
  expect(usageTable(lines, 'day', plain).split('\n')).toEqual([
    'day                 requests   input  of it cached  output  of it reasoning             cost',
    '2026-11-19             1,200  51,010        50,000     300                0          $1.0000',
    '2026-11-20      2 (1 failed)       0             0       9                7            ? (2)',
    'total       1,202 (1 failed)  51,010        50,000     309                7  $1.0000 + ? (2)',
  ]);
});

test('side calls stand beside the requests', () => {
  const sums = [sum('a', { sideCalls: 1200 }), sum('b', { requests: 0, sideCalls: 1 })];
  const merged = mergeUsage([{ name: 'one', sums }], 'model');
  const [, first, second] = usageTable(merged, 'model', plain).split('\n');
  expect(first).toMatch(/^a +1 \+ 1,200 side calls /);
  expect(second).toMatch(/^b +0 \+ 1 side call /);
  expect(JSON.parse(usageJson(merged, 'model', { first: '', last: LAST_DAY })).total).toMatchObject({
    side_calls: 1201,
  });
});

test('health checks stand beside the requests, and have no time of a last request', () => {
  const checked = mergeUsage(
    [{ name: 'one', sums: [sum('a', { failed: 1, checks: 1200 }), sum('b'), sum('c', { checks: 1 })] }],
    'session',
  );
  const rows = usageTable(checked, 'session', plain).split('\n');
  expect(rows[1]).toMatch(/^a +1 \(1 failed\) \+ 1,200 checks /);
  expect(rows[2]).toMatch(/^b +1 {2}/);
  expect(rows[3]).toMatch(/^c +1 \+ 1 check /);
  expect(JSON.parse(usageJson(checked, 'session', { first: '', last: LAST_DAY })).rows).toEqual([
    expect.objectContaining({ requests: 1, health_checks: 1200, last_request_at: null }),
    expect.objectContaining({ requests: 1, health_checks: 0 }),
    expect.objectContaining({ requests: 1, health_checks: 1 }),
  ]);
});

test('sessions have the time of their last request', () => {
  const local = new Date(120_000).toLocaleString('sv-SE').slice(0, 16);
  expect(usageTable(lines, 'session', plain)).toContain(local);
});

test('a session and a project are shown by the name that the user knows, and have both for programs', () => {
  const named = mergeUsage(
    [{ name: 'one', sums: [sum('a1'), sum('b2')], names: new Map([['a1', '/home/me/shop']]) }],
    'project',
  );
  const table = usageTable(named, 'project', plain);
  expect(table).toContain('/home/me/shop');
  expect(table).not.toContain('a1');
  expect(JSON.parse(usageJson(named, 'project', { first: '', last: LAST_DAY })).rows).toEqual([
    expect.objectContaining({ project: 'a1', folder: '/home/me/shop' }),
    expect.objectContaining({ project: 'b2', folder: null }),
  ]);
  expect(
    usageCsv(named, 'session')
      .split('\n')
      .map((row) => row.split(',').at(-1)),
  ).toEqual(['session_id', '/home/me/shop', '']);
});

test('of a folder a narrow terminal shows the end', () => {
  const names = new Map([['f0', '/home/newcomer/work/claude-code-proxy']]);
  const projects = mergeUsage([{ name: 'one', sums: [sum('f0')], names }], 'project');
  expect(usageTable(projects, 'project', { ...plain, columns: 60 })).toMatch(/^….*claude-code-proxy +1 /m);
});

test('names out of requests cannot move the cursor', () => {
  const named = mergeUsage([{ name: 'one', sums: [sum('\u001b[2Jmodel')] }], 'model');
  expect(usageTable(named, 'model', plain)).not.toContain('\u001b');
});

test('JSON has null for a cost that is not known', () => {
  const json = JSON.parse(usageJson(lines, 'day', { first: '2026-11-19', last: LAST_DAY }));
  expect(json).toMatchObject({ schema: 1, by: 'day', first_day: '2026-11-19' });
  expect(json.rows).toEqual([
    {
      day: '2026-11-19',
      requests: 1200,
      failed_requests: 0,
      input_tokens: 51_010,
      cache_read_tokens: 50_000,
      cache_creation_tokens: 10,
      output_tokens: 300,
      reasoning_tokens: 0,
      cost_usd: 1,
      unpriced_requests: 0,
      last_request_at: '1970-01-01T00:01:00.000Z',
      health_checks: 0,
      side_calls: 0,
      web_searches: 0,
      search_cost_usd: 0,
    },
    expect.objectContaining({ day: '2026-11-20', failed_requests: 1, cost_usd: null, unpriced_requests: 2 }),
  ]);
  expect(json.total).toMatchObject({ requests: 1202, cost_usd: 1, unpriced_requests: 2 });
});

test('CSV quotes what needs it and leaves empty what is not known', () => {
  const [header, ...rows] = usageCsv([...lines, { ...NO_USAGE, group: 'a,"b"', last: 0 }], 'model').split('\n');
  expect(header).toMatch(/^model,requests,failed_requests,input_tokens,/);
  expect(rows).toEqual([
    '2026-11-19,1200,0,51010,50000,10,300,0,1,0,1970-01-01T00:01:00.000Z,0,0,0,0',
    '2026-11-20,2,1,0,0,0,9,7,,2,1970-01-01T00:02:00.000Z,0,0,0,0',
    '"a,""b""",0,0,0,0,0,0,0,0,0,,0,0,0,0',
  ]);
});

test.each([
  ['=HYPERLINK("http://x")', `"'=HYPERLINK(""http://x"")"`],
  ['+1', "'+1"],
  ['-1', "'-1"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['＝1', "'＝1"],
  ['\t=1', '\\x09=1'],
  ['\r=1', '\\x0d=1'],
  ['a\u001b]52;c;\u0007\u009b\u202e', 'a\\x1b]52;c;\\x07\\x9b\\u202e'],
  ['models/a-b', 'models/a-b'],
])('the model name %j is no formula and no control character in a spreadsheet', (group, cell) => {
  const [, row = ''] = usageCsv([{ ...NO_USAGE, group, last: 0 }], 'model').split('\n');
  expect(row.startsWith(`${cell},`)).toBe(true);
});

test('JSON has no raw control character or mark of direction, and says the same', () => {
  const group = 'a\u001b\u007f\u009b\u202e\u2028b';
  const json = usageJson([{ ...NO_USAGE, group, last: 0 }], 'model', { first: '2026-11-01', last: '2026-11-02' });
  expect(json).not.toMatch(/[^\P{Cc}\n]|[\p{Bidi_Control}\u2028]/u);
  expect(JSON.parse(json).rows[0].model).toBe(group);
});
