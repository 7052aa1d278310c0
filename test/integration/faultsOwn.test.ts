import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { ResolvedModels, type Services } from '../../src/gateway/services.ts';
import { checkEvents } from '../helpers/eventGrammar.ts';
import { delta, frame } from '../helpers/fakeUpstream.ts';
import { ask, StubUpstream, type StubWriter, stubBackends } from '../helpers/gatewayStubs.ts';
import { startApp, type TestApp } from '../helpers/startApp.ts';

const HEADER_WAIT_MS = 300;

let app: TestApp;
let upstream: StubUpstream;
let services: Services;

beforeAll(async () => {
  app = await startApp({
    OPENAI_BASE_URL: 'http://127.0.0.1:1/v1',
    BIG_MODEL: 'model',
    SMALL_MODEL: 'model',
    QUIRK_HEADER_WAIT_MS: String(HEADER_WAIT_MS),
  });
});

afterAll(() => app.close());

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  upstream = new StubUpstream();
  services = { ...app.services, backends: stubBackends(upstream), models: new ResolvedModels(app.services.config) };
  app.log.length = 0;
});

afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  expect(services.inFlight.size).toBe(0);
  vi.useRealTimers();
});

const half = frame(delta({ content: 'half' }));
const lastEvent = (writer: StubWriter) => checkEvents(writer.text).at(-1);

/** A fault of the proxy's own, in the middle of reading an answer. */
const faulty = (): Services => ({
  ...services,
  redact: () => {
    throw new TypeError('a fault of our own');
  },
});
const inBandError = frame({ error: { message: 'x' } });

const expectLogged = () =>
  expect(app.log).toContainEqual(
    expect.objectContaining({ level: 'error', id: 'req_test', reason: expect.stringContaining('a fault of our own') }),
  );

test.each([true, false])(
  'R414 a fault of our own while reading is a 500 with its reason in the log (stream %s)',
  async (stream) => {
    const { writer, answered } = ask(faulty(), stream);
    upstream.open();
    upstream.say(inBandError);
    await answered;
    expect(writer.status).toBe(500);
    expect(writer.text).not.toContain('a fault of our own');
    expect(upstream.call.aborted).toBe(true);
    expectLogged();
  },
);

test('R414 R411 a fault of our own after the first event ends the stream with an error event', async () => {
  const { writer, answered } = ask(faulty(), true);
  upstream.open();
  upstream.say(half, inBandError);
  await answered;
  expect(lastEvent(writer)).toMatchObject({ type: 'error', data: { error: { type: 'api_error' } } });
  expect(writer.ended).toBe(true);
  expectLogged();
});

test('R414 a fault of our own between two attempts ends a stream that has begun', async () => {
  vi.spyOn(services.models, 'learn').mockImplementation(() => {
    throw new TypeError('a fault of our own');
  });
  const { writer, answered } = ask(services, true);
  await vi.advanceTimersByTimeAsync(HEADER_WAIT_MS);
  upstream.open(400, 'application/json');
  upstream.say('{"error":{"message":"unsupported parameter: temperature"}}');
  upstream.call.onEnd();
  await answered;
  expect(writer.text).toMatch(/event: error\ndata: .*api_error.*\n\n$/);
  expect(writer.ended).toBe(true);
  expectLogged();
});

test('R411 a fault of our own before the first attempt leaves no ping behind its answer', async () => {
  const target = services.models.get(services.config.modelRefs.of('model'));
  const createDeltaRepair = () => {
    throw new TypeError('a fault of our own');
  };
  vi.spyOn(services.models, 'get').mockReturnValue({ ...target, repairs: { ...target.repairs, createDeltaRepair } });
  const { writer, answered } = ask(services, true);
  await answered;
  expect(writer.status).toBe(500);
  expect(vi.getTimerCount()).toBe(0);
});
