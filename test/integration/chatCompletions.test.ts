import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Behaviour,
  delta,
  type FakeUpstream,
  frame,
  json,
  openEvents,
  startFakeUpstream,
} from '../helpers/fakeUpstream.ts';
import { call, startApp, type TestApp } from '../helpers/startApp.ts';

const FRAMES = [
  ': a comment\n\n',
  frame(delta({ role: 'assistant', content: 'ünï' })),
  'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"extra":{"kept":true}}]}}]}\r\n\r\n',
  frame({ choices: [], usage: { prompt_tokens: 7, completion_tokens: 3 } }),
  'data: [DONE]\n\n',
];
const whole = {
  id: 'x',
  unknown: { kept: 1 },
  choices: [{ message: { content: 'hi', tool_calls: null } }],
  usage: { prompt_tokens: 7, completion_tokens: 3 },
};

const answers: Behaviour = (response, request) => {
  if (request.body['stream'] !== true) return json(200, whole)(response, request);
  openEvents(response);
  response.end(FRAMES.join(''));
};
const cutInFrame: Behaviour = (response) => {
  openEvents(response);
  response.write(`${FRAMES[1]}data: {"choices":[{"delta":{"content":"he`, () => response.destroy());
};
const cut: Behaviour = (response) => {
  openEvents(response);
  response.write(FRAMES[1], () => response.destroy());
};

/** What the provider answers for a model, set by a test. */
const upstreamErrors: Record<string, Behaviour> = {};
/** JSON of an error, with numbers that JavaScript cannot hold. */
const bodyOf = (error: Record<string, unknown>) =>
  JSON.stringify({ error }, (_name, value) => (typeof value === 'bigint' ? `#${value}#` : value)).replaceAll(
    /"#(\d+)#"/g,
    '$1',
  );

let upstream: FakeUpstream;
let app: TestApp;

beforeAll(async () => {
  upstream = await startFakeUpstream({
    model: answers,
    cut,
    'cut-in-frame': cutInFrame,
    '*': (response, request) => upstreamErrors[request.body.model]?.(response, request),
  });
  app = await startApp({
    OPENAI_BASE_URL: upstream.url,
    BIG_MODEL: 'model',
    SMALL_MODEL: 'model',
    CUSTOM_HEADER_X_TITLE: 'mine',
  });
});

afterAll(async () => {
  await app.close();
  await upstream.close();
});

