import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeUpstream, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { type Answer, call, message, startApp, type TestApp } from '../helpers/startApp.ts';

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

const ROUTES = ['/', '/health', '/healthz', '/api/hello', '/v1/models', '/v1/stats', '/metrics', '/test-connection'];
const POSTS = ['/v1/messages', '/v1/messages/count_tokens', '/v1/chat/completions'];

/** What lets a page read an answer, or send what it may not send by itself. */
const corsHeaders = ({ headers }: Answer) => Object.keys(headers).filter((name) => name.startsWith('access-control-'));

async function expectRefused(path: string, method: string, headers: Record<string, string>): Promise<void> {
  const asked = upstream.requests.length;
  const body = method === 'POST' ? message('words').body : undefined;
  const answer = await call(app.url + path, { method, headers, body });
  expect([path, answer.status]).toEqual([path, 403]);
  expect(corsHeaders(answer)).toEqual([]);
  expect(upstream.requests).toHaveLength(asked);
}

test.each([
  ['the page of a site', 'https://evil.example'],
  ['a file, a sandboxed frame or a redirect', 'null'],
  ['an extension of the browser', 'chrome-extension://abcdefghijklmnop'],
  ['a page on another port of this machine', 'http://localhost:3000'],
  ['a page that calls itself by this address', 'http://127.0.0.1'],
])('A5 %s reaches no route', async (_name, origin) => {
  for (const path of [...ROUTES, '/nothing']) await expectRefused(path, 'GET', { origin });
  const json = { origin, 'content-type': 'application/json' };
  for (const path of POSTS) await expectRefused(path, 'POST', json);
});

test('A5 no preflight is answered, with or without an Origin', async () => {
  for (const path of [...ROUTES, ...POSTS]) {
    await expectRefused(path, 'OPTIONS', {});
    await expectRefused(path, 'OPTIONS', {
      origin: 'https://evil.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
      'access-control-request-private-network': 'true',
    });
  }
});

test.each(['cross-site', 'same-site'])(
  'A5 an image, form or script of a page, which is %s, reaches no route',
  async (site) => {
    for (const path of ROUTES)
      await expectRefused(path, 'GET', { 'sec-fetch-site': site, 'sec-fetch-mode': 'no-cors' });
  },
);

test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/json5'])(
  'A6 a form of a browser without an Origin (%s) reaches no provider',
  async (type) => {
    const asked = upstream.requests.length;
    for (const path of POSTS) {
      const answer = await call(app.url + path, { ...message('words'), headers: { 'content-type': type } });
      expect([path, answer.status]).toEqual([path, 415]);
    }
    expect(upstream.requests).toHaveLength(asked);
  },
);

test.each([
  ['with the Origin of a page', 'Origin: https://evil.example\r\n', 403],
  ['with the Origin null', 'Origin: null\r\n', 403],
  ['without an Origin', '', 404],
])('A5 a WebSocket %s is not opened', async (_name, origin, status) => {
  const answer = await new Promise<string>((resolve, reject) => {
    let text = '';
    const socket = connect(app.port, '127.0.0.1', () =>
      socket.write(
        `GET /socket HTTP/1.1\r\nHost: 127.0.0.1:${app.port}\r\n${origin}Connection: Upgrade\r\nUpgrade: websocket\r\n` +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      ),
    );
    socket.on('data', (bytes) => {
      text += bytes;
      if (text.includes('}')) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
});

test('A5 no answer may be read by pages: not one route sends a CORS header', async () => {
  for (const path of ROUTES) expect(corsHeaders(await call(app.url + path))).toEqual([]);
  expect(corsHeaders(await call(`${app.url}/v1/messages`, message('words')))).toEqual([]);
});
