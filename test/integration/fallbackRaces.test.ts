import { getEventListeners } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { ApiError } from '../../src/core/errors.ts';
import { InFlight, ResolvedModels, type Services } from '../../src/gateway/services.ts';
import { LoadBalancer } from '../../src/routing/loadBalancer.ts';
import { checkEvents } from '../helpers/eventGrammar.ts';
import { delta, frame } from '../helpers/fakeUpstream.ts';
import { ask as askGateway, StubUpstream, StubWriter, stubBackends } from '../helpers/gatewayStubs.ts';
import type { TestApp } from '../helpers/startApp.ts';
import { provider, startProviders } from '../helpers/startProviders.ts';

/** The gateway between a client and two providers that all do what the test says, with every clock in its hand. */
const HEADER_WAIT_MS = 300;
const PING = 'event: ping\ndata: {"type":"ping"}\n\n';

let app: TestApp;
let upstream: StubUpstream;
let services: Services;
const requests: AbortController[] = [];

beforeAll(async () => {
  const quirks = { header_wait_ms: HEADER_WAIT_MS, ping_ms: 1000 };
  const at = 'http://127.0.0.1:1/v1';
  app = await startProviders({
    providers: [provider('one', at, { quirks }), provider('two', `${at}/two`, { quirks })],
  });
});

afterAll(() => app.close());

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  upstream = new StubUpstream();
  // Only timers pass: by the clock a budget stays as it was.
  const clock = { now: () => 0, monotonic: () => 0 };
  const order = new LoadBalancer(clock);
  services = {
    ...app.services,
    clock,
    order,
    backends: stubBackends(upstream),
    models: new ResolvedModels(app.services.config),
  };
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

const draining = new ApiError('draining', 'the instance is stopping');
const record = () => app.log.find((line) => line['event'] === 'request');
/** Lets promises run that are ready. */
const turn = () => vi.advanceTimersByTimeAsync(0);

const ask = (stream: boolean) => askGateway(services, stream, new StubWriter(), 'claude-opus-5');
const fail = () => upstream.call.onError(new Error('reset'));

function answer(): void {
  upstream.open();
  upstream.say(frame(delta({ content: 'from two' })), frame(delta({}, 'stop')), 'data: [DONE]\n\n');
  upstream.call.onEnd();
}

test.each([true, false])(
  'R320 a client that goes as the first provider fails has nobody asked for it (stream %s)',
  async (stream) => {
    const { writer, answered } = ask(stream);
    fail();
    writer.leave();
    await answered;
    expect(upstream.calls).toHaveLength(1);
    expect(record()).toMatchObject({ outcome: 'client_closed', attempts: 1 });
  },
);

test.each([true, false])(
  'R320 a client that goes while the second is asked ends that request (stream %s)',
  async (stream) => {
    const { writer, answered } = ask(stream);
    fail();
    await turn();
    writer.leave();
    await answered;
    expect(upstream.calls).toHaveLength(2);
    expect(upstream.call.aborted).toBe(true);
    expect(writer.text).toBe('');
  },
);

test.each([true, false])('R512 a stop as the first provider fails has nobody asked (stream %s)', async (stream) => {
  const { writer, answered } = ask(stream);
  fail();
  services.inFlight.abortAll(draining);
  await answered;
  expect(upstream.calls).toHaveLength(1);
  expect(writer.status).toBe(529);
});

test.each([true, false])(
  'R512 a stop while the second is asked is an error with a status (stream %s)',
  async (stream) => {
    const { writer, answered } = ask(stream);
    fail();
    await turn();
    services.inFlight.abortAll(draining);
    await answered;
    expect(upstream.call.aborted).toBe(true);
    expect(writer.status).toBe(529);
    expect(writer.text).toContain('the instance is stopping');
  },
);

test('R321 the pings go on from one provider to the next, and the answer is legal', async () => {
  const { writer, answered } = ask(true);
  await vi.advanceTimersByTimeAsync(HEADER_WAIT_MS);
  expect(writer.text).toBe(PING);
  fail();
  await vi.advanceTimersByTimeAsync(1000);
  expect(upstream.calls).toHaveLength(2);
  expect(writer.text).toBe(PING + PING);
  answer();
  await answered;
  const events = checkEvents(writer.text.replaceAll(PING, ''));
  expect(events.at(-1)?.type).toBe('message_stop');
});

