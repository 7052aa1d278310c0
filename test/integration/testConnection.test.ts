import { get as httpGet } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createConnectionTest } from '../../src/gateway/connectionTest.ts';
import { type FakeUpstream, json, openEvents, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { type Answer, call, type Settings, startApp, type TestApp } from '../helpers/startApp.ts';
import { freePort } from '../helpers/startBinary.ts';

let upstream: FakeUpstream;
let app: TestApp;

async function start(settings: Settings = {}): Promise<void> {
  app = await startApp({
    OPENAI_BASE_URL: upstream.url,
    BIG_MODEL: 'large',
    SMALL_MODEL: 'tiny',
    MAX_RETRIES: '0',
    ...settings,
  });
}

const ask = (headers: Record<string, string> = {}) => call(`${app.url}/test-connection`, { headers });
const bodyOf = (answer: Answer): Record<string, unknown> => JSON.parse(answer.text);

/** An error as a chat completions server words it. */
const refusal = (status: number, message: string) => json(status, { error: { message } });

beforeEach(async () => {
  upstream = await startFakeUpstream({
    tiny: words('ready'),
    'bad-key': refusal(401, 'Incorrect API key provided'),
    gone: refusal(404, 'The model `gone` does not exist'),
    silent: openEvents,
    broken: (response) => {
      openEvents(response);
      response.write('data: {"choices":[{"index":0,"delta":{"content":"re"}}]}\n\n', () => response.destroy());
    },
  });
});

afterEach(async () => {
  await app.close();
  await upstream.close();
});

test('a provider that answers: one small streamed request to the small model', async () => {
  await start();
  const answer = await ask();
  expect(answer.status).toBe(200);
  expect(bodyOf(answer)).toEqual({
    status: 'success',
    message: 'Any OpenAI-compatible server answers',
    model_used: 'tiny',
    provider: 'custom',
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    response_id: expect.stringMatching(/^msg_/),
    first_token_ms: expect.any(Number),
  });
  expect(upstream.requests).toHaveLength(1);
  expect(upstream.requests[0]?.body).toMatchObject({ model: 'tiny', stream: true, max_tokens: 16 });
  expect(app.log.find(({ event }) => event === 'request')).toMatchObject({ endpoint: '/test-connection' });
  expect(app.usageRows).toEqual([
    expect.objectContaining({ endpoint: '/test-connection', input_tokens: 10, output_tokens: 2 }),
  ]);
});

describe('a provider that fails is 503, with what to try', () => {
  test.each([
    ['bad-key', 'authentication_error', 'the provider rejected OPENAI_API_KEY', 'REGION'],
    ['gone', 'not_found_error', 'does not know the model gone', 'SMALL_MODEL'],
    ['broken', 'overloaded_error', 'the answer broke off', 'status page'],
  ])('%s', async (model, errorType, words, suggestion) => {
    await start({ SMALL_MODEL: model });
    const answer = await ask();
    expect(answer.status).toBe(503);
    expect(bodyOf(answer)).toEqual({
      status: 'failed',
      error_type: errorType,
      message: expect.stringContaining(words),
      timestamp: expect.stringMatching(/^\d{4}-/),
      suggestions: expect.arrayContaining([expect.stringContaining(suggestion)]),
    });
  });

  test('unreachable', async () => {
    await start({ OPENAI_BASE_URL: `http://127.0.0.1:${await freePort()}/v1` });
    expect(bodyOf(await ask())).toMatchObject({
      error_type: 'overloaded_error',
      message: expect.stringContaining('ECONNREFUSED'),
      suggestions: [expect.stringContaining('OPENAI_BASE_URL'), expect.any(String)],
    });
  });

  test('no key in the env file, and none from the caller', async () => {
    await start({ OPENAI_API_KEY: '' });
    expect(bodyOf(await ask())).toMatchObject({ error_type: 'authentication_error' });
    expect((await ask({ 'x-api-key': 'key-of-the-caller' })).status).toBe(200);
    expect(upstream.requests[0]?.headers.authorization).toBe('Bearer key-of-the-caller');
  });
});

test('a provider that says nothing is given up, and its request is ended', async () => {
  await start({ SMALL_MODEL: 'silent' });
  const caller = { id: 'req_1', endpoint: '/test-connection' };
  const forwarded = { query: '', headers: {}, credentials: {}, providerKey: undefined };
  const unknown = { forwarded, session: undefined, agent: undefined, userAgent: undefined };
  const arrived = upstream.nextRequest();
  const { status, body } = await createConnectionTest(100).run(app.services, { ...caller, ...unknown }, () => {});
  expect(status).toBe(503);
  expect(body).toMatchObject({ error_type: 'timeout_error', message: '[test] no whole answer within 0.1 s' });
  await (await arrived).closed;
});

test('one test at a time; a caller who hangs up ends it', async () => {
  await start({ SMALL_MODEL: 'silent' });
  const arrived = upstream.nextRequest();
  const first = httpGet(`${app.url}/test-connection`);
  first.on('error', () => {});
  const { closed } = await arrived;
  const second = await ask();
  expect(second.status).toBe(429);
  expect(second.headers['retry-after']).toBe('1');
  expect(bodyOf(second)).toMatchObject({ error: { type: 'rate_limit_error' } });
  expect(upstream.requests).toHaveLength(1);

  const ended = app.nextRecord();
  first.destroy();
  await closed;
  await ended;
  const third = upstream.nextRequest();
  const last = httpGet(`${app.url}/test-connection`);
  last.on('error', () => {});
  await third;
  last.destroy();
});

test('R507 it costs tokens, so that an instance with a token asks for it', async () => {
  await start({ ANTHROPIC_API_KEY: 'a-token-of-the-instance' });
  expect((await ask()).status).toBe(401);
  expect(upstream.requests).toHaveLength(0);
  expect((await ask({ 'x-api-key': 'a-token-of-the-instance' })).status).toBe(200);
  expect(upstream.requests[0]?.headers.authorization).toBe('Bearer key-of-the-provider');
});

test('a small model that the provider does not know is reported, although another tier answers in its place', async () => {
  await start({ SMALL_MODEL: 'gone', BIG_MODEL: 'tiny' });
  const answer = await ask();
  expect(bodyOf(answer)).toMatchObject({
    status: 'success',
    model_used: 'tiny',
    fallbacks: [{ from: 'custom,gone', reason: expect.stringContaining('does not know the model gone') }],
  });
});
