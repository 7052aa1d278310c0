import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseHealth } from '../../src/cli/supervisor/health.ts';
import { type FakeUpstream, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { call, message, startApp, type TestApp } from '../helpers/startApp.ts';

let upstream: FakeUpstream;
let app: TestApp;

beforeAll(async () => {
  upstream = await startFakeUpstream({ large: words('fine') });
  app = await startApp({ OPENAI_BASE_URL: upstream.url, BIG_MODEL: 'large', SMALL_MODEL: 'tiny' });
});

afterAll(async () => {
  await app.close();
  await upstream.close();
});

test('R501 the message route is found with and without /v1, doubled, with a query and a slash at the end', async () => {
  for (const path of ['/v1/messages', '/v1/messages?beta=true', '/v1/messages/', '/v1/v1/messages', '/messages']) {
    expect((await call(app.url + path, message('large'))).status, path).toBe(200);
  }
});

test('R502 count_tokens answers without a provider, for what has neither max_tokens nor messages', async () => {
  upstream.requests.length = 0;
  const count = async (fields: Record<string, unknown>) => {
    const options = message('large', { max_tokens: undefined, ...fields });
    return JSON.parse((await call(`${app.url}/v1/messages/count_tokens?beta=true`, options)).text).input_tokens;
  };
  expect(await count({ messages: [] })).toBeGreaterThanOrEqual(1);
  const short = await count({});
  const tools = [{ name: 'Read', description: 'Reads a file', input_schema: { type: 'object', properties: {} } }];
  expect(await count({ tools })).toBeGreaterThan(short);
  expect(upstream.requests).toHaveLength(0);
});

test('R502 the count follows the provider’s own figures', async () => {
  const before = JSON.parse((await call(`${app.url}/v1/messages/count_tokens`, message('large'))).text).input_tokens;
  for (let turn = 0; turn < 30; turn += 1) await call(`${app.url}/v1/messages`, message('large'));
  const after = JSON.parse((await call(`${app.url}/v1/messages/count_tokens`, message('large'))).text).input_tokens;
  expect(Math.abs(after - 10)).toBeLessThanOrEqual(Math.abs(before - 10));
});

test('R503 the models are listed, in pages, and one by one, also by the names that mean their tiers', async () => {
  const list = JSON.parse((await call(`${app.url}/v1/models?limit=1000`)).text);
  expect(list.data.map((model: { id: string }) => model.id)).toEqual(['large', 'tiny']);
  expect(list).toMatchObject({ has_more: false, first_id: 'large', last_id: 'tiny' });
  const page = JSON.parse((await call(`${app.url}/v1/models?limit=1`)).text);
  expect(page).toMatchObject({ has_more: true, first_id: 'large', last_id: 'large' });
  expect(JSON.parse((await call(`${app.url}/v1/models/claude-test--tiny`)).text)).toMatchObject({
    type: 'model',
    id: 'claude-test--tiny',
  });
  const ofClient = JSON.parse((await call(`${app.url}/v1/models/claude-haiku-5-5`)).text);
  expect(ofClient).toMatchObject({ type: 'model', id: 'claude-haiku-5-5', display_name: 'tiny' });
  expect((await call(`${app.url}/v1/models/unheard-of`)).status).toBe(404);
  expect((await call(`${app.url}/v1/messages`, message('claude-test--large'))).status).toBe(200);
});

test('R504 health says who answers and how it fares, without a key', async () => {
  await call(`${app.url}/v1/messages`, message('large'));
  const answer = await call(`${app.url}/health`);
  expect(answer.status).toBe(200);
  expect(JSON.parse(answer.text)).toMatchObject({
    service: 'claude-code-proxy',
    instance: 'test',
    pid: process.pid,
    version: 'test',
    state: 'serving',
    models: { big: 'large', middle: 'large', small: 'tiny' },
    key: 'file',
    in_flight: 0,
    requests: { total: expect.any(Number), failed: 0, client_closed: 0 },
    last_success_at: expect.stringMatching(/^\d{4}-/),
    last_error: null,
    log: { dropped: 0, healthy: true },
  });
  expect(answer.text).not.toContain('key-of-the-provider');
});

test('R504 the manager reads health reports to the last byte, with an error and without', async () => {
  const failing = await startApp({ OPENAI_BASE_URL: 'http://127.0.0.1:9', BIG_MODEL: 'large', MAX_RETRIES: '0' });
  const failed = await call(`${failing.url}/v1/messages`, message('large'));
  expect(failed.status).toBeGreaterThanOrEqual(500);
  const reports = await Promise.all([app, failing].map(async ({ url }) => (await call(`${url}/health`)).text));
  expect(reports.map((report) => JSON.stringify(parseHealth(report)))).toEqual(reports);
  expect(reports.map((report) => parseHealth(report)?.last_error?.status)).toEqual([undefined, failed.status]);
  await failing.close();
});

test('R504 GET / says what the instance is and where its endpoints are', async () => {
  expect(JSON.parse((await call(`${app.url}/`)).text)).toMatchObject({
    status: 'running',
    instance: 'test',
    config: { big_model: 'large', small_model: 'tiny', api_key_configured: true, client_api_key_validation: false },
    endpoints: { messages: 'POST /v1/messages' },
  });
});

test('R505 the client’s telemetry is taken and thrown away', async () => {
  const answer = await call(`${app.url}/api/event_logging/v2/batch`, message('large'));
  expect([answer.status, answer.text]).toEqual([200, '{}']);
});

test('R150 a search that nobody can do fails honestly, streamed or not, without asking the provider', async () => {
  upstream.requests.length = 0;
  const search = {
    tools: [{ type: 'web_search_20250305', name: 'web_search' }],
    messages: [{ role: 'user', content: 'Perform a web search for the query: the weather' }],
  };
  const whole = JSON.parse((await call(`${app.url}/v1/messages`, message('large', search))).text);
  expect(whole.content).toMatchObject([
    { type: 'server_tool_use', name: 'web_search', input: { query: 'the weather' } },
    { type: 'web_search_tool_result', content: { error_code: 'unavailable' } },
    { type: 'text' },
  ]);
  const streamed = await call(`${app.url}/v1/messages`, message('large', { ...search, stream: true }));
  expect(streamed.text).toContain('"error_code":"unavailable"');
  expect(upstream.requests).toHaveLength(0);
});

test('a draining instance says so, and that its connections end', async () => {
  const leaving = await startApp({ OPENAI_BASE_URL: upstream.url, BIG_MODEL: 'large', SMALL_MODEL: 'tiny' });
  leaving.setDraining();
  const health = await call(`${leaving.url}/health`);
  expect([health.status, JSON.parse(health.text).state]).toEqual([503, 'draining']);
  const answer = await call(`${leaving.url}/v1/messages`, message('large'));
  expect([answer.status, answer.headers.connection]).toEqual([200, 'close']);
  await leaving.close();
});

test('R513 the variables for the client are served as lines for a shell, without a token', async () => {
  const token = 'token-of-this-instance-0123456789';
  const guarded = await startApp({
    PROVIDER: 'kimi',
    BIG_MODEL: "it's",
    SMALL_MODEL: 'kimi-k2.6',
    QUIRK_CONTEXT_WINDOW: '262144',
    ANTHROPIC_API_KEY: token,
  });
  expect((await call(`${guarded.url}/env`)).status).toBe(401);
  const { text } = await call(`${guarded.url}/env`, { headers: { 'x-api-key': token } });
  const shown = execFileSync(
    'sh',
    [
      '-c',
      `${text}\nprintf '%s|' "$ANTHROPIC_DEFAULT_OPUS_MODEL" "$ANTHROPIC_DEFAULT_HAIKU_MODEL" "$CLAUDE_CODE_AUTO_COMPACT_WINDOW" "$ANTHROPIC_AUTH_TOKEN" "$ANTHROPIC_API_KEY"`,
    ],
    { encoding: 'utf8', env: {} },
  );
  expect(shown).toBe("it's|kimi-k2.6|262144|unused||");
  expect(text).toContain(`export ANTHROPIC_BASE_URL='http://127.0.0.1:8080'`);
  expect(text).not.toContain(token);
  await guarded.close();
});
