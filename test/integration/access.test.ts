import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeUpstream, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { call, message, startApp, type TestApp } from '../helpers/startApp.ts';

const TOKEN = 'token-of-this-instance-0123456789';
let upstream: FakeUpstream;
let open: TestApp;
let guarded: TestApp;
let passing: TestApp;
/** Listens for other machines, by its configuration. */
let shared: TestApp;

beforeAll(async () => {
  upstream = await startFakeUpstream({ words: words('fine') });
  const common = { OPENAI_BASE_URL: upstream.url, BIG_MODEL: 'words', SMALL_MODEL: 'words' };
  open = await startApp({ ...common, MAX_BODY_BYTES: '64K', ALLOWED_HOSTS: 'proxy.local' });
  guarded = await startApp({ ...common, ANTHROPIC_API_KEY: TOKEN });
  passing = await startApp({ ...common, OPENAI_API_KEY: '' });
  shared = await startApp({ ...common, HOST: '0.0.0.0', ANTHROPIC_API_KEY: TOKEN });
});

afterAll(async () => {
  await Promise.all([open.close(), guarded.close(), passing.close(), shared.close()]);
  await upstream.close();
});

const withHeaders = (headers: Record<string, string>) => ({
  ...message('words'),
  headers: { 'content-type': 'application/json', ...headers },
});

const envelope = (type: string) => ({
  type: 'error',
  error: { type, message: expect.any(String) },
  request_id: expect.stringMatching(/^req_/),
});

/** Sends bytes as they are and gives everything that comes back until the server closes. */
function sendRaw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (bytes) => {
      answer += bytes;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

test.each([
  ['an Origin', { origin: 'http://127.0.0.1:8080' }],
  ['a cross-site mark', { 'sec-fetch-site': 'cross-site' }],
  ['a foreign Host', { host: 'evil.example' }],
  ['a foreign Host that ends like ours', { host: 'notlocalhost:8080' }],
  ['a Host that goes on behind the brackets', { host: '[::1]evil' }],
  ['a Host that is a user of another', { host: '127.0.0.1:80@x' }],
  ['a Host whose port is a word', { host: 'localhost:x' }],
])('A4 A5 R508 a request with %s is refused without CORS headers', async (_name, headers) => {
  for (const path of ['/v1/messages', '/health']) {
    const options = path === '/health' ? { headers } : withHeaders(headers);
    const answer = await call(open.url + path, options);
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.text)).toEqual(envelope('permission_error'));
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  }
});

test('A5 R508 a preflight is refused', async () => {
  const answer = await call(`${open.url}/v1/messages`, { method: 'OPTIONS' });
  expect(answer.status).toBe(403);
  expect(answer.headers['access-control-allow-origin']).toBeUndefined();
});

test.each(['localhost', '127.0.0.1:1234', '[::1]:8080', 'proxy.local', 'PROXY.local:80'])(
  'A4 R508 the Host %s is ours',
  async (host) => {
    expect((await call(`${open.url}/health`, { headers: { host } })).status).toBe(200);
  },
);

test.each([
  ['an address of IPv4', '/metrics', { host: '10.42.0.17:8080', 'x-api-key': TOKEN }, 200],
  ['an address of IPv6', '/metrics', { host: '[fd00::17]:8080', 'x-api-key': TOKEN }, 200],
  ['an address, without the token', '/metrics', { host: '10.42.0.17:8080' }, 401],
  ['a foreign name', '/metrics', { host: 'evil.example', 'x-api-key': TOKEN }, 403],
  ['a name that begins like an address', '/metrics', { host: '10.42.0.17.evil.example', 'x-api-key': TOKEN }, 403],
  ['an address in brackets that is none', '/metrics', { host: '[10.42.0.17.example]', 'x-api-key': TOKEN }, 403],
  [
    'an address, from a web page',
    '/metrics',
    { host: '10.42.0.17', origin: 'http://10.42.0.17', 'x-api-key': TOKEN },
    403,
  ],
  ['any name, from a health check', '/health', { host: 'pod.cluster.local' }, 200],
  ['any name, from another health check', '/healthz', { host: 'pod.cluster.local' }, 200],
  ['any name, from a web page', '/health', { host: 'pod.cluster.local', origin: 'http://pod.cluster.local' }, 403],
])('A4 beyond loopback the Host may be %s (%s)', async (_what, path, headers, status) => {
  expect((await call(shared.url + path, { headers })).status).toBe(status);
});

