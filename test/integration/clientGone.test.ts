import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
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
import { message, startApp, type TestApp } from '../helpers/startApp.ts';

const silent: Behaviour = () => {};
const silentAfterHeaders: Behaviour = (response) => openEvents(response);
const silentAfter =
  (...chunks: ReturnType<typeof delta>[]): Behaviour =>
  (response) => {
    openEvents(response);
    response.write(chunks.map(frame).join(''));
  };
const call = { index: 0, id: 'a', type: 'function', function: { name: 'Read', arguments: '{"file_path":"/unfin' } };

let upstream: FakeUpstream;
let app: TestApp;

beforeAll(async () => {
  upstream = await startFakeUpstream({
    silent,
    'silent-after-headers': silentAfterHeaders,
    'silent-in-text': silentAfter(delta({ content: 'and then' })),
    'silent-in-arguments': silentAfter(delta({ tool_calls: [call] })),
    'broken-for-ever': json(429, { error: { message: 'wait' } }, { 'retry-after': '5' }),
  });
  app = await startApp({ OPENAI_BASE_URL: upstream.url, BIG_MODEL: 'x', SMALL_MODEL: 'x' });
});

afterAll(async () => {
  await app.close();
  await upstream.close();
});

/** Asks for a stream and hands the request out, so that the test can break it off. */
function ask(model: string, streamed = true) {
  const options = message(model, { stream: streamed });
  const request = httpRequest(`${app.url}/v1/messages`, {
    method: 'POST',
    headers: options.headers ?? {},
    agent: false,
  });
  request.on('error', () => {});
  request.end(options.body);
  return request;
}

test.each([
  ['before the headers', 'silent', true],
  ['before the headers, without streaming', 'silent', false],
  ['before the first event', 'silent-after-headers', true],
])('L7 R320 a client that goes %s ends the provider’s request', async (_stage, model, streamed) => {
  const arrived = upstream.nextRequest();
  const record = app.nextRecord();
  const request = ask(model, streamed);
  const received = await arrived;
  request.destroy();
  await received.closed;
  expect(await record).toMatchObject({ outcome: 'client_closed' });
});

test.each(['silent-in-text', 'silent-in-arguments'])(
  'L7 R320 a client that goes in the middle of %s ends the provider’s request',
  async (model) => {
    const arrived = upstream.nextRequest();
    const record = app.nextRecord();
    const request = ask(model);
    const received = await arrived;
    const [response] = await once(request, 'response');
    await once(response, 'data');
    request.destroy();
    await received.closed;
    const line = await record;
    expect(line).toMatchObject({ outcome: 'client_closed', attempts: 1, usage_estimated: true });
    // What was thrown away was paid for all the same.
    expect(line['output_tokens']).toBeGreaterThan(0);
  },
);

test('L7 R320 a client that goes while the proxy waits to repeat ends the repetitions', async () => {
  const arrived = upstream.nextRequest();
  const record = app.nextRecord();
  const request = ask('broken-for-ever');
  const received = await arrived;
  await received.closed;
  const before = upstream.requests.length;
  request.destroy();
  expect(await record).toMatchObject({ outcome: 'client_closed', attempts: 1 });
  expect(upstream.requests.length).toBe(before);
});

test('a client that goes is not a fault of the provider', async () => {
  const { requests, lastError } = app.services.stats.snapshot();
  expect(requests.clientClosed).toBeGreaterThan(0);
  expect(requests.failed).toBe(0);
  expect(lastError).toBeUndefined();
  expect(app.services.inFlight.size).toBe(0);
});
