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

let upstream: FakeUpstream;
let app: TestApp;

beforeAll(async () => {
  upstream = await startFakeUpstream({
    model: answers,
    cut,
    'cut-in-frame': cutInFrame,
    refuse: json(400, { error: { message: 'no such thing' } }),
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

test('an OpenAI client gets a whole answer with its unknown fields', async () => {
  expect(JSON.parse((await ask({ model: 'model', messages })).text)).toEqual(whole);
});

test('errors come in the form that an OpenAI client reads', async () => {
  const refused = await ask({ model: 'refuse', messages });
  expect(refused.status).toBe(400);
  expect(JSON.parse(refused.text)).toEqual({
    error: {
      message: '[test 400] no such thing',
      type: 'invalid_request_error',
      code: 'upstream_invalid_request',
      param: null,
    },
  });
  expect((await ask({ messages })).status).toBe(400);
  expect((await ask({ model: 'model' })).status).toBe(400);
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