test('A4 on loopback an address that is not of this machine is no Host, nor has a health check its way', async () => {
  const statuses = ['10.42.0.17:8080', 'pod.cluster.local'].map((host) =>
    call(`${open.url}/health`, { headers: { host } }).then(({ status }) => status),
  );
  expect(await Promise.all(statuses)).toEqual([403, 403]);
});

test('C6 a second Host is refused', async () => {
  const answer = await sendRaw(
    open.port,
    'GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
  );
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
});

test('C6 an absolute address as path is refused', async () => {
  const answer = await sendRaw(
    open.port,
    'GET http://localhost/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
  );
  expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
});

test.each([
  ['no HTTP at all', 'hello\r\n\r\n', 400],
  ['headers of 20 kB', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
])('C6 R401 %s is answered in the envelope', async (_name, text, status) => {
  const answer = await sendRaw(open.port, text);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toEqual(envelope('invalid_request_error'));
});

test.each(['text/plain', 'application/x-www-form-urlencoded', ''])(
  'A6 R508 the content-type %j is refused with 415',
  async (type) => {
    const answer = await call(`${open.url}/v1/messages`, {
      ...message('words'),
      headers: type === '' ? {} : { 'content-type': type },
    });
    expect(answer.status).toBe(415);
    expect(JSON.parse(answer.text)).toEqual(envelope('invalid_request_error'));
  },
);

test.each([
  ['no token', {}],
  ['a wrong token', { 'x-api-key': 'wrong' }],
  ['a wrong bearer', { authorization: 'Bearer wrong' }],
  ['a prefix of the token', { 'x-api-key': TOKEN.slice(0, -1) }],
])('A3 R507 %s is refused with 401 and not to be repeated', async (_name, headers) => {
  const answer = await call(`${guarded.url}/v1/messages`, withHeaders(headers));
  expect(answer.status).toBe(401);
  expect(answer.headers['x-should-retry']).toBe('false');
  expect(JSON.parse(answer.text)).toEqual(envelope('authentication_error'));
  expect(answer.text).not.toContain(TOKEN);
});

test.each([
  ['as x-api-key', { 'x-api-key': TOKEN }],
  ['as bearer', { authorization: `Bearer ${TOKEN}` }],
  ['beside another credential', { 'x-api-key': 'other', authorization: `Bearer ${TOKEN}` }],
])('A3 R507 the token %s is enough', async (_name, headers) => {
  expect((await call(`${guarded.url}/v1/messages`, withHeaders(headers))).status).toBe(200);
});

test('R504 the probes need no token, everything else does', async () => {
  for (const [method, path] of [
    ['GET', '/'],
    ['HEAD', '/'],
    ['GET', '/health'],
    ['GET', '/healthz'],
    ['HEAD', '/api/hello'],
  ]) {
    expect((await call(guarded.url + path, { method: method ?? '' })).status).toBe(200);
  }
  for (const path of ['/v1/models', '/v1/models/words']) expect((await call(guarded.url + path)).status).toBe(401);
});

test('R507 without a key of its own the instance passes the client’s on', async () => {
  for (const headers of [{ 'x-api-key': 'key-of-the-client' }, { authorization: 'Bearer key-of-the-client' }]) {
    expect((await call(`${passing.url}/v1/messages`, withHeaders(headers))).status).toBe(200);
    expect(upstream.requests.at(-1)?.headers.authorization).toBe('Bearer key-of-the-client');
  }
});

test('R507 without any key the answer says what to do', async () => {
  const answer = await call(`${passing.url}/v1/messages`, message('words'));
  expect(answer.status).toBe(401);
  expect(JSON.parse(answer.text).error.message).toContain('OPENAI_API_KEY');
});

test('C1 R102 a body over the limit is 413, plain or after decoding', async () => {
  const large = JSON.stringify({
    model: 'words',
    max_tokens: 1,
    messages: [{ role: 'user', content: 'x'.repeat(100_000) }],
  });
  for (const [headers, body] of [
    [{}, large],
    [{ 'content-encoding': 'gzip' }, gzipSync(large)],
  ] as const) {
    const answer = await call(`${open.url}/v1/messages`, { ...withHeaders(headers), body });
    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.text)).toEqual(envelope('request_too_large'));
  }
});

test('R510 a compressed body is read', async () => {
  const body = gzipSync(message('words').body ?? '');
  expect((await call(`${open.url}/v1/messages`, { ...withHeaders({ 'content-encoding': 'gzip' }), body })).status).toBe(
    200,
  );
});

