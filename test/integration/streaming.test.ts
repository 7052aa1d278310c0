import { afterAll, beforeAll, expect, test } from 'vitest';
import { delta, type FakeUpstream, json, startFakeUpstream, stream, words } from '../helpers/fakeUpstream.ts';
import { call, message, readEvents, startApp, type TestApp } from '../helpers/startApp.ts';

let upstream: FakeUpstream;
let app: TestApp;

const toolCall = {
  index: 0,
  id: 'call_1',
  type: 'function',
  function: { name: 'Read', arguments: '{"file_path":"/a"}' },
};
const tools = [
  {
    name: 'Read',
    description: 'reads',
    input_schema: { type: 'object', properties: { file_path: { type: 'string' } } },
  },
];

beforeAll(async () => {
  upstream = await startFakeUpstream({
    words: words('Hello — 你好 🚀', {
      prompt_tokens: 1000,
      completion_tokens: 5,
      prompt_tokens_details: { cached_tokens: 900 },
    }),
    tool: stream(delta({ reasoning_content: 'I read.' }), delta({ tool_calls: [toolCall] }), delta({}, 'tool_calls')),
    'json-for-stream': json(200, { choices: [{ message: { content: 'whole' }, finish_reason: 'stop' }] }),
    'events-for-json': stream(delta({ content: 'in ' }), delta({ content: 'parts' }), delta({}, 'stop')),
  });
  app = await startApp({
    OPENAI_BASE_URL: upstream.url,
    BIG_MODEL: 'words',
    MIDDLE_MODEL: 'tool',
    SMALL_MODEL: 'words',
  });
});

afterAll(async () => {
  await app.close();
  await upstream.close();
});

test('R301 R324 an answer streams as Anthropic events with the headers of an event stream', async () => {
  const answer = await call(`${app.url}/v1/messages?beta=true`, message('claude-opus-5', { stream: true }));
  expect(answer.status).toBe(200);
  expect(answer.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
    'request-id': expect.stringMatching(/^req_[A-Za-z0-9]{24}$/),
  });
  const events = readEvents(answer.text);
  expect(events.map(([type]) => type)).toEqual([
    'message_start',
    'content_block_start',
    'content_block_delta',
    'content_block_stop',
    'message_delta',
    'message_stop',
  ]);
  expect(events[2]?.[1]).toMatchObject({ delta: { type: 'text_delta', text: 'Hello — 你好 🚀' } });
});

test('R201 R205 the same answer without streaming is one message with the requested model and true usage', async () => {
  const answer = await call(`${app.url}/v1/messages`, message('claude-opus-5'));
  expect(JSON.parse(answer.text)).toEqual({
    id: expect.stringMatching(/^msg_[A-Za-z0-9]{24}$/),
    type: 'message',
    role: 'assistant',
    model: 'claude-opus-5',
    content: [{ type: 'text', text: 'Hello — 你好 🚀' }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: expect.objectContaining({
      input_tokens: 100,
      cache_read_input_tokens: 900,
      cache_creation_input_tokens: 0,
      output_tokens: 5,
    }),
  });
});

test('R131 R203 a tool call becomes a tool_use block with an id of ours, after the thinking', async () => {
  const answer = await call(`${app.url}/v1/messages`, message('claude-sonnet-5', { stream: true, tools }));
  const starts = readEvents(answer.text).filter(([type]) => type === 'content_block_start');
  expect(starts.map(([, data]) => data['content_block'])).toMatchObject([
    { type: 'thinking' },
    { type: 'tool_use', id: expect.stringMatching(/^toolu_[A-Za-z0-9]{24}$/), name: 'Read', input: {} },
  ]);
  expect(answer.text).toContain('"stop_reason":"tool_use"');
});

test('R220 a provider that answers a streaming request with JSON is read all the same', async () => {
  const answer = await call(`${app.url}/v1/messages`, message('json-for-stream', { stream: true }));
  expect(answer.text).toContain('"text":"whole"');
  expect(readEvents(answer.text).at(-1)?.[0]).toBe('message_stop');
});

test('R220 a provider that answers with events where JSON was asked for is read all the same', async () => {
  const answer = await call(`${app.url}/v1/messages`, message('events-for-json'));
  expect(JSON.parse(answer.text).content).toEqual([{ type: 'text', text: 'in parts' }]);
});

test('R103 the tiers map to the configured models, another name passes', async () => {
  for (const [asked, used] of [
    ['claude-haiku-4-5-20251001', 'words'],
    ['claude-sonnet-5[1m]', 'tool'],
    ['claude-opus-5', 'words'],
    ['json-for-stream', 'json-for-stream'],
  ] as const) {
    await call(`${app.url}/v1/messages`, message(asked, { stream: true, tools }));
    expect(upstream.requests.at(-1)?.body.model).toBe(used);
  }
});

test('S3 R148 R152 the provider gets the instance’s key, usage is asked for, nothing of the client’s headers', async () => {
  await call(`${app.url}/v1/messages`, {
    ...message('claude-opus-5', { stream: true }),
    headers: {
      'content-type': 'application/json',
      'x-api-key': 'client-secret',
      authorization: 'Bearer client-secret',
      'anthropic-beta': 'x',
      'x-claude-code-session-id': 'session',
      cookie: 'a=b',
    },
  });
  const received = upstream.requests.at(-1);
  expect(received?.headers.authorization).toBe('Bearer key-of-the-provider');
  expect(received?.body['stream_options']).toEqual({ include_usage: true });
  expect(JSON.stringify(received?.headers)).not.toMatch(/client-secret|anthropic|session|cookie/);
});

test('one line of log per request says what happened, without a body or a key', async () => {
  const record = app.nextRecord();
  await call(`${app.url}/v1/messages`, message('claude-opus-5', { stream: true, secret_field: 'x' }));
  const line = await record;
  expect(line).toMatchObject({
    event: 'request',
    endpoint: '/v1/messages',
    tier: 'big',
    model: 'claude-opus-5',
    upstream_model: 'words',
    stream: true,
    status: 200,
    outcome: 'ok',
    input_tokens: 100,
    cache_read_tokens: 900,
    output_tokens: 5,
    stop_reason: 'end_turn',
    attempts: 1,
    first_event_ms: expect.any(Number),
    duration_ms: expect.any(Number),
    upstream_request_id: 'upstream-1',
  });
  expect(JSON.stringify(line)).not.toMatch(/hello|Hello|key-of-the-provider/);
});
