import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type AnthropicServer,
  nativeEvent,
  nativeJson,
  nativeStream,
  nativeTurn,
  startAnthropicServer,
} from '../helpers/anthropicServer.ts';
import { call, message, startApp, type TestApp } from '../helpers/startApp.ts';

/** A stream with everything in it that a proxy could lose: unknown fields and events, comments, all kinds of line ends. */
const STREAM = [
  ': a comment\n\n',
  'event: ping\ndata: {"type": "ping"}\n\n',
  `event: message_start\r\ndata: {"type":"message_start","message":{"id":"msg_1","model":"provider-model-2","content":[],"container":null,"usage":{"input_tokens":11,"cache_read_input_tokens":33,"cache_creation":{"ephemeral_1h_input_tokens":2},"cache_creation_input_tokens":22,"service_tier":"standard","output_tokens":1}}}\r\n\r\n`,
  'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}\n\n',
  'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm ünï \\u00fc"}}\n\n',
  'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQBCkYIBxgCKkA+/=="}}\n\n',
  'id: 7\nevent: a_new_event\ndata: {"type":"a_new_event",\ndata:  "spread": true}\n\n',
  'event: content_block_stop\rdata: {"type":"content_block_stop","index":0}\r\r',
  'data:{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null,"safeguard_results":[]},"usage":{"output_tokens":9,"server_tool_use":{"web_search_requests":1}},"context_management":{"applied_edits":[]}}\n\n',
  'event: message_stop\ndata: {"type":"message_stop"}\n\n',
  ': goodbye\n\n',
].join('');

/** A body with blanks, escapes, a number that loses digits when parsed, nested names, cache breakpoints and fields of tomorrow. */
const bodyOf = (model: string, stream: boolean) => `{
  "metadata": {"user_id":"{\\"model\\":\\"x\\"}", "model" : "nested"},
  "model":"${model}" , "max_tokens": 32000.0,
  "messages":[{"role":"user","content":[{"type":"text","text":"caf\\u00e9 \\/ ü","cache_control":{"type":"ephemeral","ttl":"1h"}}]},
    {"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"EqQBCkYIBxgCKkA+/=="},{"type":"new_block","big":12345678901234567890}]},
    {"role":"system","content":"inline"},{"role":"user","content":"go"}],
  "context_management":{"edits":[{"type":"clear_thinking_20251015","keep":"all"}]},
  "tools":[], "a_field_of_tomorrow":{"x":[1e3,-0]},
  "stream" : ${stream}
}
`;

const WHOLE = `{ "id":"msg_1", "type":"message", "model":"provider-model-2",
  "content":[{"type":"thinking","thinking":"t","signature":"s+/="},{"type":"text","text":"caf\\u00e9","citations":null}],
  "stop_reason":"end_turn", "new_field": 1.0, "usage":{"input_tokens":11,"cache_read_input_tokens":33,"output_tokens":5} }`;

/** Every byte in a packet of its own would take long; these cuts fall into frames, letters and line ends. */
function cut(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  const size = 37;
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
}

let upstream: AnthropicServer;
let app: TestApp;

/** What the provider counts for a long request, which is more than is estimated. */
const LEARNED_TOKENS = 1600;

beforeAll(async () => {
  upstream = await startAnthropicServer({
    'the-model': (response, request) =>
      request.body['stream'] === true
        ? nativeStream(...cut(STREAM))(response, request)
        : nativeJson(WHOLE)(response, request),
    plain: nativeTurn({ text: 'hi' }),
    learned: nativeJson({ ...JSON.parse(WHOLE), usage: { input_tokens: LEARNED_TOKENS, output_tokens: 2 } }),
    'with-text': nativeStream(nativeEvent('message_start', { message: {} }), nativeEvent('message_stop')),
  });
  app = await startApp({
    PROVIDER: 'custom-anthropic',
    OPENAI_BASE_URL: upstream.url,
    BIG_MODEL: 'the-model',
    SMALL_MODEL: 'plain',
    CUSTOM_HEADER_X_TITLE: 'mine',
  });
});

