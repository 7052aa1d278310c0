import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Behaviour,
  type FakeUpstream,
  inTurn,
  json,
  openEvents,
  startFakeUpstream,
  words,
} from '../helpers/fakeUpstream.ts';
import { call, message, startApp, type TestApp } from '../helpers/startApp.ts';

const says = (status: number, text: string, extra: Record<string, unknown> = {}, headers = {}): Behaviour =>
  json(status, { error: { message: text, type: 'invalid_request_error', ...extra } }, headers);

const exhausted =
  'Could not finish the message because max_tokens or model output limit was reached. Please try again with higher max_tokens.';

let upstream: FakeUpstream;
let app: TestApp;

beforeAll(async () => {
  upstream = await startFakeUpstream({
    big: words('from the big one'),
    middle: words('from the middle one'),
    'small-1.5': says(404, 'Not found the model small-1.5 or Permission denied'),
    'gone-2.5': says(404, "model 'gone-2.5' not found"),
    'routeless/model-3.5': says(404, 'No endpoints found that support tool use.', { code: 404 }),
    thinks: says(400, exhausted),
    'thinks-in-stream': (response) => {
      openEvents(response);
      response.end(`data: ${JSON.stringify({ error: { message: exhausted } })}\n\n`);
    },
    'bad-call-code': says(400, 'no', { code: 'tool_use_failed' }),
    'bad-call-words': says(400, "Failed to call a function. See 'failed_generation' for more details."),
    'bad-call-check': says(400, 'Tool call validation failed: attempted to call a tool that was not in the request'),
    'bad-call-then-fine': inTurn(says(400, 'no', { code: 'tool_use_failed' }), words('fine')),
    window: says(429, "You've reached your usage limit for this period.", { type: 'rate_limit_error' }),
    month: says(403, 'You have reached your monthly usage limit.'),
    hours: says(429, 'Usage limit reached for 5 hour. Your limit will reset at 2026-11-30 04:00:00', { code: '1' }),
    page: (response) =>
      void response
        .writeHead(403, { 'content-type': 'text/html', 'cf-ray': '1' })
        .end('<!DOCTYPE html><title>Attention Required! | Cloudflare</title>'),
    odd: says(400, 'the moon is full'),
    overflow: says(400, 'token limit exceeded'),
    'nested-overflow': says(502, 'bad gateway', {
      metadata: {
        raw: JSON.stringify({
          error: { message: 'request (900 tokens) exceeds the available context size (512 tokens)' },
        }),
      },
    }),
    'stream-overflow': (response) => {
      openEvents(response);
      response.end(
        'data: {"error":{"code":"context_length_exceeded","message":"request (900 tokens) is too much, context length: 512"}}\n\n',
      );
    },
    delay: json(429, [
      {
        error: {
          code: 429,
          message: 'Resource has been exhausted (e.g. check quota).',
          status: 'RESOURCE_EXHAUSTED',
          details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34.07s' }],
        },
      },
    ]),
    ...Object.fromEntries([409, 423, 424, 425, 498].map((status) => [`passing-${status}`, says(status, 'not now')])),
  });
  app = await startApp({
    OPENAI_BASE_URL: upstream.url,
    BIG_MODEL: 'big',
    MIDDLE_MODEL: 'middle',
    SMALL_MODEL: 'small-1.5',
    MAX_RETRIES: '0',
  });
});

afterAll(async () => {
  await app.close();
  await upstream.close();
});

const ask = async (model: string, more: Record<string, unknown> = {}) => {
  upstream.requests.length = 0;
  const record = app.nextRecord();
  const answer = await call(`${app.url}/v1/messages`, message(model, more));
  return { ...answer, error: answer.status === 200 ? undefined : JSON.parse(answer.text).error, record: await record };
};
const asked = () => upstream.requests.map(({ body }) => body.model);

test('R402 a model that its provider no longer knows gives way to another tier, once, and the log says so', async () => {
  const answer = await ask('claude-haiku-4-5');
  expect([answer.status, asked()]).toEqual([200, ['small-1.5', 'middle']]);
  expect(answer.text).toContain('from the middle one');
  expect(answer.record).toMatchObject({ outcome: 'ok', upstream_model: 'middle' });
  const line = app.log.findLast((one) => one['level'] === 'warn');
  expect(line).toMatchObject({ from: expect.stringContaining('small-1.5'), to: expect.stringContaining('middle') });
});

