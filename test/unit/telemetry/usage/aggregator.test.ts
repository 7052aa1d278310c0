import { expect, test } from 'vitest';
import { localDay } from '../../../../src/core/clock.ts';
import { createRedactor, Secret } from '../../../../src/core/secret.ts';
import type { RequestRecord } from '../../../../src/telemetry/requestRecord.ts';
import { UsageAggregator } from '../../../../src/telemetry/usage/aggregator.ts';
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
  cacheWriteTokens: 1,
  reasoningTokens: 3,
  cost: 0.25,
};

const KEY = 'Key/of.A-Provider+17';
const redact = createRedactor([new Secret(KEY)]);

function createAggregator() {
  const rows: UsageRow[] = [];
  const time = { now: new Date(2026, 10, 20, 12).getTime() };
  const clock = { now: () => time.now, monotonic: () => time.now };
  return { rows, time, aggregator: new UsageAggregator({ clock, keep: (row) => rows.push(row), redact }) };
}

test('sums up by model and by day, and says how many requests have no price', () => {
  const { aggregator } = createAggregator();
  aggregator.finish(record);
  aggregator.finish({ ...record, cost: undefined, outcome: 'interrupted' });
  aggregator.finish({ ...record, upstreamModel: 'model-b', cost: 0 });
  const { total, models, days } = aggregator.snapshot();
  expect(total).toEqual({
    requests: 3,
    checks: 0,
    sideCalls: 0,
    failed: 1,
    input: 30,
    output: 15,
    cacheRead: 300,
    cacheWrite: 3,
    reasoning: 9,
    cost: 0.25,
    unpriced: 1,
    searches: 0,
    searchCost: 0,
  });
  expect([...models].map(([model, { requests }]) => [model, requests])).toEqual([
    ['model-a', 2],
    ['model-b', 1],
  ]);
  expect(days).toEqual([['2026-11-20', total]]);
});

test('goes on with the days of earlier processes and forgets what is older than a week', () => {
  const { aggregator, time } = createAggregator();
  const sum = { ...NO_USAGE, requests: 5, last: 0 };
  aggregator.restoreDays([
    { ...sum, group: localDay(time.now - 6 * DAY_MS) },
    { ...sum, group: '2026-11-20' },
  ]);
  aggregator.finish(record);
  const requests = () => aggregator.snapshot().days.map(([day, totals]) => [day, totals.requests]);
  expect(requests()).toEqual([
    ['2026-11-20', 6],
    ['2026-11-14', 5],
  ]);
  expect(aggregator.snapshot().total.requests).toBe(1);
  time.now += DAY_MS;
  expect(requests()).toEqual([['2026-11-20', 6]]);
});

