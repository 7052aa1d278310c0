import { afterAll, beforeAll, expect, test } from 'vitest';
import { delta, type FakeUpstream, json, startFakeUpstream, stream, words } from '../helpers/fakeUpstream.ts';
import { call, startApp, type TestApp } from '../helpers/startApp.ts';

/** Whole numbers beyond 2^53 on their way through an instance. */
const ID = '9223372036854775807';
const headers = { 'content-type': 'application/json' };

let upstream: FakeUpstream;
let app: TestApp;

const callOf = (text: string) => [{ index: 0, id: 'a', type: 'function', function: { name: 'look', arguments: text } }];

beforeAll(async () => {
  upstream = await startFakeUpstream({
    m: words('fine'),
    calls: (response, request) => {
      const text = `{"id":${ID},}`;
      return (
        request.body['stream'] === true
          ? stream(delta({ tool_calls: callOf(text) }), delta({}, 'tool_calls'))
          : json(200, {
              choices: [{ message: { role: 'assistant', tool_calls: callOf(text) }, finish_reason: 'stop' }],
            })
      )(response, request);
    },
  });
  app = await startApp({ OPENAI_BASE_URL: upstream.url, BIG_MODEL: 'm', SMALL_MODEL: 'm' });
});

afterAll(async () => {
  await app.close();
  await upstream.close();
});

const request = (model: string, stream: boolean, more = '') =>
  `{"model":"${model}","max_tokens":50,"stream":${stream},"tools":[{"name":"look","input_schema":{"type":"object",` +
  `"properties":{"id":{"type":"integer","maximum":${ID},"enum":[${ID}]}}}}],"messages":[{"role":"user","content":"go"}${more}]}`;

test.each([true, false])(
  'a call of the model keeps its digits, also where it has to be repaired: stream %s',
  async (stream) => {
    const { text } = await call(`${app.url}/v1/messages`, { method: 'POST', headers, body: request('calls', stream) });
    expect(text.replaceAll('\\', '')).toContain(`{"id":${ID}}`);
  },
);

const history =
  `,{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"look","input":{"id":${ID}}}]}` +
  ',{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"ok"}]}';

test.each([
  ['a bound and a choice of a schema', '/v1/messages', request('m', false), [`"maximum":${ID}`, `"enum":[${ID}]`]],
  ['the input of an earlier call', '/v1/messages', request('m', true, history), [`{\\"id\\":${ID}}`]],
  [
    'a field of a chat request',
    '/v1/chat/completions',
    `{"model":"m","seed":${ID},"messages":[{"role":"user","content":"go"}]}`,
    [`"seed":${ID}`],
  ],
])('%s reaches the provider as it is', async (_name, path, body, expected) => {
  upstream.requests.length = 0;
  expect((await call(`${app.url}${path}`, { method: 'POST', headers, body })).status).toBe(200);
  for (const part of expected) expect(upstream.requests[0]?.text).toContain(part);
});
