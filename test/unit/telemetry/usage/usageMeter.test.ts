import { expect, test } from 'vitest';
import { localDay } from '../../../../src/telemetry/days.ts';
import type { RequestRecord } from '../../../../src/telemetry/requestRecord.ts';
import { UsageMeter } from '../../../../src/telemetry/usage/meter.ts';
import { NO_USAGE, type UsageRow } from '../../../../src/telemetry/usage/totals.ts';

const DAY_MS = 86_400_000;
const record: RequestRecord = {
  id: 'req_1',
  endpoint: '/v1/messages',
  provider: 'demo',
  key: 'file',
  stream: true,
  status: 200,
  outcome: 'ok',
  durationMs: 5,
  upstreamModel: 'model-a',
  tier: 'big',
  inputTokens: 10,
  outputTokens: 5,
  cacheReadTokens: 100,
  cacheCreationTokens: 1,
  reasoningTokens: 3,
  cost: 0.25,
};

function createMeter() {
  const rows: UsageRow[] = [];
  const time = { now: new Date(2026, 10, 20, 12).getTime() };
  const clock = { now: () => time.now, monotonic: () => time.now };
  return { rows, time, meter: new UsageMeter({ clock, keep: (row) => rows.push(row) }) };
}

test('sums up by model and by day, and tells how many requests have no price', () => {
  const { meter } = createMeter();
  meter.finish(record);
  meter.finish({ ...record, cost: undefined, outcome: 'interrupted' });
  meter.finish({ ...record, upstreamModel: 'model-b', cost: 0 });
  const { total, models, days } = meter.snapshot();
  expect(total).toEqual({
    requests: 3,
    checks: 0,
    failed: 1,
    input: 30,
    output: 15,
    cacheRead: 300,
    cacheWrite: 3,
    reasoning: 9,
    cost: 0.25,
    unpriced: 1,
  });
  expect([...models].map(([model, { requests }]) => [model, requests])).toEqual([
    ['model-a', 2],
    ['model-b', 1],
  ]);
  expect(days).toEqual([['2026-11-20', total]]);
});

test('goes on with the days of earlier processes and forgets what is older than a week', () => {
  const { meter, time } = createMeter();
  const sum = { ...NO_USAGE, requests: 5, last: 0 };
  meter.restoreDays([
    { ...sum, group: localDay(time.now - 6 * DAY_MS) },
    { ...sum, group: '2026-11-20' },
  ]);
  meter.finish(record);
  const requests = () => meter.snapshot().days.map(([day, totals]) => [day, totals.requests]);
  expect(requests()).toEqual([
    ['2026-11-20', 6],
    ['2026-11-14', 5],
  ]);
  expect(meter.snapshot().total.requests).toBe(1);
  time.now += DAY_MS;
  expect(requests()).toEqual([['2026-11-20', 6]]);
});

test('names of models that clients make up do not fill the memory: beyond 50 they are one', () => {
  const { meter } = createMeter();
  for (let index = 0; index < 60; index += 1) meter.finish({ ...record, upstreamModel: `model-${index}` });
  const { models } = meter.snapshot();
  expect(models.size).toBe(51);
  expect(models.get('other')?.requests).toBe(10);
  const labels = new Set(meter.metrics.format().match(/model="[^"]*"/g));
  expect(labels.size).toBe(51);
});

test('the row has numbers and names, and null for what is not known', () => {
  const { meter, rows } = createMeter();
  meter.finish({
    ...record,
    upstreamModel: 'm'.repeat(500),
    model: undefined,
    cost: undefined,
    agent: 'agent-1',
    usageEstimated: true,
    errorMessage: 'words of the provider',
  });
  expect(rows).toEqual([
    {
      time: new Date(2026, 10, 20, 12).getTime(),
      day: '2026-11-20',
      id: 'req_1',
      endpoint: '/v1/messages',
      provider: 'demo',
      key: 'file',
      tier: 'big',
      asked_model: null,
      used_model: 'm'.repeat(200),
      session: null,
      agent: 1,
      status: 200,
      outcome: 'ok',
      input_tokens: 10,
      output_tokens: 5,
      cache_read_tokens: 100,
      cache_write_tokens: 1,
      reasoning_tokens: 3,
      estimated: 1,
      cost: null,
      first_event_ms: null,
      duration_ms: 5,
    },
  ]);
});
