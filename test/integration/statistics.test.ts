import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type FakeUpstream, json, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { call, message, type Settings, startApp, type TestApp } from '../helpers/startApp.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';

const USAGE = {
  prompt_tokens: 1000,
  completion_tokens: 100,
  prompt_tokens_details: { cached_tokens: 400 },
  completion_tokens_details: { reasoning_tokens: 30 },
};
const PRICES = { priced: { input: 1, output: 10, cacheRead: 0.5 }, half: { input: 1, output: 10 } };
/** 600 of input at 1, 400 from the cache at 0.5, 100 of output at 10 dollars per million. */
const COST = 0.0018;

let upstream: FakeUpstream;
let prices: ReturnType<typeof temporaryFolder>;

beforeAll(async () => {
  upstream = await startFakeUpstream({
    priced: words('fine', USAGE),
    half: words('fine', USAGE),
    refusing: json(400, { error: { message: 'no' } }),
  });
  prices = temporaryFolder();
  writeFileSync(`${prices.path}/prices.json`, JSON.stringify(PRICES));
});

afterAll(async () => {
  prices.remove();
  await upstream.close();
});

async function start(settings: Settings = {}): Promise<TestApp> {
  const app = await startApp({
    OPENAI_BASE_URL: upstream.url,
    BIG_MODEL: 'priced',
    SMALL_MODEL: 'half',
    MAX_RETRIES: '0',
    PRICES_FILE: `${prices.path}/prices.json`,
    ...settings,
  });
  onTestFinished(() => app.close());
  return app;
}

/** Asks and waits until the request is counted. */
async function ask(app: TestApp, model: string, fields: Record<string, unknown> = {}, headers = {}): Promise<void> {
  const counted = app.nextRecord();
  const options = message(model, fields);
  await call(`${app.url}/v1/messages`, { ...options, headers: { ...options.headers, ...headers } });
  await counted;
}

const statsOf = async (app: TestApp) => JSON.parse((await call(`${app.url}/v1/stats`)).text);

describe('each request is a row', () => {
  test.each([false, true])('with its tokens and its cost (stream: %s)', async (stream) => {
    const app = await start();
    const headers = { 'x-claude-code-session-id': 'session-1', 'x-claude-code-agent-id': 'agent-1' };
    await ask(app, 'claude-opus-5', { stream }, headers);
    expect(app.usageRows).toEqual([
      expect.objectContaining({
        id: expect.stringMatching(/^req_/),
        endpoint: '/v1/messages',
        key: 'file',
        tier: 'big',
        asked_model: 'claude-opus-5',
        used_model: 'priced',
        session: expect.stringMatching(/^[0-9a-f]{16}$/),
        agent: 1,
        status: 200,
        outcome: 'ok',
        input_tokens: 600,
        cache_read_tokens: 400,
        cache_write_tokens: 0,
        output_tokens: 100,
        reasoning_tokens: 30,
        estimated: 0,
        cost: expect.closeTo(COST, 9),
        first_event_ms: expect.any(Number),
      }),
    ]);
    expect(app.log.at(-1)).toMatchObject({ cost: expect.closeTo(COST, 9), reasoning_tokens: 30 });
    expect(JSON.stringify(app.usageRows)).not.toContain('key-of-the-provider');
    expect(JSON.stringify(app.usageRows)).not.toContain('hello');
  });

  test('with an unknown cost where a price is unknown, and none where the provider refused', async () => {
    const app = await start();
    await ask(app, 'claude-haiku-5');
    await ask(app, 'refusing');
    expect(app.usageRows.map(({ used_model, outcome, cost }) => [used_model, outcome, cost])).toEqual([
      ['half', 'ok', null],
      ['refusing', 'error', 0],
    ]);
    expect(app.log.filter((line) => line['event'] === 'request')[0]).not.toHaveProperty('cost');
  });

  test('of a model of the models file with its own key and price', async () => {
    const { path } = prices;
    writeFileSync(`${path}/key`, 'key-of-another-server');
    const entry = { model_id: 'own', model_name: 'half', api_base: upstream.url, api_key_name: 'OTHER_KEY' };
    writeFileSync(`${path}/models.json`, JSON.stringify([entry]));
    writeFileSync(`${path}/own-prices.json`, JSON.stringify({ 'custom/own': PRICES.priced }));
    const app = await start({
      MODELS_FILE: `${path}/models.json`,
      OTHER_KEY_FILE: `${path}/key`,
      PRICES_FILE: `${path}/own-prices.json`,
    });
    await ask(app, 'own');
    expect(app.usageRows).toEqual([
      expect.objectContaining({ used_model: 'half', key: 'secret file', cost: expect.closeTo(COST, 9) }),
    ]);
  });

  test('a request for chat completions as well', async () => {
    const app = await start();
    const counted = app.nextRecord();
    await call(`${app.url}/v1/chat/completions`, message('claude-opus-5'));
    await counted;
    expect(app.usageRows).toEqual([
      expect.objectContaining({
        endpoint: '/v1/chat/completions',
        reasoning_tokens: 30,
        cost: expect.closeTo(COST, 9),
      }),
    ]);
  });
});

