import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Behaviour,
  type FakeUpstream,
  json,
  openEvents,
  startFakeUpstream,
  words,
} from '../helpers/fakeUpstream.ts';
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

const hasImage = (body: Record<string, unknown>) => JSON.stringify(body['messages']).includes('image_url');
const isBlind =
  (refusal: Behaviour): Behaviour =>
  (response, request) =>
    (hasImage(request.body) ? refusal : words('fine'))(response, request);

const takesEfforts =
  (text: string, ...efforts: string[]): Behaviour =>
  (response, request) => {
    const isTaken = efforts.includes(String(request.body['reasoning_effort']));
    return (isTaken ? words('fine') : json(400, { error: { message: text } }))(response, request);
  };

const writesAtMost =
  (most: number, text: string): Behaviour =>
  (response, request) =>
    (Number(request.body['max_tokens']) <= most ? words('fine') : json(400, { error: { message: text } }))(
      response,
      request,
    );

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
    'blind-serde': isBlind(
      json(400, {
        error: { message: 'messages[0]: unknown variant `image_url`, expected `text` at line 1 column 90' },
      }),
    ),
    'blind-projector': isBlind(
      json(500, {
        error: {
          message: 'image input is not supported - hint: if this is unexpected, you may need to provide the mmproj',
        },
      }),
    ),
    'blind-route': isBlind(json(404, { error: { message: 'No endpoints found that support image input', code: 404 } })),
    'blind-nested': isBlind(
      json(400, {
        error: JSON.stringify({
          error: { message: 'Multimodal data provided, but model does not support multimodal requests.' },
        }),
      }),
    ),
    'blind-stream': isBlind((response) => {
      openEvents(response);
      response.end(`data: {"error":{"message":"this model does not support image input"}}\n\n`);
    }),
    'blind-always': json(400, { error: { message: 'this model does not support image input' } }),
    'bad-picture': isBlind(json(400, { error: { message: 'unsupported image format' } })),
    'few-efforts': takesEfforts(
      "Unsupported value: 'reasoning_effort' does not support 'high' with this model. Supported values are: 'minimal', 'low'.",
      'minimal',
      'low',
    ),
    'other-efforts': takesEfforts('level "high" not supported, valid levels: low, medium', 'low', 'medium'),
    'no-effort': json(400, { error: { message: 'Function tools with reasoning_effort are not supported here.' } }),
    'short-output': writesAtMost(
      2000,
      'max_tokens is too large: 9000. This model supports at most 2000 completion tokens, whereas you provided 9000.',
    ),
    'shorter-output': writesAtMost(500, 'Invalid max_tokens value, the valid range of max_tokens is [1, 500]'),
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

const withImage = [
  {
    role: 'user',
    content: [
      { type: 'text', text: 'see' },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgoAAAANSUhEUg==' } },
    ],
  },
];

test.each([
  ['blind-serde', false],
  ['blind-projector', false],
  ['blind-route', true],
  ['blind-nested', false],
  ['blind-stream', true],
])(
  'R406 R413 a model that sees no pictures (%s) gets a line of text for each, from the second request on',
  async (model, stream) => {
    upstream.requests.length = 0;
    const first = await call(`${app.url}/v1/messages`, message(model, { messages: withImage, stream }));
    expect([first.status, first.text.includes('fine')]).toEqual([200, true]);
    const next = [...withImage, { role: 'assistant', content: 'ok' }, { role: 'user', content: 'go on' }];
    expect((await call(`${app.url}/v1/messages`, message(model, { messages: next }))).text).toContain('fine');
    expect(upstream.requests.map(({ body }) => hasImage(body))).toEqual([true, false, false]);
    expect(JSON.stringify(upstream.requests[1]?.body)).toContain('image');
  },
);

test('R406 a picture of another form than the model reads is refused as it is, and the model still sees others', async () => {
  upstream.requests.length = 0;
  const answer = await call(`${app.url}/v1/messages`, message('bad-picture', { messages: withImage }));
  expect([answer.status, upstream.requests.length]).toEqual([400, 1]);
  expect(answer.text).toContain('unsupported image format');
});

test('R406 who sends no picture to a model that speaks of one gets the class, once', async () => {
  upstream.requests.length = 0;
  const answer = await call(`${app.url}/v1/messages`, message('blind-always', all));
  expect([answer.status, upstream.requests.length]).toEqual([400, 1]);
  expect(answer.text).toContain('capability_rejected: image_block');
});

const thinking = { thinking: { type: 'adaptive' }, output_config: { effort: 'high' }, max_tokens: 9000 };

test.each([
  ['few-efforts', ['high', 'low', 'low'], 'QUIRK_EFFORTS=minimal,low'],
  ['other-efforts', ['high', 'medium', 'medium'], 'QUIRK_EFFORTS=low,medium'],
])('R141 R413 a model (%s) gets the nearest effort that its refusal lists', async (model, efforts, advice) => {
  upstream.requests.length = 0;
  await call(`${app.url}/v1/messages`, message(model, thinking));
  expect((await call(`${app.url}/v1/messages`, message(model, thinking))).text).toContain('fine');
  expect(upstream.requests.map(({ body }) => body['reasoning_effort'])).toEqual(efforts);
  expect(app.log.filter((line) => String(line['message']).includes(advice))).toHaveLength(1);
});

test('R406 an effort that is refused for good comes with the words of the provider', async () => {
  const answer = await call(`${app.url}/v1/messages`, message('no-effort', thinking));
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.text).error.message).toBe(
    '[test 400] Function tools with reasoning_effort are not supported here.',
  );
});

test.each([
  ['short-output', [9000, 2000, 2000]],
  ['shorter-output', [9000, 500, 500]],
])(
  'R405 R413 a model that writes less than asked for (%s) is asked for as much as it writes',
  async (model, limits) => {
    upstream.requests.length = 0;
    await call(`${app.url}/v1/messages`, message(model, { max_tokens: 9000 }));
    expect((await call(`${app.url}/v1/messages`, message(model, { max_tokens: 9000 }))).text).toContain('fine');
    expect(upstream.requests.map(({ body }) => body['max_tokens'])).toEqual(limits);
  },
);
