import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { HttpResponseWriter } from '../../src/server/responseWriter.ts';
import { createDemoUpstream } from '../../src/upstream/demo.ts';
import type { Upstream, UpstreamCall, UpstreamRequest } from '../../src/upstream/upstream.ts';
import { delta, frame } from '../helpers/fakeUpstream.ts';
import {
  EVENTS_HEAD,
  head,
  type RawUpstream,
  type Script,
  send,
  sendAndEnd,
  startRawUpstream,
  whole,
} from '../helpers/rawUpstream.ts';
import { message, open, startApp, type TestApp } from '../helpers/startApp.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function provider(script: Script): Promise<RawUpstream> {
  const upstream = await startRawUpstream(script);
  closers.push(() => upstream.close());
  return upstream;
}

async function instance(port: number): Promise<TestApp> {
  const app = await startApp({
    OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1`,
    BIG_MODEL: 'x',
    SMALL_MODEL: 'x',
    MAX_RETRIES: '0',
  });
  closers.push(() => app.close());
  return app;
}

const upstreamOf = ({ services }: TestApp) => services.backends.of(services.config.provider).upstream;

const REQUEST: UpstreamRequest = { body: '{}', stream: true, model: 'x', authorization: undefined };

interface Exchanged {
  readonly call: UpstreamCall;
  /** What was called, in order; reads as their length. */
  readonly seen: (string | number)[];
  readonly over: Promise<void>;
}

function exchange(
  upstream: Upstream,
  onData: (call: UpstreamCall) => void = () => {},
  request: UpstreamRequest = REQUEST,
): Exchanged {
  const seen: (string | number)[] = [];
  let end = () => {};
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  const call = upstream.send(request, {
    onHead: (status) => seen.push(`head ${status}`),
    onData: (bytes) => {
      seen.push(bytes.length);
      onData(call);
    },
    onEnd: () => {
      seen.push('end');
      end();
    },
    onError: () => {
      seen.push('error');
      end();
    },
  });
  return { call, seen, over };
}

const someTime = () => new Promise((resolve) => setTimeout(resolve, 100));
const lengthOf = (seen: readonly (string | number)[]) =>
  seen.reduce<number>((sum, one) => sum + (typeof one === 'number' ? one : 0), 0);

test('R320 a request that is given up before it is sent never reaches the provider', async () => {
  const upstream = await provider(send(whole('200 OK', 'text/plain', 'words')));
  const { call, seen } = exchange(upstreamOf(await instance(upstream.port)));
  call.abort();
  await someTime();
  expect(upstream.connections()).toBe(0);
  expect(seen).toEqual([]);
});

test('R320 a request that is given up while it connects is not sent', async () => {
  let requests = 0;
  const upstream = await provider(async ({ request }) => {
    await request;
    requests += 1;
  });
  const { call, seen } = exchange(upstreamOf(await instance(upstream.port)));
  await Promise.resolve();
  call.abort();
  await someTime();
  expect(requests).toBe(0);
  expect(seen).toEqual([]);
});

test('R323 an answer that is paused before its head brings no data until it is resumed', async () => {
  const upstream = await provider(send(whole('200 OK', 'text/plain', 'words')));
  const { call, seen, over } = exchange(upstreamOf(await instance(upstream.port)));
  call.pause();
  await someTime();
  expect(seen).toEqual(['head 200']);
  call.resume();
  await over;
  expect(seen).toEqual(['head 200', 5, 'end']);
});

test('R323 a paused answer stays paused when it is compressed, however much it grows', async () => {
  const size = 20 * 1024 * 1024;
  const body = gzipSync(Buffer.alloc(size, 'x'));
  const upstream = await provider(send(whole('200 OK', 'text/plain', body, { 'content-encoding': 'gzip' })));
  let held = true;
  const { call, seen, over } = exchange(upstreamOf(await instance(upstream.port)), (one) => {
    if (held) one.pause();
  });
  await someTime();
  expect(lengthOf(seen)).toBeLessThan(256 * 1024);
  held = false;
  call.resume();
  await over;
  expect(lengthOf(seen)).toBe(size);
  expect(seen.at(-1)).toBe('end');
});

test('U12 of an answer whose bytes come in pieces of their own some thousand are read in one turn, and all of it', async () => {
  const size = 200_000;
  const bytes = Buffer.from(`${'1\r\nx\r\n'.repeat(size)}0\r\n\r\n`);
  const upstream = await provider(send(head('200 OK', { 'transfer-encoding': 'chunked' }), bytes));
  let most = 0;
  let inTurn = 0;
  const { seen, over } = exchange(upstreamOf(await instance(upstream.port)), () => {
    inTurn += 1;
    most = Math.max(most, inTurn);
  });
  let next = setImmediate(function turn() {
    inTurn = 0;
    next = setImmediate(turn);
  });
  await over;
  clearImmediate(next);
  expect(most).toBeLessThanOrEqual(4096);
  expect(lengthOf(seen)).toBe(size);
  expect(seen.at(-1)).toBe('end');
});

test('R323 a paused answer that is compressed holds the provider back', async () => {
  const body = gzipSync(randomBytes(30 * 1024 * 1024), { level: 0 });
  let unsent = () => 0;
  const upstream = await provider(async (peer) => {
    unsent = () => peer.socket.writableLength;
    await send(head('200 OK', { 'content-encoding': 'gzip' }), body)(peer);
  });
  const { call } = exchange(upstreamOf(await instance(upstream.port)), (one) => one.pause());
  let before: number;
  do {
    before = unsent();
    await someTime();
  } while (unsent() === 0 || unsent() !== before);
  expect(unsent()).toBeGreaterThan(10 * 1024 * 1024);
  call.abort();
});

test('R320 after an abort a compressed answer says nothing more, not even what is decoded already', async () => {
  const body = gzipSync(Buffer.alloc(5 * 1024 * 1024, 'x'));
  const upstream = await provider(send(head('200 OK', { 'content-encoding': 'gzip' }), body));
  let first = true;
  const { call, seen } = exchange(upstreamOf(await instance(upstream.port)), (one) => {
    if (first) one.pause();
    else one.abort();
    first = false;
  });
  await someTime();
  call.resume();
  await someTime();
  expect(seen).toHaveLength(3);
  expect(upstream.open()).toBe(0);
});

const demo: UpstreamRequest = { ...REQUEST, body: '{"model":"demo","messages":[]}', model: 'demo' };

test('R320 the built-in provider says nothing more after an abort, and pauses without losing its place', async () => {
  const whole = exchange(createDemoUpstream(), () => {}, demo);
  await whole.over;
  const paused = exchange(
    createDemoUpstream(),
    (one) => {
      one.pause();
      one.resume();
      one.resume();
    },
    demo,
  );
  const aborted = exchange(createDemoUpstream(), (one) => one.abort(), demo);
  await paused.over;
  await someTime();
  expect(paused.seen).toEqual(whole.seen);
  expect(aborted.seen).toHaveLength(2);
});

test.each([
  ['a key that no header can carry', 'Bearer a\nb', false],
  ['a client that is closed', undefined, true],
])('%s is an error, reported after the call exists', async (_name, authorization, closed) => {
  const upstream = upstreamOf(await instance(1));
  if (closed) await upstream.close();
  const { seen, over } = exchange(upstream, () => {}, { ...REQUEST, authorization });
  expect(seen).toEqual([]);
  await over;
  expect(seen).toEqual(['error']);
});

test('R323 an end of the connection while the client is slow loses nothing', async () => {
  const piece = 'x'.repeat(64 * 1024);
  const pieces = Array.from({ length: 160 }, () => frame(delta({ content: piece })));
  const upstream = await provider(sendAndEnd(EVENTS_HEAD, ...pieces, frame(delta({}, 'stop'))));
  const app = await instance(upstream.port);
  const response = await open(`${app.url}/v1/messages`, message('x', { stream: true }));
  await someTime();
  let text = '';
  for await (const part of response.setEncoding('utf8')) text += part;
  expect(text.split(piece).length - 1).toBe(pieces.length);
  expect(text).toMatch(/event: message_stop\ndata: .*\n\n$/);
});

test('R320 a client that has gone is reported at once to whoever asks later', async () => {
  let asked: Promise<boolean> | undefined;
  const server = createServer((_request, response) => {
    asked = once(response, 'close').then(() => {
      let gone = false;
      new HttpResponseWriter(response, 'req_test', () => false).onGone(() => {
        gone = true;
      });
      return gone;
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(async () => void server.close());
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const controller = new AbortController();
  const answer = fetch(`http://127.0.0.1:${port}/`, { signal: controller.signal }).catch(() => {});
  await once(server, 'request');
  controller.abort();
  await answer;
  expect(await asked).toBe(true);
});
