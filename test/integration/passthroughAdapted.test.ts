import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type AnthropicServer,
  type NativeBehaviour,
  nativeError,
  nativeTurn,
  startAnthropicServer,
} from '../helpers/anthropicServer.ts';
import { call, message, startApp, type TestApp } from '../helpers/startApp.ts';

const refuse = (words: string): NativeBehaviour => nativeError(400, 'invalid_request_error', words);
const answer = nativeTurn({ text: 'hi' });

/** Endpoints that refuse what they do not know, in their words. */
const refuses =
  (unknown: string, words: string): NativeBehaviour =>
  (response, request) =>
    (request.bytes.includes(unknown) ? refuse(words) : answer)(response, request);

let server: AnthropicServer;
let app: TestApp;

beforeEach(async () => {
  server = await startAnthropicServer({
    'vague-references': refuses('"tool_reference"', 'Invalid request Error'),
    'plain-references': refuses('"tool_reference"', 'tool_reference is not supported here'),
    'tag-references': refuses('"tool_reference"', 'messages.2.content.0: unexpected type'),
    'vague-system': refuses('"role":"system"', 'Bad request.'),
    'plain-system': refuses('"role":"system"', 'messages.3.role: must be user or assistant'),
    'variant-system': refuses('"role":"system"', 'unknown role `system`, expected one of `user`, `assistant`'),
    'vague-both': (response, request) =>
      (request.bytes.includes('"tool_reference"') || request.bytes.includes('"role":"system"')
        ? refuse('Invalid request')
        : answer)(response, request),
    'other-reason': refuse('Invalid request'),
    'named-reason': refuse('max_tokens: 90000 is more than this model can write'),
  });
  app = await startApp({ PROVIDER: 'custom-anthropic', BIG_MODEL: 'x', OPENAI_BASE_URL: server.url, MAX_RETRIES: '0' });
});

afterEach(async () => {
  await app.close();
  await server.close();
});

const fields = {
  tools: [
    { name: 'Search', input_schema: { type: 'object' } },
    { name: 'Tide', input_schema: { type: 'object' }, defer_loading: true },
  ],
  messages: [
    { role: 'user', content: 'go' },
    { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'Search', input: {} }] },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'tool_reference', tool_name: 'Tide' }] },
      ],
    },
    { role: 'system', content: 'tokens left: 5' },
  ],
};

test.each([
  ['vague-references', 2],
  ['plain-references', 2],
  ['tag-references', 2],
  ['vague-system', 3],
  ['plain-system', 2],
  ['variant-system', 2],
  ['vague-both', 3],
])('%s: the request goes through as text, and that is remembered', async (model, requests) => {
  expect((await call(`${app.url}/v1/messages`, message(model, fields))).status).toBe(200);
  expect(server.requests).toHaveLength(requests);
  expect((await call(`${app.url}/v1/messages`, message(model, fields))).status).toBe(200);
  expect(server.requests).toHaveLength(requests + 1);
  const advice = app.log.filter((line) => line['level'] === 'warn' && String(line['message']).includes('QUIRK_'));
  expect(advice).toHaveLength(1);
});

test('a refusal for another reason comes back as it is, and nothing is remembered of it', async () => {
  const first = await call(`${app.url}/v1/messages`, message('other-reason', fields));
  expect([first.status, first.text.includes('Invalid request')]).toEqual([400, true]);
  expect(server.requests).toHaveLength(3);
  await call(`${app.url}/v1/messages`, message('other-reason', fields));
  expect(server.requests).toHaveLength(6);
  expect(server.requests[3]?.bytes.includes('"tool_reference"')).toBe(true);
});

test.each(['named-reason', 'other-reason'])(
  'a request that holds neither, or a refusal that is about neither, is sent once: %s',
  async (model) => {
    const more = model === 'named-reason' ? fields : { messages: [{ role: 'user', content: 'hi' }] };
    expect((await call(`${app.url}/v1/messages`, message(model, more))).status).toBe(400);
    expect(server.requests).toHaveLength(1);
  },
);

test.each([
  ['2023-06-01, 2026-10-21', 'a-1, b-2,a-1 ,, b-2', '2023-06-01', 'a-1,b-2'],
  ['2023-06-01,2023-06-01', 'a-1', '2023-06-01', 'a-1'],
  [' 2026-10-21 , 2023-06-01', 'b-2,a-1,b-2,a-1,c-3', '2026-10-21', 'b-2,a-1,c-3'],
  ['2023-06-01', ' a-1 ', '2023-06-01', 'a-1'],
])(
  'headers that came twice: the first version, and each beta once: %s and %s',
  async (version, beta, oneVersion, once) => {
    const headers = { 'anthropic-version': version, 'anthropic-beta': beta };
    const options = message('vague-system', { messages: [{ role: 'user', content: 'hi' }] });
    await call(`${app.url}/v1/messages`, { ...options, headers: { ...options.headers, ...headers } });
    expect(server.requests[0]?.headers).toMatchObject({ 'anthropic-version': oneVersion, 'anthropic-beta': once });
  },
);