afterAll(async () => {
  await app.close();
  await upstream.close();
});

const post = (body: string | Buffer, headers: Record<string, string> = {}, path = '/v1/messages') =>
  call(app.url + path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });

describe('the request', () => {
  test.each([true, false])('arrives byte for byte but for the model, streamed %s', async (stream) => {
    await post(bodyOf('claude-opus-5[1m]', stream));
    expect(upstream.requests.at(-1)?.bytes.toString()).toBe(bodyOf('the-model', stream));
  });

  test('arrives byte for byte when the model is the provider’s', async () => {
    const body = Buffer.concat([Buffer.from(bodyOf('the-model', false)), Buffer.from('\r\n  ')]);
    await post(body);
    expect(upstream.requests.at(-1)?.bytes).toEqual(body);
  });

  test('a role, block or depth that this proxy does not know is for the provider to check', async () => {
    const deep = `${'['.repeat(1000)}${']'.repeat(1000)}`;
    const body = `{"model":"plain","messages":[{"role":"tool","content":[{"text":1}]}],"deep":${deep}}`;
    expect((await post(body)).status).toBe(200);
    expect(upstream.requests.at(-1)?.bytes.toString()).toBe(body);
  });

  test.each([
    ['{"messages":[]}', 'model'],
    ['{"model":7}', 'model'],
    ['[]', 'body'],
    ['{"model":', 'not JSON'],
  ])('R105 %s is refused here', async (body, words) => {
    const before = upstream.requests.length;
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text).error).toMatchObject({
      type: 'invalid_request_error',
      message: expect.stringContaining(words),
    });
    expect(upstream.requests).toHaveLength(before);
  });

  test('R103 the tiers map to the configured models', async () => {
    for (const [asked, used] of [
      ['claude-haiku-4-5-20251001', 'plain'],
      ['claude-sonnet-5', 'the-model'],
      ['with-text', 'with-text'],
    ] as const) {
      await call(`${app.url}/v1/messages`, message(asked));
      expect(upstream.requests.at(-1)?.body.model).toBe(used);
    }
  });

  test('MAX_TOKENS_LIMIT holds, and is then the only other change', async () => {
    const limited = await startApp({
      PROVIDER: 'custom-anthropic',
      OPENAI_BASE_URL: upstream.url,
      BIG_MODEL: 'plain',
      MAX_TOKENS_LIMIT: '50',
    });
    await call(`${limited.url}/v1/messages`, message('claude-opus-5', { new_field: [1] }));
    await limited.close();
    expect(upstream.requests.at(-1)?.body).toEqual({
      model: 'plain',
      max_tokens: 50,
      messages: [{ role: 'user', content: 'hello' }],
      new_field: [1],
    });
  });
});

describe('the headers', () => {
  test('S3 R152 the API’s own pass, the key is the instance’s, nothing else of the client’s arrives', async () => {
    await post(
      bodyOf('plain', false),
      {
        'anthropic-version': '2024-01-01',
        'anthropic-beta': 'a-2026-01-01, b-2026-02-02',
        accept: 'application/json; q=1',
        'x-api-key': 'client-secret',
        authorization: 'Bearer client-secret',
        'user-agent': 'claude-cli/2',
        'x-app': 'cli',
        'x-claude-code-session-id': 'session',
        cookie: 'a=b',
      },
      '/v1/messages?beta=true&x=1',
    );
    const { headers, path } = upstream.requests.at(-1) ?? {};
    expect(path).toBe('/v1/messages?beta=true&x=1');
    expect(headers).toMatchObject({
      'anthropic-version': '2024-01-01',
      'anthropic-beta': 'a-2026-01-01, b-2026-02-02',
      accept: 'application/json; q=1',
      'content-type': 'application/json',
      'x-api-key': 'key-of-the-provider',
      'user-agent': 'test',
      'x-title': 'mine',
    });
    expect(JSON.stringify(headers)).not.toMatch(/client-secret|claude-cli|session|cookie|authorization|x-app/);
  });

  test('a client that names no version means the one that there is', async () => {
    await post(bodyOf('plain', false));
    const { headers, path } = upstream.requests.at(-1) ?? {};
    expect(path).toBe('/v1/messages');
    expect(headers?.['anthropic-version']).toBe('2023-06-01');
    expect(headers).not.toHaveProperty('anthropic-beta');
  });

  test('R501 the routes that users write by mistake mean the same', async () => {
    for (const path of ['/v1/v1/messages', '/messages?beta=true']) {
      expect((await post(bodyOf('plain', false), {}, path)).status).toBe(200);
      expect(upstream.requests.at(-1)?.path).toBe(`/v1/messages${path.endsWith('beta=true') ? '?beta=true' : ''}`);
    }
  });
});

