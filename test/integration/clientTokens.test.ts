import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { renewServices } from '../../src/gateway/configSwap.ts';
import { type Behaviour, type FakeUpstream, json, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { call, message, type Settings, startApp, type TestApp, testConfig } from '../helpers/startApp.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';

const OWNER = 'token-of-the-owner-0123456789';
const tokenOf = (name: string) => `ccp-${name}-0123456789abcdef`;
const hashOf = (name: string) => createHash('sha256').update(tokenOf(name)).digest('hex');

let folder: ReturnType<typeof temporaryFolder>;
let upstream: FakeUpstream;
let behaviour: Behaviour;
let app: TestApp;
let settings: Settings;

beforeEach(async () => {
  folder = temporaryFolder();
  behaviour = words('fine');
  upstream = await startFakeUpstream({ '*': (response, request) => behaviour(response, request) });
});

afterEach(async () => {
  vi.restoreAllMocks();
  await app.close();
  await upstream.close();
  folder.remove();
});

type Clients = readonly ({ readonly name: string } & Record<string, unknown>)[];

function write(clients: Clients): Settings {
  const file = join(folder.path, 'clients.json');
  writeFileSync(file, JSON.stringify({ clients: clients.map((one) => ({ sha256: hashOf(one.name), ...one })) }));
  return { CLIENT_TOKENS_FILE: file };
}

async function start(clients: Clients, more: Settings = {}): Promise<void> {
  settings = {
    OPENAI_BASE_URL: upstream.url,
    BIG_MODEL: 'large',
    MIDDLE_MODEL: 'medium',
    SMALL_MODEL: 'little',
    ANTHROPIC_API_KEY: OWNER,
    ...write(clients),
    ...more,
  };
  app = await startApp(settings);
}

/** Takes a changed file over, as a reload does. */
function change(clients: Clients): void {
  app.live.replace(renewServices(app.live.current, testConfig({ ...settings, ...write(clients) }), 'test'));
}

const ask = (token: string, model = 'claude-opus-5', fields: Record<string, unknown> = {}, path = '/v1/messages') =>
  call(app.url + path, {
    ...message(model, fields),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
  });
const get = (path: string, token: string) => call(app.url + path, { headers: { authorization: `Bearer ${token}` } });
const countStatus = (answers: readonly { readonly status: number }[], status: number) =>
  answers.filter((one) => one.status === status).length;

test('a client is known by its token in log, usage and metrics, and its provider learns neither name nor token', async () => {
  await start([{ name: 'alice' }, { name: 'bob' }]);
  expect((await ask(tokenOf('alice'))).status).toBe(200);
  expect((await ask(tokenOf('bob'))).status).toBe(200);
  expect((await ask(OWNER)).status).toBe(200);
  expect(app.usageRows.map(({ client }) => client)).toEqual(['alice', 'bob', null]);
  expect(app.log.filter(({ event }) => event === 'request').map(({ client }) => client)).toEqual([
    'alice',
    'bob',
    undefined,
  ]);
  const { text } = await get('/metrics', OWNER);
  expect(text).toContain('claude_code_proxy_client_requests_total{client="alice",outcome="ok"} 1');
  expect(text).toContain('claude_code_proxy_client_tokens_total{client="bob"} 12');
  const sent = JSON.stringify(upstream.requests.map(({ text: body, headers, path }) => [body, headers, path]));
  expect(sent).not.toMatch(/alice|bob/);
});

test('where the client’s own provider key is passed on to a Messages API, its token is not', async () => {
  await start([{ name: 'alice' }], { PROVIDER: 'custom', PROTOCOL: 'anthropic', OPENAI_API_KEY: '' });
  behaviour = json(200, { type: 'message', content: [], usage: { input_tokens: 1, output_tokens: 1 } });
  await call(`${app.url}/v1/messages`, {
    ...message('claude-opus-5'),
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${tokenOf('alice')}`,
      'x-api-key': 'key-of-alices-own',
    },
  });
  expect(upstream.requests).toHaveLength(1);
  const sent = JSON.stringify(upstream.requests.map(({ text: body, headers }) => [body, headers]));
  expect(sent).toContain('key-of-alices-own');
  expect(sent).not.toContain('ccp-alice');
});

test('of 64 requests at once as many are admitted as a minute allows', async () => {
  await start([{ name: 'alice', requests_per_minute: 10 }, { name: 'bob' }]);
  const answers = await Promise.all(Array.from({ length: 64 }, () => ask(tokenOf('alice'))));
  expect([countStatus(answers, 200), countStatus(answers, 429)]).toEqual([10, 54]);
  expect(upstream.requests).toHaveLength(10);
  const refused = answers.find(({ status }) => status === 429);
  const seconds = Number(refused?.headers['retry-after']);
  expect(seconds).toBeGreaterThan(50);
  expect(JSON.parse(refused?.text ?? '').error).toMatchObject({
    type: 'rate_limit_error',
    message: expect.stringMatching(/^alice may make 10 requests a minute; again in (?:\d\d s|1 min)$/),
  });
  expect((await ask(tokenOf('bob'))).status).toBe(200);
});

test('of 64 requests at once as many are admitted as the tokens of the day allow, and what they did not use is free again', async () => {
  await start([{ name: 'alice', tokens_per_day: 20 * 1200 }]);
  let arrived = 0;
  const goOn: (() => void)[] = [];
  behaviour = async (response, request) => {
    arrived += 1;
    await new Promise<void>((resolve) => goOn.push(resolve));
    await words('fine', { prompt_tokens: 90, completion_tokens: 10 })(response, request);
  };
  // Each may use some 1,100 tokens: its 1,000 of output and a third of its bytes.
  const all = Promise.all(
    Array.from({ length: 64 }, () => ask(tokenOf('alice'), 'claude-opus-5', { max_tokens: 1000 })),
  );
  await expect.poll(() => app.log.filter(({ status }) => status === 429).length).toBeGreaterThan(40);
  await expect.poll(() => goOn.length).toBe(64 - app.log.filter(({ status }) => status === 429).length);
  for (const release of goOn) release();
  const answers = await all;
  const admitted = countStatus(answers, 200);
  expect(admitted).toBe(arrived);
  expect(admitted).toBeGreaterThanOrEqual(20);
  expect(admitted * 1000).toBeLessThanOrEqual(20 * 1200);
  expect(countStatus(answers, 429)).toBe(64 - admitted);
  expect(answers.find(({ status }) => status === 429)?.headers).toMatchObject({ 'retry-after': '5' });
  behaviour = words('fine');
  expect((await ask(tokenOf('alice'))).status).toBe(200);
});

test('a day’s tokens that are used up are said once and for all, so that Claude Code shows it', async () => {
  await start([{ name: 'alice', tokens_per_day: 12 }]);
  expect((await ask(tokenOf('alice'))).status).toBe(200);
  const refused = await ask(tokenOf('alice'), 'claude-opus-5', { stream: true });
  expect(refused.status).toBe(429);
  expect(refused.headers['x-should-retry']).toBe('false');
  expect(JSON.parse(refused.text).error.message).toMatch(
    /^alice has used the 12 tokens of this day that its token allows; again in \d+ (?:s|min|h)/,
  );
  expect((await ask(tokenOf('alice'), 'large', {}, '/v1/chat/completions')).status).toBe(429);
  expect((await ask(OWNER)).status).toBe(200);
});

test('the cost of a month is limited by the prices that are known', async () => {
  const prices = join(folder.path, 'prices.json');
  writeFileSync(prices, JSON.stringify({ large: { input: 1_000_000, output: 0 } }));
  await start([{ name: 'alice', cost_per_month: 10 }], { PRICES_FILE: prices });
  expect((await ask(tokenOf('alice'))).status).toBe(200);
  const refused = await ask(tokenOf('alice'));
  expect([refused.status, JSON.parse(refused.text).error.message]).toEqual([
    429,
    expect.stringContaining('alice has used the $10 of this month that its token allows'),
  ]);
});

test('a token that is revoked is refused by the next request, and a changed limit holds for it', async () => {
  await start([{ name: 'alice', requests_per_minute: 1 }, { name: 'bob' }]);
  await ask(tokenOf('alice'));
  expect((await ask(tokenOf('alice'))).status).toBe(429);
  change([{ name: 'alice', requests_per_minute: 2 }]);
  expect((await ask(tokenOf('alice'))).status).toBe(200);
  expect((await ask(tokenOf('alice'))).status).toBe(429);
  const refused = await ask(tokenOf('bob'));
  expect([refused.status, JSON.parse(refused.text).error]).toEqual([
    401,
    {
      type: 'authentication_error',
      message:
        'the token is not the ANTHROPIC_API_KEY of this instance’s env file, nor that of a client, or it was revoked',
    },
  ]);
  expect((await ask(OWNER)).status).toBe(200);
});

test('a token is valid until the end of its last day; an expired one is no guess, however often it comes', async () => {
  await start([{ name: 'alice', expires: '2026-11-30' }, { name: 'bob' }]);
  const at = vi.spyOn(app.services.clock, 'now').mockReturnValue(new Date(2026, 10, 30, 23, 59).getTime());
  expect((await ask(tokenOf('alice'))).status).toBe(200);
  at.mockReturnValue(new Date(2026, 11, 1, 0, 0).getTime());
  for (let time = 0; time < 25; time += 1) {
    const refused = await ask(tokenOf('alice'));
    expect([refused.status, JSON.parse(refused.text).error.message]).toEqual([
      401,
      'the token of alice was valid until 2026-11-30; ask the owner of this instance for a new one',
    ]);
  }
  expect((await ask(tokenOf('bob'))).status).toBe(200);
});

test('a client uses the models of its list only, also where another model would take over', async () => {
  await start([{ name: 'alice', models: ['middle', 'little'] }]);
  expect((await ask(tokenOf('alice'), 'claude-sonnet-5')).status).toBe(200);
  expect((await ask(tokenOf('alice'), 'claude-haiku-5')).status).toBe(200);
  const refused = await ask(tokenOf('alice'));
  expect([refused.status, refused.headers['x-should-retry'], JSON.parse(refused.text).error]).toEqual([
    403,
    'false',
    { type: 'permission_error', message: 'the token of alice is not for large; it is for middle, little' },
  ]);
  // Before a request fails for a model that is not known, that of another tier is asked; here only the small one may be.
  behaviour = (response, request) =>
    request.body.model === 'medium'
      ? json(404, { error: { message: 'The model does not exist', code: 'model_not_found' } })(response, request)
      : words('fine')(response, request);
  await ask(tokenOf('alice'), 'claude-sonnet-5');
  expect(upstream.requests.map(({ body }) => body.model)).toEqual(['medium', 'little', 'medium', 'little']);
});

test.each(['/env', '/metrics', '/v1/stats', '/test-connection'])('%s is for the owner alone', async (path) => {
  await start([{ name: 'alice' }]);
  const refused = await get(path, tokenOf('alice'));
  expect([refused.status, JSON.parse(refused.text).error.type]).toEqual([403, 'permission_error']);
  expect(refused.text).not.toContain(OWNER);
  expect((await get(path, OWNER)).status).toBe(200);
  expect((await get('/v1/models', tokenOf('alice'))).status).toBe(200);
});
