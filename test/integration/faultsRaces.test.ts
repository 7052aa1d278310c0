import { getEventListeners } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { ApiError } from '../../src/core/errors.ts';
import { InFlight, ResolvedModels, type Services } from '../../src/gateway/services.ts';
import { checkEvents } from '../helpers/eventGrammar.ts';
import { delta, frame } from '../helpers/fakeUpstream.ts';
import { ask as askGateway, StubUpstream, StubWriter, stubBackends } from '../helpers/gatewayStubs.ts';
import { startApp, type TestApp } from '../helpers/startApp.ts';

/** The gateway between a client and a provider that both do what the test says, with every clock in its hand. */
const HEADER_WAIT_MS = 300;
const PING_MS = 1000;
const IDLE_MS = 5000;
const REQUEST_MS = 60_000;
const USAGE_WAIT_MS = 700;
const PING = 'event: ping\ndata: {"type":"ping"}\n\n';

let app: TestApp;
let upstream: StubUpstream;
let services: Services;
const requests: AbortController[] = [];

beforeAll(async () => {
  app = await startApp({
    OPENAI_BASE_URL: 'http://127.0.0.1:1/v1',
    BIG_MODEL: 'model',
    SMALL_MODEL: 'model',
    REQUEST_TIMEOUT: String(REQUEST_MS / 1000),
    QUIRK_HEADER_WAIT_MS: String(HEADER_WAIT_MS),
    QUIRK_PING_MS: String(PING_MS),
    QUIRK_IDLE_TIMEOUT_MS: String(IDLE_MS),
    QUIRK_USAGE_WAIT_MS: String(USAGE_WAIT_MS),
  });
});

afterAll(() => app.close());

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  upstream = new StubUpstream();
  // What one test teaches about the model is not for the next.
  services = { ...app.services, backends: stubBackends(upstream), models: new ResolvedModels(app.services.config) };
  app.log.length = 0;
  requests.length = 0;
  vi.spyOn(services.inFlight, 'add').mockImplementation((request) => {
    requests.push(request);
    InFlight.prototype.add.call(services.inFlight, request);
  });
});

/** Whatever happens: no timer and no listener of ours outlives the answer, and nothing counts as under way. */
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  expect(services.inFlight.size).toBe(0);
  expect(requests.flatMap(({ signal }) => getEventListeners(signal, 'abort'))).toEqual([]);
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const half = frame(delta({ content: 'half' }));
const finish = frame(delta({}, 'stop'));
const usage = frame({ choices: [], usage: { prompt_tokens: 1234, completion_tokens: 1 } });
const done = 'data: [DONE]\n\n';
const draining = new ApiError('draining', 'the instance is stopping');

const record = () => app.log.find((line) => line['event'] === 'request');
const withoutPings = (text: string) => text.replaceAll(PING, '');
const lastEvent = (writer: StubWriter) => checkEvents(withoutPings(writer.text)).at(-1);

const ask = (stream: boolean, writer = new StubWriter()) => askGateway(services, stream, writer);

/** Lets promises run that are ready. */
const turn = () => vi.advanceTimersByTimeAsync(0);

test.each([true, false])('R320 a client that went before the work began costs nothing (stream %s)', async (stream) => {
  const { writer, answered } = ask(stream, new StubWriter(true));
  await answered;
  expect(upstream.calls).toHaveLength(0);
  expect(writer.status).toBeUndefined();
  expect(record()).toMatchObject({ outcome: 'client_closed', attempts: 0 });
});

test('R320 a client that goes while the proxy waits to repeat is not repeated for', async () => {
  const { writer, answered } = ask(true);
  upstream.call.onError(new Error('reset'));
  await turn();
  writer.leave();
  await answered;
  await vi.runAllTimersAsync();
  expect(upstream.calls).toHaveLength(1);
  expect(writer.text).toBe('');
});

test('R512 a stop while the proxy waits to repeat is an error with a status', async () => {
  const { writer, answered } = ask(true);
  upstream.call.onError(new Error('reset'));
  await turn();
  services.inFlight.abortAll(draining);
  await answered;
  expect(writer.status).toBe(529);
  expect(upstream.calls).toHaveLength(1);
});

test.each([true, false])('R512 a stop does not spoil an answer that lacks only its end (stream %s)', async (stream) => {
  const { writer, answered } = ask(stream);
  upstream.open();
  upstream.say(half, finish);
  services.inFlight.abortAll(draining);
  await answered;
  expect(writer.status).toBe(200);
  if (stream) expect(lastEvent(writer)?.type).toBe('message_stop');
  expect(record()).toMatchObject({ outcome: 'ok', stop_reason: 'end_turn' });
  upstream.call.onEnd();
});