const ask = (body: Record<string, unknown>) =>
  call(`${app.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const messages = [
  { role: 'assistant', content: null },
  { role: 'user', content: 'hi' },
];

test('an OpenAI client gets the stream byte for byte, with every field of its request handed on', async () => {
  const record = app.nextRecord();
  const request = {
    model: 'claude-opus-5',
    messages,
    stream: true,
    n: 1,
    logit_bias: { 5: 1 },
    reasoning_effort: 'low',
  };
  const answer = await ask(request);
  expect(answer.text).toBe(FRAMES.join(''));
  expect(answer.headers['content-type']).toContain('text/event-stream');
  expect(upstream.requests.at(-1)?.body).toEqual({ ...request, model: 'model' });
  expect(upstream.requests.at(-1)?.headers).toMatchObject({
    'x-title': 'mine',
    authorization: 'Bearer key-of-the-provider',
  });
  expect(await record).toMatchObject({
    endpoint: '/v1/chat/completions',
    outcome: 'ok',
    input_tokens: 7,
    output_tokens: 3,
    upstream_model: 'model',
  });
});

test('an answer that holds too much to be parsed, as with logprobs, is handed on without its usage', async () => {
  const content = Array(6000).fill({ token: 'a', top_logprobs: Array(20).fill(-0.5) });
  const large = { ...whole, choices: [{ message: { content: 'hi' }, logprobs: { content } }] };
  upstreamErrors['logprobs'] = json(200, large);
  const record = app.nextRecord();
  expect(JSON.parse((await ask({ model: 'logprobs', messages, logprobs: true })).text)).toEqual(large);
  expect(await record).toMatchObject({ outcome: 'ok' });
});

test('an OpenAI client gets a whole answer with its unknown fields', async () => {
  expect(JSON.parse((await ask({ model: 'model', messages })).text)).toEqual(whole);
});

test.each([
  ['unprocessable', 422, { message: 'temperature must be below 2', param: 'temperature', code: 'bad_value' }],
  [
    'too-long',
    400,
    { message: 'maximum context length is 10 tokens', code: 'context_length_exceeded', param: 'messages' },
  ],
  ['busy', 503, { message: 'The engine is currently overloaded', type: 'server_error' }],
  [
    'limited',
    429,
    { message: 'slow down', code: 'rate_limit_exceeded', metadata: { kept: [1.0, 12345678901234567890n] } },
  ],
])(
  'the provider’s own error (%s) reaches an OpenAI client with its status, code and every other field',
  async (model, status, error) => {
    const body = bodyOf(error);
    upstreamErrors[model] = json(status, body, status === 429 ? { 'retry-after': '7' } : {});
    const refused = await ask({ model, messages });
    expect([refused.status, refused.text]).toEqual([status, body]);
    if (status === 429) expect(refused.headers['retry-after']).toBe('7');
    const streamed = await ask({ model, messages, stream: true });
    expect([streamed.status, streamed.text]).toEqual([status, body]);
  },
);

test.each([
  ['an answer', 'model', '/v1/chat/completions', true],
  ['an error', '', '/v1/chat/completions', true],
  ['an answer of the Messages API', 'model', '/v1/messages', false],
])('the id of the request stands where an OpenAI client looks for it: %s', async (_name, model, path, isThere) => {
  const body = JSON.stringify({ model, max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] });
  const options = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
  const { headers } = await call(`${app.url}${path}`, options);
  expect(headers['x-request-id']).toBe(isThere ? headers['request-id'] : undefined);
});

test('a key never stands in an error that is handed on', async () => {
  upstreamErrors['leaky'] = json(401, { error: { message: 'wrong key key-of-the-provider', code: 'invalid_api_key' } });
  const refused = await ask({ model: 'leaky', messages });
  expect([refused.status, JSON.parse(refused.text).error.code]).toEqual([401, 'invalid_api_key']);
  expect(refused.text).not.toContain('key-of-the-provider');
});

test('a page in place of an error, and a fault of the request, come in the form that an OpenAI client reads', async () => {
  upstreamErrors['page'] = (response) =>
    void response.writeHead(503, { 'content-type': 'text/html' }).end('<html><title>Down</title></html>');
  const page = await ask({ model: 'page', messages });
  expect([page.status, JSON.parse(page.text)]).toEqual([
    503,
    { error: { message: '[test 503] Down', type: 'overloaded_error', code: 'overloaded', param: null } },
  ]);
  expect((await ask({ messages })).status).toBe(400);
  expect((await ask({ model: 'model' })).status).toBe(400);
});

test('the digits of a request stay as they are, and every byte but the model', async () => {
  const text =
    '{ "seed": 12345678901234567890, "temperature": 1.0, "model":"claude-opus-5","messages":[{"role":"user","content":"\\u00fc"}] }';
  await call(`${app.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: text,
  });
  expect(upstream.requests.at(-1)?.text).toBe(text.replace('claude-opus-5', 'model'));
});

test.each([
  [
    'an event called error',
    'event: error\ndata: {"error":{"message":"the crane fell","type":"server_error","code":"x"}}\n\n',
  ],
  ['a frame', 'data: {"error":{"message":"the crane fell"}}\n\n'],
  ['a frame before [DONE]', 'data: {"error":{"message":"the crane fell","code":502}}\n\ndata: [DONE]\n\n'],
  ['a frame without its end', 'data: {"error":{"message":"the crane fell"}}'],
])('an error within a stream (%s) is handed on once, and logged', async (_name, end) => {
  const sent = `data: {"model":"m","choices":[{"delta":{"content":"half"}}]}\n\n${end}`;
  upstreamErrors['falls'] = (response) => {
    openEvents(response);
    response.end(sent);
  };
  const record = app.nextRecord();
  expect((await ask({ model: 'falls', messages, stream: true })).text).toBe(sent);
  expect(await record).toMatchObject({
    outcome: 'interrupted',
    error_message: expect.stringContaining('the crane fell'),
  });
});

test.each(['cut', 'cut-in-frame'])(
  'a stream that breaks off (%s) ends in an error of its own, not in [DONE]',
  async (model) => {
    const { text } = await ask({ model, messages, stream: true });
    expect(text.startsWith(FRAMES[1] ?? '')).toBe(true);
    expect(JSON.parse(text.split('data: ').at(-1) ?? '')).toMatchObject({ error: { type: 'overloaded_error' } });
  },
);

test('the dry run shows the request that the provider would get, and sends nothing', async () => {
  const before = upstream.requests.length;
  const body = {
    model: 'claude-haiku-4-5',
    max_tokens: 50,
    system: 'be brief',
    messages: [{ role: 'user', content: 'hi' }],
    surprise: 1,
  };
  const answer = await call(`${app.url}/v1/messages/test_conversion`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(JSON.parse(answer.text)).toMatchObject({
    url: `${upstream.url}/chat/completions`,
    tier: 'small',
    model: 'model',
    request: {
      model: 'model',
      messages: [
        { role: 'system', content: 'be brief' },
        { role: 'user', content: 'hi' },
      ],
      max_tokens: 50,
    },
  });
  expect(upstream.requests).toHaveLength(before);
  expect(answer.text).not.toContain('key-of-the-provider');
});
