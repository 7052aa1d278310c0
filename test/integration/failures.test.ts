import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import {
  type Behaviour,
  delta,
  type FakeUpstream,
  frame,
  inTurn,
  json,
  openEvents,
  startFakeUpstream,
  stream,
  words,
} from '../helpers/fakeUpstream.ts';
import { call, message, readEvents, startApp, type TestApp } from '../helpers/startApp.ts';

const limited = json(429, { error: { message: 'slow down', type: 'rate_limit_exceeded' } }, { 'retry-after': '0' });
const limitedForLong = json(429, { error: { message: 'slow down' } }, { 'retry-after': '30' });
const broken = json(500, { error: { message: 'boom' } });
const half = delta({ content: 'half an answer' });

const cutAfterText: Behaviour = (response) => {
  openEvents(response);
  response.write(frame(half), () => response.destroy());
};
const endAfterText: Behaviour = (response) => {
  openEvents(response);
  response.end(frame(half));
};
const resetAtOnce: Behaviour = (response) => {
  response.destroy();
};

const behaviours: Record<string, () => Behaviour> = {
  'bad-key': () => json(401, { error: { message: 'Incorrect API key provided: key-of-the-provider' } }),
  'bad-request': () => json(400, { error: { message: 'no such parameter' } }),
  overflow: () =>
    json(400, {
      error: {
        code: 'context_length_exceeded',
        message: 'maximum context length is 100 tokens. However, your messages resulted in 200 tokens.',
      },
    }),
  'limited-then-fine': () => inTurn(limited, limited, words('fine')),
  'limited-for-long': () => limitedForLong,
  'broken-then-fine': () => inTurn(broken, words('fine')),
  broken: () => broken,
  'reset-then-fine': () => inTurn(resetAtOnce, words('fine')),
  html: () => json(200, '<html><title>Welcome</title></html>', { 'content-type': 'text/html' }),
  'error-in-200': () => json(200, { error: { message: 'quota gone', code: 'insufficient_quota' } }),
  'error-first': () => stream({ error: { message: 'overloaded', code: 503 } }),
  'error-later': () => stream(half, { error: { message: 'the server had an error', code: 500 } }),
  'cut-after-text': () => cutAfterText,
  'end-after-text': () => endAfterText,
  'empty-then-fine': () => inTurn(stream(delta({}, 'stop')), words('fine')),
  empty: () => stream(delta({}, 'stop')),
  'empty-with-usage-then-fine': () =>
    inTurn(
      stream(delta({}, 'stop'), { choices: [], usage: { prompt_tokens: 500, completion_tokens: 90 } }),
      words('fine'),
    ),
};

let upstream: FakeUpstream;
let app: TestApp;

beforeAll(async () => {
  upstream = await startFakeUpstream(
    Object.fromEntries(Object.entries(behaviours).map(([name, make]) => [name, make()])),
  );
  app = await startApp({ OPENAI_BASE_URL: upstream.url, BIG_MODEL: 'x', SMALL_MODEL: 'y' });
});

afterAll(async () => {
  await app.close();
  await upstream.close();
});

beforeEach(() => {
  upstream.requests.length = 0;
});

const ask = (model: string, streamed = true) => call(`${app.url}/v1/messages`, message(model, { stream: streamed }));

test.each([
  ['bad-key', 401, 'authentication_error', { 'x-should-retry': 'false' }, 1],
  ['bad-request', 400, 'invalid_request_error', {}, 1],
  ['overflow', 400, 'invalid_request_error', {}, 1],
  ['limited-for-long', 429, 'rate_limit_error', { 'retry-after': '30' }, 1],
  ['broken', 529, 'overloaded_error', { 'retry-after': '2' }, 3],
  ['html', 502, 'api_error', {}, 1],
  ['error-in-200', 402, 'billing_error', { 'x-should-retry': 'false' }, 1],
  ['error-first', 529, 'overloaded_error', {}, 3],
] as const)('R317 R401 R402 before the first event %s is a real %i %s', async (model, status, type, headers, asked) => {
  for (const streamed of [true, false]) {
    upstream.requests.length = 0;
    const answer = await ask(model, streamed);
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({ 'content-type': expect.stringContaining('application/json'), ...headers });
    const body = JSON.parse(answer.text);
    expect(body).toMatchObject({ type: 'error', error: { type }, request_id: answer.headers['request-id'] });
    expect(answer.text).not.toContain('key-of-the-provider');
    expect(upstream.requests).toHaveLength(asked);
  }
});