test.each([
  ['gone-2.5', /does not know the model gone-2\.5/],
  ['routeless/model-3.5', /cannot serve the model routeless\/model-3\.5: No endpoints/],
])('R402 a model that the client names itself (%s) has no other tier: 404 with its name', async (model, text) => {
  const { status, error } = await ask(model);
  expect([status, error.type, asked()]).toEqual([404, 'not_found_error', [model]]);
  expect(error.message).toMatch(text);
  expect(error.message).not.toContain('OPENAI_BASE_URL');
});

test('R402 where no tier is known, the first failure is reported, and no model is asked twice', async () => {
  const lost = await startApp({ OPENAI_BASE_URL: upstream.url, BIG_MODEL: 'gone-2.5', SMALL_MODEL: 'small-1.5' });
  upstream.requests.length = 0;
  const answer = await call(`${lost.url}/v1/messages`, message('claude-haiku-4-5'));
  expect([answer.status, asked()]).toEqual([404, ['small-1.5', 'gone-2.5']]);
  expect(JSON.parse(answer.text).error.message).toContain('does not know the model small-1.5');
  await lost.close();
});

test.each([
  ['thinks', false],
  ['thinks', true],
  ['thinks-in-stream', true],
])(
  'a reasoning model that had no output left (%s, streamed: %s) has answered, without words',
  async (model, stream) => {
    const { status, text, record } = await ask(model, { max_tokens: 1, stream });
    expect([status, asked()]).toEqual([200, [model]]);
    expect(text).toMatch(/"stop_reason":"max_tokens"/);
    expect(record).toMatchObject({ outcome: 'ok', stop_reason: 'max_tokens' });
  },
);

test.each(['bad-call-code', 'bad-call-words', 'bad-call-check'])(
  'R203 a tool call that the model wrote badly (%s) is asked for once more, and is then no fault of the request',
  async (model) => {
    const { status, error } = await ask(model);
    expect([status, error.type, asked()]).toEqual([529, 'overloaded_error', [model, model]]);
  },
);

test('R203 a tool call that the model writes well the second time is an answer', async () => {
  expect((await ask('bad-call-then-fine')).text).toContain('fine');
});

test.each(['window', 'month', 'hours'])(
  'R408 a part of a plan that is used up (%s) is no passing limit',
  async (model) => {
    const { status, error, headers } = await ask(model);
    expect([status, error.type, headers['x-should-retry'], asked()]).toEqual([402, 'billing_error', 'false', [model]]);
  },
);

test.each([409, 423, 424, 425, 498])('R402 a %s passes', async (status) => {
  const answer = await ask(`passing-${status}`);
  expect([answer.status, answer.error.type]).toEqual([529, 'overloaded_error']);
});

test('R402 a page of a firewall is called so, and the key does not rest', async () => {
  const { keys } = app.services.backends.of(app.services.config.provider);
  const before = keys.list();
  const { status, error } = await ask('page');
  expect([status, error.type]).toEqual([403, 'permission_error']);
  expect(error.message).toContain('a page of Cloudflare answered in place of the provider');
  expect(keys.list()).toEqual(before);
});

test('R402 a refusal that nobody knows goes out as it is, and the log says that it was not classified', async () => {
  const { status, error, record } = await ask('odd');
  expect([status, error.message]).toEqual([400, '[test 400] the moon is full']);
  expect(record['notes']).toEqual(['refusal not classified']);
  expect((await ask('gone-2.5')).record['notes']).toEqual([]);
});

test.each([
  ['overflow', false, /^prompt is too long$/],
  ['nested-overflow', false, /^prompt is too long: 900 tokens > 512 maximum$/],
  ['stream-overflow', true, /^prompt is too long: 900 tokens > 512 maximum$/],
])('R404 an overflow that comes as %s is one', async (model, stream, text) => {
  const { status, error } = await ask(model, { stream });
  expect(status).toBe(400);
  expect(error.message).toMatch(text);
});

test('R408 the pause that stands in the details of an error is asked for', async () => {
  const { status, headers } = await ask('delay');
  expect([status, headers['retry-after']]).toEqual([429, '35']);
});