test('names of models that clients make up do not fill the memory: beyond 50 they are one', () => {
  const { aggregator } = createAggregator();
  for (let index = 0; index < 60; index += 1) aggregator.finish({ ...record, upstreamModel: `model-${index}` });
  const { models } = aggregator.snapshot();
  expect(models.size).toBe(51);
  expect(models.get('other')?.requests).toBe(10);
  const labels = new Set(aggregator.metrics.format().match(/model="[^"]*"/g));
  expect(labels.size).toBe(51);
});

test('the row has numbers and names, and null for what is not known', () => {
  const { aggregator, rows } = createAggregator();
  aggregator.finish({
    ...record,
    upstreamModel: 'm'.repeat(500),
    model: undefined,
    cost: undefined,
    agent: 'agent-1',
    intent: 'title',
    project: 'p'.repeat(500),
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
      session_id: null,
      intent: 'title',
      project: 'p'.repeat(200),
      client: null,
      status: 200,
      outcome: 'ok',
      input_tokens: 10,
      output_tokens: 5,
      cache_read_tokens: 100,
      cache_write_tokens: 1,
      reasoning_tokens: 3,
      estimated: 1,
      cost: null,
      searches: null,
      search_cost: null,
      first_event_ms: null,
      duration_ms: 5,
    },
  ]);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, 1e308, -1])(
  'the number %d in place of each count costs that row its counts, and leaves the sums as they are',
  (wrong) => {
    const { aggregator, rows } = createAggregator();
    const counts = { inputTokens: wrong, outputTokens: wrong, cacheReadTokens: wrong, cacheWriteTokens: wrong };
    aggregator.finish(record);
    for (let time = 0; time < 2; time += 1) {
      aggregator.finish({ ...record, ...counts, reasoningTokens: wrong, cost: wrong === -1 ? undefined : Number.NaN });
    }
    const unknown = { input_tokens: null, output_tokens: null, cache_read_tokens: null, cache_write_tokens: null };
    expect(rows[1]).toMatchObject({ ...unknown, reasoning_tokens: null, cost: null });
    const sums = { input: 10, output: 5, cacheRead: 100, cacheWrite: 1, reasoning: 3, cost: 0.25 };
    expect(aggregator.snapshot().total).toEqual({ ...NO_USAGE, ...sums, requests: 3, unpriced: 2 });
    expect(aggregator.metrics.format()).not.toMatch(/NaN|Inf\b(?!")|e\+/);
  },
);

test('a fraction in place of a count or a time is made whole', () => {
  const { aggregator, rows } = createAggregator();
  aggregator.finish({ ...record, inputTokens: 10.5, durationMs: 5.2, firstEventMs: 1.7 });
  expect(rows[0]).toMatchObject({ input_tokens: 11, duration_ms: 5, first_event_ms: 2 });
});

test('S2 a key that a provider or client puts in place of a model’s name is masked, and control characters are shown', () => {
  const { aggregator, rows } = createAggregator();
  const odd = '=model\u001b]52;c;\u0007\u009b\u202e';
  aggregator.finish({ ...record, model: `a ${KEY}`, upstreamModel: `${KEY} b`, routedModel: 'model-a' });
  aggregator.finish({ ...record, model: odd, upstreamModel: odd });
  const shown = '=model\\x1b]52;c;\\x07\\x9b\\u202e';
  expect(rows.map((row) => [row.asked_model, row.used_model])).toEqual([
    ['a ****', '**** b'],
    [shown, shown],
  ]);
  expect([...aggregator.snapshot().models.keys()]).toEqual(['**** b', shown]);
  expect(aggregator.metrics.format()).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}/u);
});

test('a model’s name that stands in the configuration is kept, even if it looks like a key', () => {
  const { aggregator, rows } = createAggregator();
  const name = 'models_0123456789abcdef0123456789abcdef01234567';
  for (const routedModel of [name, `spare,${name}`]) aggregator.finish({ ...record, upstreamModel: name, routedModel });
  aggregator.finish({ ...record, upstreamModel: name, routedModel: 'another' });
  expect(rows.map((row) => row.used_model)).toEqual([name, name, '****']);
});

test('searches of the web are summed up beside the tokens, with their own cost', () => {
  const { aggregator, rows } = createAggregator();
  aggregator.finish({ ...record, searches: 2, searchCost: 0.01 });
  aggregator.finish({ ...record, searches: 1 });
  aggregator.finish(record);
  expect(rows.map(({ searches, search_cost: cost }) => [searches, cost])).toEqual([
    [2, 0.01],
    [1, null],
    [null, null],
  ]);
  expect(aggregator.snapshot().total).toMatchObject({ searches: 3, searchCost: 0.01, cost: 0.75 });
});

test('providers and keys are labels of a bounded number', () => {
  const { aggregator } = createAggregator();
  for (let index = 0; index < 200; index += 1)
    aggregator.finish({ ...record, provider: `provider-${index}`, key: `KEY #${index}` });
  const requests = aggregator.metrics
    .format()
    .split('\n')
    .filter((line) => line.startsWith('claude_code_proxy_requests_total'));
  const values = (label: string) => new Set(requests.map((line) => new RegExp(`${label}="([^"]*)"`).exec(line)?.[1]));
  expect(values('provider').size).toBe(51);
  expect(values('key').size).toBe(101);
  expect(requests.some((line) => line.includes('provider="other",key="other"} 100'))).toBe(true);
});