test('R404 an overflow is reported in the words by which the client compacts', async () => {
  expect(JSON.parse((await ask('overflow')).text).error.message).toBe('prompt is too long: 200 tokens > 100 maximum');
});

test('R407 a rejected key names the variable to repair, never the key', async () => {
  expect(JSON.parse((await ask('bad-key')).text).error.message).toBe(
    '[test 401] the provider rejected OPENAI_API_KEY: Incorrect API key provided: **** (./manage key test)',
  );
});

test('commands in messages are called as the user calls them', async () => {
  const settings = { OPENAI_BASE_URL: upstream.url, BIG_MODEL: 'x', SMALL_MODEL: 'y' };
  const installed = await startApp(settings, undefined, { MANAGER_COMMAND: 'ccp' });
  onTestFinished(() => installed.close());
  const messageOf = async (model: string) =>
    JSON.parse((await call(`${installed.url}/v1/messages`, message(model))).text).error.message;
  expect(await messageOf('bad-key')).toMatch(/ \(ccp key test\)$/);
});

test.each([
  ['limited-then-fine', 3],
  ['broken-then-fine', 2],
  ['reset-then-fine', 2],
  ['empty-then-fine', 2],
])('R409 R215 %s is repeated and answered', async (model, asked) => {
  const answer = await ask(model);
  expect(answer.status).toBe(200);
  expect(answer.text).toContain('"text":"fine"');
  expect(upstream.requests).toHaveLength(asked);
});

test('R215 an answer that stays empty is asked for once more only', async () => {
  const answer = await ask('empty');
  expect(readEvents(answer.text).map(([type]) => type)).toEqual(['message_start', 'message_delta', 'message_stop']);
  expect(upstream.requests).toHaveLength(2);
});

test('R215 the tokens of an empty answer that was asked for again are counted, too', async () => {
  const record = app.nextRecord();
  await ask('empty-with-usage-then-fine');
  expect(await record).toMatchObject({ attempts: 2, input_tokens: 510, output_tokens: 92 });
});

test('R215 an empty answer to a tool result is not asked for again', async () => {
  const messages = [
    { role: 'user', content: 'go' },
    { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'Read', input: {} }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'done' }] },
  ];
  await call(`${app.url}/v1/messages`, message('empty', { stream: true, messages }));
  expect(upstream.requests).toHaveLength(1);
});

test.each(['error-later', 'cut-after-text', 'end-after-text'])(
  'R316 R318 R319 after the first event %s ends in an error event and nothing else',
  async (model) => {
    const record = app.nextRecord();
    const answer = await ask(model);
    expect(answer.status).toBe(200);
    const types = readEvents(answer.text).map(([type]) => type);
    expect(types.at(-1)).toBe('error');
    expect(types).not.toContain('message_stop');
    expect(types).not.toContain('message_delta');
    expect(readEvents(answer.text).at(-1)?.[1]).toMatchObject({ error: { type: 'overloaded_error' } });
    expect(upstream.requests).toHaveLength(1);
    expect(await record).toMatchObject({ outcome: 'interrupted', status: 200, error_type: 'overloaded_error' });
  },
);

test.each(['cut-after-text', 'end-after-text'])(
  'R316 without streaming %s is an error with a status',
  async (model) => {
    expect((await ask(model, false)).status).toBe(529);
  },
);

test('R402 a provider that cannot be reached is 529 after our own repetitions', async () => {
  const alone = await startApp({
    OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
    BIG_MODEL: 'x',
    SMALL_MODEL: 'x',
    MAX_RETRIES: '0',
  });
  const answer = await call(`${alone.url}/v1/messages`, message('x'));
  expect(answer.status).toBe(529);
  expect(JSON.parse(answer.text).error.message).toMatch(/^\[test\] connection failed \(ECONNREFUSED\)/);
  await alone.close();
});

test.each([
  ['not JSON', '{"model":', 'the body is not JSON'],
  ['no model', '{"messages":[{"role":"user","content":"x"}]}', 'model'],
  ['no messages', '{"model":"x","max_tokens":1,"messages":[]}', 'messages'],
])('R105 a request with %s is refused with 400', async (_name, body, words) => {
  const answer = await call(`${app.url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.text).error).toMatchObject({
    type: 'invalid_request_error',
    message: expect.stringContaining(words),
  });
  expect(upstream.requests).toHaveLength(0);
});
