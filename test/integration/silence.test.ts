import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { defaultSettings } from '../../src/quirks/settings.ts';
import {
  type Behaviour,
  delta,
  type FakeUpstream,
  frame,
  openEvents,
  startFakeUpstream,
} from '../helpers/fakeUpstream.ts';
import { call, message, open, readEvents, startApp, type TestApp } from '../helpers/startApp.ts';

/** Goes on only when the test says so, so that silences last as long as the test wants. */
let goOn: () => void = () => {};
const untilTold = () =>
  new Promise<void>((resolve) => {
    goOn = resolve;
  });

const finish = frame(delta({}, 'stop'));
const silentBeforeHeaders: Behaviour = async (response) => {
  await untilTold();
  openEvents(response);
  response.end(`${frame(delta({ content: 'late' }))}${finish}data: [DONE]\n\n`);
};
const silentInside: Behaviour = async (response) => {
  openEvents(response);
  response.write(frame(delta({ content: 'first' })));
  await untilTold();
  response.end(`${frame(delta({ content: ' second' }))}${finish}data: [DONE]\n\n`);
};
const failsLate: Behaviour = async (response) => {
  await untilTold();
  response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":{"message":"no"}}');
};
const neverEnds: Behaviour = (response) => {
  openEvents(response);
  response.write(frame(delta({ content: 'first' })));
};
const withoutUsage: Behaviour = (response) => {
  openEvents(response);
  response.write(frame(delta({ content: 'all' })) + finish);
};

let upstream: FakeUpstream;
let app: TestApp;

beforeAll(async () => {
  upstream = await startFakeUpstream({
    'silent-before-headers': silentBeforeHeaders,
    'silent-inside': silentInside,
    'fails-late': failsLate,
    'never-ends': neverEnds,
    'without-usage': withoutUsage,
    silent: () => {},
  });
  app = await startApp({
    OPENAI_BASE_URL: upstream.url,
    BIG_MODEL: 'x',
    SMALL_MODEL: 'x',
    MAX_RETRIES: '0',
    QUIRK_PING_MS: '100',
    QUIRK_HEADER_WAIT_MS: '100',
    QUIRK_IDLE_TIMEOUT_MS: '1000',
    QUIRK_USAGE_WAIT_MS: '100',
  });
});

afterAll(async () => {
  await app.close();
  await upstream.close();
});

/** Reads a stream until the text has come `times` times, then lets the provider go on, and reads to the end. */
async function readUntil(model: string, text: string, times: number): Promise<string> {
  const response = await open(`${app.url}/v1/messages`, message(model, { stream: true }));
  let seen = '';
  response.setEncoding('utf8');
  response.on('data', (part: string) => {
    seen += part;
    if (seen.split(text).length > times) goOn();
  });
  await once(response, 'end');
  return seen;
}

test('R321 a silence before the headers is filled with pings, and the answer then comes whole', async () => {
  const events = readEvents(await readUntil('silent-before-headers', 'event: ping', 2));
  expect(events.slice(0, 2).map(([type]) => type)).toEqual(['ping', 'ping']);
  expect(events.filter(([type]) => type !== 'ping').map(([type]) => type)).toEqual([
    'message_start',
    'content_block_start',
    'content_block_delta',
    'content_block_stop',
    'message_delta',
    'message_stop',
  ]);
});

test('R321 a silence inside the answer is filled with pings', async () => {
  const text = await readUntil('silent-inside', 'event: ping', 2);
  expect(text.indexOf('event: ping')).toBeGreaterThan(text.indexOf('first'));
  expect(text.indexOf('second')).toBeGreaterThan(text.indexOf('event: ping'));
  expect(readEvents(text).at(-1)?.[0]).toBe('message_stop');
});

test('R411 a failure after the pings have begun is an error event, not a second head', async () => {
  const events = readEvents(await readUntil('fails-late', 'event: ping', 1));
  expect(events.at(-1)).toEqual([
    'error',
    { type: 'error', error: { type: 'invalid_request_error', message: '[test 400] no' } },
  ]);
});

test('R326 an answer that stops for too long ends in an error event', async () => {
  const answer = await call(`${app.url}/v1/messages`, message('never-ends', { stream: true }));
  expect(readEvents(answer.text).at(-1)).toMatchObject(['error', { error: { type: 'overloaded_error' } }]);
});

test('R313 R206 a provider that finishes without usage and without an end is not waited for', async () => {
  const answer = await call(`${app.url}/v1/messages`, message('without-usage', { stream: true }));
  const events = readEvents(answer.text);
  expect(events.at(-1)?.[0]).toBe('message_stop');
  const usage = events.at(-2)?.[1]['usage'] as { input_tokens: number; output_tokens: number };
  expect(usage.input_tokens).toBeGreaterThan(0);
  expect(usage.output_tokens).toBeGreaterThan(0);
});

test('R402 a provider that never answers is a 504', async () => {
  const hurried = await startApp({
    OPENAI_BASE_URL: upstream.url,
    BIG_MODEL: 'x',
    SMALL_MODEL: 'x',
    REQUEST_TIMEOUT: '1',
  });
  const answer = await call(`${hurried.url}/v1/messages`, message('silent'));
  expect(answer.status).toBe(504);
  expect(JSON.parse(answer.text).error).toMatchObject({ type: 'timeout_error' });
  await hurried.close();
});

test('R326 the silence that is allowed within an answer is longer than the client’s own limit, as pings keep it waiting', () => {
  expect(defaultSettings.idleTimeoutMs).toBeGreaterThan(300_000);
});

/** Whether an answer begins with pings, with the usual wait for the provider's headers, to a client that says how long it waits. */
async function beginsWithPing(timeout: string): Promise<boolean> {
  const usual = await startApp({
    OPENAI_BASE_URL: upstream.url,
    BIG_MODEL: 'x',
    SMALL_MODEL: 'x',
    QUIRK_PING_MS: '100',
  });
  const request = message('silent-before-headers', { stream: true });
  const headers = { ...request.headers, 'x-stainless-timeout': timeout };
  const asked = upstream.nextRequest();
  const opened = open(`${usual.url}/v1/messages`, { ...request, headers });
  await asked;
  // Without a limit of the client's own that is short, the answer would begin after 20 s.
  const timer = setTimeout(() => goOn(), 1000);
  const response = await opened;
  goOn();
  clearTimeout(timer);
  const [events] = [readEvents(Buffer.concat(await response.toArray()).toString('utf8'))];
  await usual.close();
  return events[0]?.[0] === 'ping';
}

test.each([
  ['0.3', true],
  ['0.5', true],
  ['1', true],
  ['600', false],
  ['-1', false],
  ['soon', false],
  ['1e300', false],
])('R321 the answer begins before the client gives up, who waits %s s', async (timeout, expected) => {
  expect(await beginsWithPing(timeout)).toBe(expected);
});
