import { describe, expect, test } from 'vitest';
import {
  type InstanceSample,
  NO_RECENT_USAGE,
  percentile,
  type RecentUsage,
  withSharedToday,
} from '../../../../src/cli/top/sample.ts';
import { nextOrder, SHARED_HEADING, topFrame, topJson, topTable } from '../../../../src/cli/top/topView.ts';
import { displayWidth } from '../../../../src/core/text.ts';
import { NO_USAGE } from '../../../../src/telemetry/usage/totals.ts';

const plain = (_colour: string, text: string) => text;
const NOW = Date.UTC(2026, 10, 20, 12);

function sampleRow(
  name: string,
  changes: Partial<InstanceSample> = {},
  recent: Partial<RecentUsage> = {},
): InstanceSample {
  return {
    name,
    state: 'serving',
    condition: 'ready',
    restarts: 0,
    inFlight: 2,
    waiting: 1,
    circuits: [{ provider: undefined, state: 'closed' }],
    recent: {
      ...NO_RECENT_USAGE,
      requests: 90,
      inputTokens: 6000,
      outputTokens: 1200,
      firstEvents: [100, 200, 300, 400],
      durations: [1000, 2000, 61_000],
      today: { ...NO_USAGE, requests: 400, failed: 3, cost: 1.25, unpriced: 0 },
      ...recent,
    },
    ...changes,
  };
}

const idle = sampleRow(
  'idle',
  { state: 'not running', condition: 'stopped', inFlight: 0, waiting: 0, circuits: [] },
  NO_RECENT_USAGE,
);
const cells = (rows: readonly InstanceSample[]) =>
  topTable(rows, { paint: plain, columns: undefined }).map((line) => line.split(/ {2,}/));

describe('the table', () => {
  test('rates of a minute, percentiles, sums of today, and all together', () => {
    const other = sampleRow(
      'other',
      {},
      { requests: 1, outputTokens: 1, firstEvents: [9000], durations: [], today: NO_USAGE },
    );
    expect(cells([sampleRow('kimi'), idle, other])).toEqual([
      'name,state,req/s,tokens/s,active,queued,first,first p95,whole,whole p95,requests,errors,cost,provider'.split(
        ',',
      ),
      ['kimi', 'ready', '1.5', '20', '2', '1', '0.2 s', '0.4 s', '2.0 s', '1m 1s', '400', '3', '$1.2500', 'up'],
      ['idle', 'stopped', '0', '0', '0', '0', '-', '-', '-', '-', '0', '0', '$0.0000', '-'],
      ['other', 'ready', '0.02', '0.02', '2', '1', '9.0 s', '9.0 s', '-', '-', '0', '0', '$0.0000', 'up'],
      ['total', '1.5', '20', '4', '2', '0.3 s', '9.0 s', '2.0 s', '1m 1s', '400', '3', '$1.2500', '-'],
    ]);
    expect(cells([sampleRow('kimi')])).toHaveLength(2);
  });

  test('an unknown cost is said, a file that cannot be read is no zero', () => {
    const today = { ...NO_USAGE, requests: 2, unpriced: 2 };
    expect(cells([sampleRow('a', {}, { today })])[1]).toContain('? (2)');
    expect(cells([sampleRow('a', { recent: undefined })])[1]?.slice(0, 5)).toEqual(['a', 'ready', '-', '-', '2']);
  });

  test('which of several providers are not asked', () => {
    const circuits = ['closed', 'open', 'half-open'].map((state, index) => ({ provider: `p${index}`, state }));
    expect(cells([sampleRow('a', { circuits })])[1]?.at(-1)).toBe('p1 down, p2 tried again');
    const evil = [{ provider: 'x\u001b[2J', state: 'open' }];
    expect(cells([sampleRow('a', { circuits: evil })])[1]?.at(-1)).toBe('x\\x1b[2J down');
  });

  test('colours show what is wrong', () => {
    const paint = (colour: string, text: string) => `<${colour}>${text}</>`;
    const open = sampleRow('a', { condition: 'port taken', circuits: [{ provider: undefined, state: 'open' }] });
    const [, line = ''] = topTable([open], { paint, columns: undefined });
    expect(line).toMatch(/<red>port taken<\/>.*<red> *3<\/>.*<red>down *<\/>$/);
  });
});