test.each([true, false])('R512 a stop in the middle of an answer is an error (stream %s)', async (stream) => {
  const { writer, answered } = ask(stream);
  upstream.open();
  upstream.say(half);
  services.inFlight.abortAll(draining);
  await answered;
  expect(upstream.call.aborted).toBe(true);
  if (stream) expect(lastEvent(writer)).toMatchObject({ type: 'error', data: { error: { type: 'overloaded_error' } } });
  else expect(writer.status).toBe(529);
});

/** How a first attempt can end, long after the pings have begun, so that the same request is sent again. */
const again: Record<string, () => void> = {
  'R409 a failure that may be repeated': () => upstream.call.onError(new Error('reset')),
  'R413 a refusal to which the request can be adapted': () => {
    upstream.open(400, 'application/json');
    upstream.say('{"error":{"message":"unsupported parameter: temperature"}}');
    upstream.call.onEnd();
  },
  'R215 an answer that says nothing': () => {
    upstream.open();
    upstream.say(finish, done);
    upstream.call.onEnd();
  },
};

test.each(Object.entries(again))(
  '%s after the pings have begun is sent again, and the answer is legal',
  async (_name, end) => {
    const { writer, answered } = ask(true);
    await vi.advanceTimersByTimeAsync(HEADER_WAIT_MS + PING_MS);
    expect(writer.text).toBe(PING + PING);
    end();
    await vi.advanceTimersByTimeAsync(500);
    expect(upstream.calls).toHaveLength(2);
    upstream.open();
    upstream.say(half, finish, usage, done);
    upstream.call.onEnd();
    await answered;
    expect(lastEvent(writer)?.type).toBe('message_stop');
    expect(record()).toMatchObject({ outcome: 'ok', attempts: 2 });
  },
);

test('an error that goes on and on is answered from its beginning', async () => {
  const { writer, answered } = ask(true);
  upstream.open(400, 'text/plain');
  upstream.say('no such model', '.'.repeat(70_000));
  await answered;
  expect(writer.status).toBe(404);
  expect(upstream.call.aborted).toBe(true);
});

test('R411 a failure for good after the pings have begun is one error event', async () => {
  const { writer, answered } = ask(true);
  await vi.advanceTimersByTimeAsync(HEADER_WAIT_MS);
  upstream.open(401, 'application/json');
  upstream.call.onEnd();
  await answered;
  expect(writer.text).toMatch(/^(event: ping\n.*\n\n)+event: error\ndata: .*authentication_error.*\n\n$/);
  expect(writer.ended).toBe(true);
});

test('R323 neither the provider’s silence nor the wait for usage runs while the client is slow', async () => {
  const { writer, answered } = ask(true);
  upstream.open();
  writer.slow = true;
  upstream.say(half);
  expect(upstream.call.paused).toBe(true);
  await vi.advanceTimersByTimeAsync(10 * IDLE_MS);
  writer.drain();
  expect(upstream.call.paused).toBe(false);

  writer.slow = true;
  upstream.say(frame(delta({ content: ' and all' }, 'stop')));
  await vi.advanceTimersByTimeAsync(10 * USAGE_WAIT_MS);
  writer.drain();
  upstream.say(usage, done);
  upstream.call.onEnd();
  await answered;
  expect(record()).toMatchObject({ outcome: 'ok', input_tokens: 1234 });
});

test('R321 a slow client gets no pings on top, and they begin again afterwards', async () => {
  const { writer, answered } = ask(true);
  writer.slow = true;
  await vi.advanceTimersByTimeAsync(HEADER_WAIT_MS + 5 * PING_MS);
  expect(writer.text).toBe(PING);
  writer.drain();
  await vi.advanceTimersByTimeAsync(2 * PING_MS);
  expect(writer.text).toBe(PING.repeat(3));
  writer.leave();
  await answered;
});

test('an answer that is complete lets its connection end, and drops it when that does not come', async () => {
  const { answered } = ask(true);
  upstream.open();
  upstream.say(half, finish, done);
  await answered;
  expect(upstream.call.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(1000);
  expect(upstream.call.aborted).toBe(true);
});

test('R326 signs of life without a word are believed for as long as an answer may take to begin', async () => {
  const { writer, answered } = ask(true);
  upstream.open();
  for (let waited = 0; waited < REQUEST_MS - IDLE_MS; waited += IDLE_MS - 1) {
    await vi.advanceTimersByTimeAsync(IDLE_MS - 1);
    upstream.say(': keep-alive\n\n');
  }
  expect(writer.ended).toBe(false);
  upstream.say(half);
  for (let waited = 0; waited < REQUEST_MS - IDLE_MS; waited += IDLE_MS - 1) {
    await vi.advanceTimersByTimeAsync(IDLE_MS - 1);
    upstream.say(': keep-alive\n\n');
  }
  expect(writer.ended).toBe(false);
  await vi.advanceTimersByTimeAsync(IDLE_MS - 1);
  await answered;
  expect(lastEvent(writer)?.type).toBe('error');
  expect(upstream.call.aborted).toBe(true);
});
