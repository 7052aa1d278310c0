import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeUpstream, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { call, message, startApp, type TestApp } from '../helpers/startApp.ts';

const LONG = process.env['LONG'] !== undefined;
const IDLE_SOCKETS = LONG ? 1000 : 300;

let upstream: FakeUpstream;
let app: TestApp;

beforeAll(async () => {
  upstream = await startFakeUpstream({ words: words('fine') });
  app = await startApp({ OPENAI_BASE_URL: upstream.url, BIG_MODEL: 'words', SMALL_MODEL: 'words' });
});

afterAll(async () => {
  await app.close();
  await upstream.close();
});

async function openSocket(): Promise<Socket> {
  const socket = connect(app.port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** Writes the beginning of a request, then a byte each half second; gives the answer and the seconds until the end. */
async function drip(beginning: string, byte: string): Promise<{ answer: string; seconds: number }> {
  const startedAt = performance.now();
  const socket = await openSocket();
  let answer = '';
  socket.on('data', (bytes) => {
    answer += bytes;
  });
  socket.write(beginning);
  const timer = setInterval(() => socket.write(byte), 500);
  await once(socket, 'close');
  clearInterval(timer);
  return { answer, seconds: (performance.now() - startedAt) / 1000 };
}

const expectTimeout = ({ answer, seconds }: { answer: string; seconds: number }, limit: number) => {
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  expect(answer).toContain('"timeout_error"');
  expect(seconds).toBeLessThan(limit);
};

test('C3 headers that drip are 408 within about 12 s', async () => {
  expectTimeout(await drip('POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nX: ', 'x'), 15);
});

const HEAD =
  'POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{';

test.runIf(LONG)('C4 a body that drips is 408 within about 62 s', { timeout: 90_000 }, async () => {
  expectTimeout(await drip(HEAD, ' '), 66);
});

test('C3 C4 the limits for headers and body are set, and looked after often', () => {
  const { headersTimeout, requestTimeout } = app.server;
  expect({ headersTimeout, requestTimeout }).toEqual({ headersTimeout: 10_000, requestTimeout: 60_000 });
});

test('C5 idle connections keep nobody from being served', async () => {
  const sockets = await Promise.all(Array.from({ length: IDLE_SOCKETS }, openSocket));
  const times: number[] = [];
  for (let round = 0; round < 100; round += 1) {
    const startedAt = performance.now();
    expect((await call(`${app.url}/v1/messages`, message('words'))).status).toBe(200);
    times.push(performance.now() - startedAt);
  }
  const median = times.sort((a, b) => a - b)[50] ?? 0;
  console.info(`C5: ${IDLE_SOCKETS} idle sockets, ${median.toFixed(1)} ms per request`);
  if (LONG) expect(median).toBeLessThan(10);
  for (const socket of sockets) socket.destroy();
});