describe('GET /v1/stats', () => {
  test('has the fields of the earlier system, and cost by model and day', async () => {
    const app = await start();
    await ask(app, 'claude-opus-5', { stream: true });
    await ask(app, 'claude-haiku-5');
    await ask(app, 'refusing');
    const stats = await statsOf(app);
    expect(stats).toMatchObject({
      total_requests: 3,
      total_failed_requests: 1,
      total_input_tokens: 2000,
      total_output_tokens: 200,
      total_tokens: 2200,
      total_cache_creation_tokens: 0,
      total_cache_read_tokens: 800,
      total_cache_hit_tokens: 800,
      total_cache_miss_tokens: 1200,
      total_reasoning_tokens: 60,
      model_usage_count: { priced: 1, half: 1, refusing: 1 },
      total_cost_usd: COST,
      unpriced_requests: 1,
      models: {
        priced: { requests: 1, input_tokens: 1000, cost_usd: COST },
        half: { cost_usd: null, unpriced_requests: 1 },
        refusing: { failed_requests: 1, cost_usd: 0 },
      },
      rows_written: 3,
      rows_dropped: 0,
    });
    expect(stats.days).toEqual([expect.objectContaining({ requests: 3, input_tokens: 2000, unpriced_requests: 1 })]);
    expect(Date.parse(stats.session_start_time)).toBeLessThanOrEqual(Date.now());
    expect(stats.session_duration_seconds).toBeGreaterThanOrEqual(0);
  });
});

describe('GET /metrics', () => {
  test('counts requests, tokens, cost and time in a form that Prometheus reads', async () => {
    const app = await start();
    await ask(app, 'claude-opus-5', { stream: true });
    await ask(app, 'claude-haiku-5');
    await ask(app, 'refusing');
    const { text, headers } = await call(`${app.url}/metrics`);
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    const lines = text.split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'claude_code_proxy_requests_total{outcome="ok",status="200",model="priced",tier="big",provider="custom",key="file"} 1',
        'claude_code_proxy_requests_total{outcome="error",status="400",model="refusing",tier="none",provider="custom",key="file"} 1',
        'claude_code_proxy_tokens_total{kind="cache_read",model="half",provider="custom",key="file"} 400',
        'claude_code_proxy_tokens_total{kind="reasoning",model="priced",provider="custom",key="file"} 30',
        'claude_code_proxy_cost_dollars_total{model="priced",provider="custom",key="file"} 0.0018',
        'claude_code_proxy_unpriced_requests_total{model="half",provider="custom"} 1',
        'claude_code_proxy_first_event_seconds_count{tier="big",provider="custom"} 1',
        'claude_code_proxy_request_duration_seconds_bucket{tier="small",provider="custom",le="+Inf"} 1',
        'claude_code_proxy_requests_in_flight 0',
        `claude_code_proxy_breaker_state{provider="custom",server="${upstream.url}",state="closed"} 1`,
        `claude_code_proxy_breaker_state{provider="custom",server="${upstream.url}",state="open"} 0`,
        'claude_code_proxy_log_lines_dropped_total 0',
        'claude_code_proxy_usage_rows_dropped_total 0',
        expect.stringMatching(/^claude_code_proxy_info\{name="test",provider="[a-z]+",version="test"\} 1$/),
      ]),
    );
    const form =
      /^(?:# (?:HELP|TYPE) [a-z_]+ .+|[a-z_]+(?:\{[a-z]+="(?:[^"\\]|\\.)*"(?:,[a-z]+="(?:[^"\\]|\\.)*")*\})? [\d.e+-]+)$/;
    expect(lines.slice(0, -1).filter((line) => !form.test(line))).toEqual([]);
    expect(lines.at(-1)).toBe('');
    const types = lines.filter((line) => line.startsWith('# TYPE')).map((line) => line.split(' ')[2]);
    expect(new Set(types).size).toBe(types.length);
  });
});

test.each(['/v1/stats', '/metrics'])('%s needs the token where there is one', async (path) => {
  const token = 'token-of-this-instance';
  const app = await start({ ANTHROPIC_API_KEY: token });
  expect((await call(app.url + path)).status).toBe(401);
  expect((await call(app.url + path, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
});

test('/health says how the writing of usage fares', async () => {
  const app = await start();
  await ask(app, 'claude-opus-5');
  expect(JSON.parse((await call(`${app.url}/health`)).text).usage).toEqual({ written: 1, dropped: 0, healthy: true });
});