const HALF_MS = 60_000;
const silences: readonly (readonly [string, () => void])[] = [
  ['nothing at all', () => {}],
  ['a head and nothing more', () => upstream.open()],
];

test.each(silences)('a silent provider (%s) is given up after half of FALLBACK_SECONDS', async (_what, begin) => {
  const { writer, answered } = ask(true);
  begin();
  await vi.advanceTimersByTimeAsync(HALF_MS - 1);
  expect(upstream.calls).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(upstream.calls.map(({ aborted }) => aborted)).toEqual([true, false]);
  // Nobody is left after the second, so that it may think as long as it needs.
  await vi.advanceTimersByTimeAsync(3 * HALF_MS);
  expect(upstream.calls).toHaveLength(2);
  answer();
  await answered;
  expect(writer.text).toContain('message_stop');
  expect(record()).toMatchObject({
    outcome: 'ok',
    fallbacks: [
      { from: 'one,one', reason: expect.stringMatching(/^\[one\] no answer within .* \(FALLBACK_SECONDS\)$/) },
    ],
  });
});

test('a provider that shows signs of life is waited for, and one that has begun to answer is not given up for another', async () => {
  const { answered } = ask(true);
  upstream.open();
  for (let sign = 0; sign < 4; sign += 1) {
    await vi.advanceTimersByTimeAsync(HALF_MS - 1);
    upstream.say(': keep-alive\n\n');
  }
  upstream.say(frame(delta({ content: 'from one' })));
  await vi.advanceTimersByTimeAsync(2 * HALF_MS);
  upstream.say(frame(delta({}, 'stop')), 'data: [DONE]\n\n');
  upstream.call.onEnd();
  await answered;
  expect(upstream.calls).toHaveLength(1);
  expect(record()).toMatchObject({ outcome: 'ok', provider: 'one' });
});

test('the silence before an answer that is not streamed says nothing', async () => {
  const { writer, answered } = ask(false);
  await vi.advanceTimersByTimeAsync(4 * HALF_MS);
  expect(upstream.calls).toHaveLength(1);
  writer.leave();
  await answered;
});

test('a silent provider is waited for when there is only another model of its own', async () => {
  const [one] = services.config.providers;
  if (one === undefined) throw new Error('no provider');
  const models = { ...one.models, big: ['one', 'another'] };
  const config: Config = { ...services.config, providers: [{ ...one, models }] };
  services = { ...services, config, models: new ResolvedModels(config) };
  const { writer, answered } = ask(true);
  await vi.advanceTimersByTimeAsync(4 * HALF_MS);
  expect(upstream.calls).toHaveLength(1);
  writer.leave();
  await answered;
});

test('a silent provider is waited for when the other cannot be asked any more', async () => {
  const { writer, answered } = ask(true);
  await vi.advanceTimersByTimeAsync(HALF_MS - 1);
  const { keys } = services.backends.of(services.config.providers[1]?.provider ?? services.config.provider);
  for (const { key } of keys.list()) keys.coolDown(key, 1000, 'slow down');
  await vi.advanceTimersByTimeAsync(2 * HALF_MS);
  expect(upstream.calls).toHaveLength(1);
  writer.leave();
  await answered;
});

test('R318 when all fail after the pings have begun, the stream ends in one error event', async () => {
  const { writer, answered } = ask(true);
  await vi.advanceTimersByTimeAsync(HEADER_WAIT_MS);
  for (const _candidate of ['one', 'two', 'two again', 'and again']) {
    fail();
    await vi.advanceTimersByTimeAsync(1000);
  }
  await answered;
  expect(writer.text.split('event: error')).toHaveLength(2);
  expect(writer.ended).toBe(true);
  expect(record()).toMatchObject({ outcome: 'interrupted', attempts: 4 });
});

test('R323 a slow client holds back the provider that serves it, and lets it go on', async () => {
  const { writer, answered } = ask(true);
  fail();
  await turn();
  writer.slow = true;
  upstream.open();
  upstream.say(frame(delta({ content: 'from two' })));
  expect(upstream.calls.map(({ paused }) => paused)).toEqual([false, true]);
  writer.drain();
  expect(upstream.call.paused).toBe(false);
  upstream.say(frame(delta({}, 'stop')), 'data: [DONE]\n\n');
  upstream.call.onEnd();
  await answered;
});