describe('the frame', () => {
  const rows = Array.from({ length: 12 }, (_row, index) => sampleRow(`instance-${index}`));

  test.each([
    [200, 50],
    [120, 24],
    [80, 24],
    [60, 10],
    [40, 8],
    [20, 5],
    [5, 3],
    [1, 1],
  ])('fits into %d columns and %d rows', (columns, height) => {
    for (const some of [rows, rows.slice(0, 1), []]) {
      const lines = topFrame(some, NOW, plain, { columns, rows: height });
      expect(lines.length).toBeLessThanOrEqual(height);
      for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
    }
  });

  test('keeps the total when there is no room for all, and the figures that matter most when it is narrow', () => {
    const lines = topFrame(rows, NOW, plain, { columns: 60, rows: 10 });
    expect(lines.filter((line) => line.startsWith('instance-'))).toHaveLength(4);
    expect(lines.filter((line) => line.startsWith('total'))).toHaveLength(1);
    expect(lines[2]).toMatch(/^name +state +req\/s .*first/);
  });

  test('at 80 columns the state and the latencies stay, and the legend is whole', () => {
    const lines = topFrame([sampleRow('kimi', { condition: 'provider down' }), idle], NOW, plain, {
      columns: 80,
      rows: 24,
    });
    expect(lines[2]).toMatch(/^name +state +req\/s .*first .*errors/);
    expect(lines[3]).toMatch(/^kimi +provider down .* 0\.2 s /);
    expect(lines.slice(-4).join(' ')).toMatch(/q: quit .*errors, cost: today$/);
  });

  test('another order begins with the largest figure', () => {
    const dear = sampleRow('zoe', {}, { today: { ...NO_USAGE, cost: 9 } });
    const order = nextOrder(nextOrder(nextOrder(nextOrder('name'))));
    const lines = topFrame([sampleRow('kimi'), dear], NOW, plain, { columns: 80, rows: 24 }, order);
    expect(lines.slice(3, 5).map((line) => line.split(' ')[0])).toEqual(['zoe', 'kimi']);
    expect(lines.join('\n')).toContain('sorted by cost today');
    expect(nextOrder(order)).toBe('name');
  });

  test('says how many can be used', () => {
    expect(topFrame([sampleRow('a'), idle], NOW, plain, { columns: 80, rows: 24 })[0]).toMatch(
      /^\d\d:\d\d:\d\d {2}1 of 2 ready$/,
    );
  });
});

describe('today on all machines', () => {
  const shared = new Map([
    ['kimi', { ...NO_USAGE, requests: 900, failed: 7, cost: 10 }],
    ['far', { ...NO_USAGE, requests: 100, cost: 2 }],
  ]);
  const rows = withSharedToday([sampleRow('kimi'), idle], shared);

  test('takes the place of what this machine has, and what runs elsewhere has no live figures', () => {
    expect(cells(rows).slice(1)).toEqual([
      ['kimi', 'ready', '1.5', '20', '2', '1', '0.2 s', '0.4 s', '2.0 s', '1m 1s', '900', '7', '$10.0000', 'up'],
      ['idle', 'stopped', '0', '0', '0', '0', '-', '-', '-', '-', '0', '0', '$0.0000', '-'],
      ['far', 'elsewhere', '-', '-', '0', '0', '-', '-', '-', '-', '100', '0', '$2.0000', '-'],
      ['total', '1.5', '20', '2', '1', '0.2 s', '0.4 s', '2.0 s', '1m 1s', '1000', '7', '$12.0000', '-'],
    ]);
  });

  test('the heading says so within 80 columns, and counts the instances of this machine alone', () => {
    const [heading] = topFrame(rows, NOW, plain, { columns: 80, rows: 24 }, 'name', SHARED_HEADING);
    expect(heading).toMatch(/1 of 2 ready {2}today: all machines \(database\); the rest: this machine$/);
  });

  test('JSON says of which machines today is', () => {
    const { machines, instances, total } = JSON.parse(topJson(rows, NOW, 'all'));
    expect(machines).toBe('all');
    expect(instances[2]).toMatchObject({ name: 'far', state: null, recent: null, today: { requests: 100 } });
    expect(total.today).toMatchObject({ requests: 1000, failed_requests: 7, cost_usd: 12 });
    expect(JSON.parse(topJson([idle], NOW)).machines).toBe('this');
  });
});

test('JSON for programs', () => {
  const { schema, at, instances, total } = JSON.parse(topJson([sampleRow('kimi'), idle], NOW));
  expect([schema, at]).toEqual([1, '2026-11-20T12:00:00.000Z']);
  expect(instances[0]).toEqual({
    name: 'kimi',
    state: 'serving',
    condition: 'ready',
    in_flight: 2,
    waiting: 1,
    circuits: [{ provider: null, state: 'closed' }],
    recent: {
      requests_per_second: 1.5,
      input_tokens_per_second: 100,
      output_tokens_per_second: 20,
      first_event_ms: { p50: 200, p95: 400 },
      duration_ms: { p50: 2000, p95: 61_000 },
    },
    today: { requests: 400, failed_requests: 3, cost_usd: 1.25, unpriced_requests: 0 },
  });
  expect(instances[1].recent.first_event_ms).toEqual({ p50: null, p95: null });
  expect(total).toMatchObject({
    in_flight: 2,
    waiting: 1,
    recent: { requests_per_second: 1.5 },
    today: { requests: 400 },
  });
});

test.each([
  [[], 0.5, undefined],
  [[7], 0.5, 7],
  [[7], 0.95, 7],
  [[3, 1, 2], 0.5, 2],
  [[4, 1, 3, 2], 0.5, 2],
  [Array.from({ length: 100 }, (_value, index) => index + 1), 0.95, 95],
])('percentile of %j at %d is %s', (values, share, expected) => {
  expect(percentile(values, share)).toBe(expected);
});
