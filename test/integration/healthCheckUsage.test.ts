import { writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { runHealthCheck } from '../../src/gateway/healthChecks.ts';
import {
  type Behaviour,
  delta,
  type FakeUpstream,
  frame,
  json,
  openEvents,
  startFakeUpstream,
  stream,
  words,
} from '../helpers/fakeUpstream.ts';
import { call, type Settings, type TestApp } from '../helpers/startApp.ts';
import { provider, startProviders } from '../helpers/startProviders.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';

let first: FakeUpstream;
let second: FakeUpstream;
let app: TestApp;
/** What the first provider does. */
let behaviour: Behaviour;

const broken = json(500, { error: { message: 'boom' } });

async function start(
  one: Record<string, unknown> = {},
  file: Record<string, unknown> = {},
  settings: Settings = {},
): Promise<void> {
  first = await startFakeUpstream({ '*': (response, request) => behaviour(response, request) });
  second = await startFakeUpstream({ '*': words('from two') });
  const providers = [provider('one', first.url, one), provider('two', second.url, { priority: 2 })];
  app = await startProviders({ providers, health_check: 'request', ...file }, settings);
}

afterEach(async () => {
  await app.close();
  await first.close();
  await second.close();
});

const check = () => Promise.all(app.services.config.providers.map((one) => runHealthCheck(app.services, one)));
/** Whether the first provider counts as one that answers. */
const answered = () => {
  const { backends, config } = app.services;
  return backends.of(config.provider).breaker.answeredAt !== undefined;
};

const PRICES = { one: { input: 1, output: 10, cacheRead: 0.5 } };
/** 70 of input at 1, 30 from the cache at 0.5, 1 of output at 10 dollars per million. */
const COST = 0.000095;
const USAGE = { prompt_tokens: 100, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 30 } };

/** With prices of the first provider's model. */
async function startPriced(): Promise<void> {
  const { path, remove } = temporaryFolder();
  writeFileSync(`${path}/prices.json`, JSON.stringify(PRICES));
  await start({}, {}, { PRICES_FILE: `${path}/prices.json` });
  remove();
}

const row = (fields: Record<string, unknown>) =>
  expect.objectContaining({
    endpoint: 'health_check',
    provider: 'one',
    key: 'providers file',
    asked_model: null,
    used_model: 'one',
    outcome: 'ok',
    ...fields,
  });
const counted = { input_tokens: 70, cache_read_tokens: 30, output_tokens: 1, cost: expect.closeTo(COST, 9) };
const rowsOfFirst = () => app.usageRows.filter(({ provider }) => provider === 'one');
const completion = (usage: unknown) => ({ model: 'one', choices: [{ index: 0, message: { content: 'H' } }], usage });

test.each([
  ['at the end of a body', json(200, completion(USAGE)), counted],
  ['in a choice', json(200, { choices: [{ message: { content: 'H' }, usage: USAGE }] }), counted],
  [
    'at the end of a stream',
    stream(delta({ content: 'H' }), delta({}, 'stop'), { choices: [], usage: USAGE }),
    counted,
  ],
  ['not at all', json(200, completion(undefined)), { input_tokens: null, output_tokens: null, cost: null }],
] as const)('the tokens of a health check are a row of their own (reported %s)', async (_where, answer, fields) => {
  await startPriced();
  behaviour = answer;
  await check();
  expect(rowsOfFirst()).toEqual([row(fields)]);
  expect(answered()).toBe(true);
});

test.each([false, true])(
  'R693 an answer of the Responses API without a word is an answer (stream: %s)',
  async (isStream) => {
    const usage = { input_tokens: 100, output_tokens: 1, input_tokens_details: { cached_tokens: 30 } };
    const reason = { reason: 'max_output_tokens' };
    await start({ protocol: 'responses' });
    const response = { object: 'response', status: 'incomplete', incomplete_details: reason, output: [], usage };
    const streamed: Behaviour = (reply) => {
      openEvents(reply);
      reply.end(`data: ${JSON.stringify({ type: 'response.incomplete', response })}\n\n`);
    };
    behaviour = isStream ? streamed : json(200, response);
    await check();
    expect(rowsOfFirst()).toEqual([row({ input_tokens: 70, cache_read_tokens: 30, output_tokens: 1 })]);
    expect(answered()).toBe(true);
    const request = first.requests.at(-1);
    expect(request?.path).toBe('/v1/responses');
    expect(request?.body).toMatchObject({ max_output_tokens: 16, store: false });
  },
);

test('the tokens of a health check of a Messages API are counted by its own words', async () => {
  const usage = { input_tokens: 70, cache_read_input_tokens: 30, output_tokens: 1 };
  await start({ preset: 'custom-anthropic' });
  behaviour = json(200, { type: 'message', model: 'one', content: [], usage });
  await check();
  expect(rowsOfFirst()).toEqual([row({ input_tokens: 70, cache_read_tokens: 30, output_tokens: 1 })]);
});

test.each([
  ['is answered with an error', 'request', broken],
  ['asks for the models', 'models', json(200, { data: [], usage: USAGE })],
] as const)('a health check that %s has no row', async (_what, question, answer) => {
  await start({}, { health_check: question });
  behaviour = answer;
  await check();
  expect(rowsOfFirst()).toEqual([]);
});

test('a stream that never says what it has used is an answer all the same, after a moment', async () => {
  await start({ quirks: { usage_wait_ms: 1 }, api_keys: ['key-of-one-0002'] });
  behaviour = (response) => {
    openEvents(response);
    response.write(frame(delta({ content: 'H' })));
  };
  await check();
  expect(rowsOfFirst()).toEqual([
    row({ key: expect.stringMatching(/^providers\[0\]\.api_key/), input_tokens: null, cost: null }),
  ]);
  expect(answered()).toBe(true);
});

test('health checks are in tokens and cost, and in nothing that is reported of requests', async () => {
  await startPriced();
  behaviour = json(200, completion(USAGE));
  await check();
  const read = async (path: string) => (await call(app.url + path)).text;
  const { total, days } = app.services.usage.snapshot();
  expect(total).toMatchObject({ requests: 0, checks: 2, failed: 0, output: 3, cacheRead: 30, unpriced: 1 });
  expect(days).toEqual([[expect.any(String), total]]);
  expect(JSON.parse(await read('/v1/stats'))).toMatchObject({
    total_requests: 0,
    health_checks: 2,
    total_output_tokens: 3,
    models: { one: { requests: 0, health_checks: 1, cost_usd: COST }, two: { cost_usd: null } },
  });
  expect(JSON.parse(await read('/health'))).toMatchObject({
    requests: { total: 0, ok: 0 },
    tokens: { input: 80, cache_read: 30, output: 3 },
    last_success_at: null,
  });
  const metrics = await read('/metrics');
  for (const line of [
    'health_checks_total{model="one",provider="one"} 1',
    'tokens_total{kind="cache_read",model="one",provider="one",key="providers file"} 30',
    'cost_dollars_total{model="one",provider="one",key="providers file"} 0.000095',
    'unpriced_requests_total{model="two",provider="two"} 1',
  ]) {
    expect(metrics).toContain(`claude_code_proxy_${line}\n`);
  }
  expect(metrics).not.toMatch(
    /^claude_code_proxy_(?:requests_total|request_duration_seconds|first_event_seconds)\w*\{/m,
  );
  expect(app.log.filter(({ event }) => event === 'request')).toEqual([]);
});