describe('the answer', () => {
  test('R322 the stream comes back byte for byte, however it is cut', async () => {
    const answer = await post(bodyOf('claude-opus-5', true));
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toContain('text/event-stream');
    expect(answer.text).toBe(STREAM);
  });

  test('without streaming it comes back byte for byte, too', async () => {
    const answer = await post(bodyOf('claude-opus-5', false));
    expect(answer.headers['content-type']).toContain('application/json');
    expect(answer.text).toBe(WHOLE);
  });

  test('R412 no header of the provider passes, the request id is the proxy’s', async () => {
    const { headers } = await post(bodyOf('plain', true));
    expect(headers['request-id']).toMatch(/^req_[A-Za-z0-9]{24}$/);
    expect(headers).not.toHaveProperty('x-request-id');
  });

  test('one line of log says what happened, without a body or a key', async () => {
    const record = app.nextRecord();
    await post(bodyOf('claude-opus-5', true));
    const line = await record;
    expect(line).toMatchObject({
      endpoint: '/v1/messages',
      tier: 'big',
      model: 'claude-opus-5',
      upstream_model: 'provider-model-2',
      provider: 'custom-anthropic',
      stream: true,
      status: 200,
      outcome: 'ok',
      input_tokens: 11,
      cache_read_tokens: 33,
      cache_creation_tokens: 22,
      output_tokens: 9,
      stop_reason: 'end_turn',
      attempts: 1,
      upstream_request_id: 'req_of_the_provider',
    });
    expect(JSON.stringify(line)).not.toMatch(/caf|inline|key-of-the-provider/);
  });

  test('R502 the estimate learns from the provider’s own count', async () => {
    const long = message('learned', {
      messages: [{ role: 'user', content: 'Some words to be counted. '.repeat(200) }],
    });
    const count = async () => {
      const answer = await call(`${app.url}/v1/messages/count_tokens`, long);
      return JSON.parse(answer.text).input_tokens as number;
    };
    const before = await count();
    expect(LEARNED_TOKENS).toBeGreaterThan(before);
    for (let round = 0; round < 20; round += 1) await call(`${app.url}/v1/messages`, long);
    expect((await count()) / LEARNED_TOKENS).toBeCloseTo(1, 1);
  });
});

test('the dry run shows the request that the provider would get, and sends nothing', async () => {
  const before = upstream.requests.length;
  const answer = await post(bodyOf('claude-haiku-4-5', true), {}, '/v1/messages/test_conversion');
  expect(JSON.parse(answer.text)).toMatchObject({
    url: `${upstream.url}/v1/messages`,
    tier: 'small',
    model: 'plain',
    request: JSON.parse(bodyOf('plain', true)),
  });
  expect(upstream.requests).toHaveLength(before);
});

test('the connection can be tested', async () => {
  const answer = await call(`${app.url}/test-connection`);
  expect(JSON.parse(answer.text)).toMatchObject({ status: 'success', model_used: 'plain' });
  expect(upstream.requests.at(-1)?.headers['x-api-key']).toBe('key-of-the-provider');
});

test('chat completions are not offered where the provider has none', async () => {
  const answer = await post('{"model":"plain","messages":[]}', {}, '/v1/chat/completions');
  expect(answer.status).toBe(501);
  expect(JSON.parse(answer.text).error.message).toContain('/v1/messages');
});