test.each([
  ['GET', '/nothing', 404, 'not_found_error'],
  ['GET', '/v1/messages', 405, 'invalid_request_error'],
  ['POST', '/health', 405, 'invalid_request_error'],
  ['GET', '/v1/models/unknown', 404, 'not_found_error'],
  ['POST', '/v1/messages/batches', 501, 'not_supported'],
  ['GET', '/%ff', 404, 'not_found_error'],
  ['GET', '/v1/messages/:id(', 404, 'not_found_error'],
] as const)('R401 R506 %s %s is %i in the envelope', async (method, path, status, type) => {
  const answer = await call(open.url + path, method === 'POST' ? { ...message('words') } : { method });
  expect(answer.status).toBe(status);
  expect(JSON.parse(answer.text)).toEqual(envelope(type));
});

test('S2 a client’s key that the provider repeats is masked in the answer and the log', async () => {
  const echo = await startFakeUpstream({
    words: (response, request) => {
      const message = `bad key ${request.headers.authorization?.replace('Bearer ', '')}`;
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { message } }));
    },
  });
  const lending = await startApp({
    OPENAI_BASE_URL: echo.url,
    BIG_MODEL: 'words',
    SMALL_MODEL: 'words',
    OPENAI_API_KEY: '',
  });
  const record = lending.nextRecord();
  const answer = await call(`${lending.url}/v1/messages`, withHeaders({ 'x-api-key': 'plain words of mine' }));
  expect(answer.status).toBe(400);
  expect(answer.text + JSON.stringify(await record)).not.toContain('plain words of mine');
  await lending.close();
  await echo.close();
});

test('a refused request is counted and in the log, under the id that the client got', async () => {
  const before = guarded.services.stats.snapshot().requests.rejected;
  const record = guarded.nextRecord();
  const answer = await call(`${guarded.url}/v1/messages`, withHeaders({ 'x-api-key': 'wrong' }));
  expect(await record).toMatchObject({ id: answer.headers['request-id'], status: 401, outcome: 'rejected' });
  expect(guarded.services.stats.snapshot().requests.rejected).toBe(before + 1);
});

test('C6 a content-encoding that is a word of the language is unknown', async () => {
  const answer = await call(`${open.url}/v1/messages`, withHeaders({ 'content-encoding': 'constructor' }));
  expect(answer.status).toBe(415);
});

test('C6 R411 garbage on a connection that is being answered gets no second head', async () => {
  const slow = await startFakeUpstream({
    words: (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"choices":[{"delta":{"content":"begun"}}]}\n\n');
    },
  });
  const app = await startApp({ OPENAI_BASE_URL: slow.url, BIG_MODEL: 'words', SMALL_MODEL: 'words' });
  const body = JSON.stringify({
    model: 'words',
    max_tokens: 1,
    stream: true,
    messages: [{ role: 'user', content: 'x' }],
  });
  const seen = await new Promise<string>((resolve, reject) => {
    let text = '';
    const socket = connect(app.port, '127.0.0.1', () => {
      socket.write(
        `POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    });
    socket.on('data', (bytes) => {
      const first = text === '';
      text += bytes;
      if (first) socket.write('no HTTP at all\r\n\r\n');
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
  expect(seen.split('HTTP/1.1')).toHaveLength(2);
  await app.close();
  await slow.close();
});

test('A9 guessing is slowed down, and neither log nor answer has what was tried', async () => {
  const app = await startApp({ OPENAI_BASE_URL: upstream.url, BIG_MODEL: 'words', ANTHROPIC_API_KEY: TOKEN });
  const statuses: number[] = [];
  for (let index = 0; index < 21; index += 1) {
    const guess = `guess-number-${index}-of-a-token`;
    const record = app.nextRecord();
    const answer = await call(`${app.url}/v1/messages`, withHeaders({ 'x-api-key': guess }));
    expect(answer.text + JSON.stringify(await record)).not.toContain(guess);
    statuses.push(answer.status);
  }
  expect(statuses).toEqual([...Array(20).fill(401), 429]);
  const late = await call(`${app.url}/v1/messages`, withHeaders({ 'x-api-key': 'one-more-guess-of-a-token' }));
  expect([late.status, late.headers['retry-after']]).toEqual([429, expect.stringMatching(/^\d+$/)]);
  // Any local user could keep the owner of the instance out otherwise.
  expect((await call(`${app.url}/v1/messages`, withHeaders({ 'x-api-key': TOKEN }))).status).toBe(200);
  expect((await call(`${app.url}/health`)).status).toBe(200);
  await app.close();
});
