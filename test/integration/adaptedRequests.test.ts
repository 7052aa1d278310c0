import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Behaviour, type FakeUpstream, json, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { call, message, startApp, type TestApp } from '../helpers/startApp.ts';

const refuses =
  (field: string, text: string): Behaviour =>
  (response, request) =>
    (request.body[field] === undefined ? words('fine') : json(400, { error: { message: text } }))(response, request);

const wantsReasoning: Behaviour = (response, request) => {
  const call = request.body.messages.find((one) => 'tool_calls' in one);
  const complete = call !== undefined && 'reasoning_content' in call;
  const refusal = json(400, {
    error: {
      message: 'thinking is enabled but reasoning_content is missing in assistant tool call message at index 1',
    },
  });
  return (complete ? words('fine') : refusal)(response, request);
};

let upstream: FakeUpstream;
let app: TestApp;

beforeAll(async () => {
  upstream = await startFakeUpstream({
    'no-temperature': refuses('temperature', "Unsupported parameter: 'temperature' is not supported with this model."),
    'no-stop': refuses('stop', 'Unknown name "stop": Cannot find field.'),
    'no-stream-options': refuses('stream_options', 'stream_options: Extra inputs are not permitted'),
    'no-max-tokens': refuses(
      'max_tokens',
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    ),
    'wants-reasoning': wantsReasoning,
    'no-messages': json(400, { error: { message: 'messages: unsupported role' } }),
  });
  app = await startApp({ OPENAI_BASE_URL: upstream.url, BIG_MODEL: 'x', SMALL_MODEL: 'x' });
});

afterAll(async () => {
  await app.close();
  await upstream.close();
});

const all = { temperature: 0.5, stop_sequences: ['END'], stream: true };

test.each([
  ['no-temperature', 'QUIRK_DROP_PARAMS=temperature'],
  ['no-stop', 'QUIRK_DROP_PARAMS=stop'],
  ['no-stream-options', 'QUIRK_DROP_PARAMS=stream_options'],
  ['no-max-tokens', 'QUIRK_MAX_TOKENS_FIELD=max_completion_tokens'],
])(
  'R413 a refusal by %s adapts the request once, is remembered, and reported with its setting',
  async (model, advice) => {
    upstream.requests.length = 0;
    expect((await call(`${app.url}/v1/messages`, message(model, all))).text).toContain('fine');
    expect(upstream.requests).toHaveLength(2);
    expect((await call(`${app.url}/v1/messages`, message(model, all))).text).toContain('fine');
    expect(upstream.requests).toHaveLength(3);
    const warnings = app.log.filter((line) => line['level'] === 'warn' && String(line['message']).includes(advice));
    expect(warnings).toHaveLength(1);
  },
);

test('R134 R413 a provider that misses the reasoning of earlier turns gets an empty one', async () => {
  const messages = [
    { role: 'user', content: 'go' },
    { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'Read', input: {} }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'done' }] },
  ];
  expect((await call(`${app.url}/v1/messages`, message('wants-reasoning', { messages }))).text).toContain('fine');
});

test('R413 what a request cannot do without is never left out', async () => {
  upstream.requests.length = 0;
  expect((await call(`${app.url}/v1/messages`, message('no-messages', all))).status).toBe(400);
  expect(upstream.requests).toHaveLength(1);
});
