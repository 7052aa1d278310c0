import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type FakeUpstream, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { call, message, startApp, type TestApp } from '../helpers/startApp.ts';
import { provider, startProviders } from '../helpers/startProviders.ts';

const LONG = process.env['LONG'] !== undefined;

let upstream: FakeUpstream;
let chat: TestApp;
let native: TestApp;
let several: TestApp;

beforeAll(async () => {
  upstream = await startFakeUpstream({ '*': words('fine') });
  const common = { OPENAI_BASE_URL: upstream.url, BIG_MODEL: 'words', SMALL_MODEL: 'words', MAX_RETRIES: '0' };
  chat = await startApp({ ...common });
  native = await startApp({ ...common, PROTOCOL: 'anthropic' });
  several = await startProviders({
    providers: ['one', 'two'].map((name) => provider(name, upstream.url, { protocol: 'anthropic' })),
  });
});

beforeEach(() => {
  for (const { log } of [chat, native, several]) log.length = 0;
});

afterAll(async () => {
  await chat.close();
  await native.close();
  await several.close();
  await upstream.close();
});

const JSON_HEADERS = { 'content-type': 'application/json' };
const post = (app: TestApp, path: string, body: string | Buffer) =>
  call(app.url + path, { method: 'POST', headers: JSON_HEADERS, body });

const expectServing = async (app: TestApp) =>
  expect((await post(app, '/v1/messages', message('words').body as string)).status).toBe(200);

/** Sends bytes as they are and gives everything that comes back until the server closes, or answers. */
async function sendRaw(port: number, text: string): Promise<string> {
  let answer = '';
  const socket = connect(port, '127.0.0.1');
  socket.on('data', (bytes) => {
    answer += bytes;
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(text);
  await once(socket, 'close');
  return answer;
}

test.each([
  ['', 70 * 1024 * 1024],
  [', and than all memory,', 9_000_000_000_000],
])('C1 a body that says it is larger than the limit%s is refused before it is sent', async (_label, length) => {
  const head = `POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n`;
  const answer = await sendRaw(chat.port, `${head}Connection: close\r\n\r\n{"model":`);
  expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  expect(answer).toContain('request_too_large');
});

test.each([
  ['by its length', `Content-Length: ${70 * 1024 * 1024}`],
  ['without a token for it', `Content-Length: ${20 * 1024 * 1024}\r\nOrigin: http://page.example`],
])('C1 a client that is refused %s may send its body to the end, and read why', async (_label, headers) => {
  const socket = connect(chat.port, '127.0.0.1');
  let answer = '';
  const failures: Error[] = [];
  socket.on('error', (error) => failures.push(error));
  socket.on('data', (bytes) => {
    answer += bytes;
  });
  const answered = once(socket, 'data');
  socket.write(
    `POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${headers}\r\nConnection: close\r\n\r\n`,
  );
  await answered;
  const part = Buffer.alloc(1024 * 1024, ' ');
  for (let sent = 0; sent < 20; sent += 1) await new Promise((resolve) => socket.write(part, resolve));
  expect(failures).toEqual([]);
  expect(answer).toMatch(/^HTTP\/1\.1 4/);
  socket.destroy();
});

const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
const deepBodies: Record<string, (value: string) => string> = {
  'a field of its own': (value) =>
    `{"model":"words","max_tokens":1,"messages":[{"role":"user","content":"x"}],"x":${value}}`,
  'the content': (value) => `{"model":"words","max_tokens":1,"messages":[{"role":"user","content":${value}}]}`,
  'the first message': (value) => `{"model":"words","max_tokens":1,"messages":[${value}]}`,
  'a tool': (value) =>
    `{"model":"words","max_tokens":1,"messages":[{"role":"user","content":"x"}],"tools":[{"name":"T","input_schema":{"x":${value}}}]}`,
  'the whole': (value) => value,
};
const PATHS = ['/v1/messages', '/v1/messages/count_tokens', '/v1/messages/test_conversion', '/v1/chat/completions'];

test.each(Object.entries(deepBodies))(
  'C2 JSON of 100,000 levels in %s is an answer, never a fault of our own',
  async (_name, bodyOf) => {
    for (const app of [chat, native, several]) {
      for (const path of PATHS) {
        // Which provider serves it, the conversation decides only where the client names none.
        const body = bodyOf(deep(100_000)).replace('"words"', app === several ? '"claude-opus-5"' : '"words"');
        const answer = await post(app, path, body);
        expect(answer.status, `${path}: ${answer.text.slice(0, 200)}`).not.toBe(500);
      }
      if (app !== several) await expectServing(app);
    }
  },
);

test.each([
  [256, 200],
  [300, 400],
])('C2 a request of about %i levels is %i', async (levels, status) => {
  const answer = await post(chat, '/v1/messages', deepBodies['a field of its own']?.(deep(levels - 10)) ?? '');
  expect(answer.status).toBe(status);
});

const REQUEST = JSON.stringify({ model: 'words', max_tokens: 1, messages: [{ role: 'user', content: 'x' }] });
const lines = (...headers: string[]) =>
  ['POST /v1/messages HTTP/1.1', 'Content-Type: application/json', ...headers, '', REQUEST].join('\r\n');

test.each([
  [
    'a length and chunks at once',
    lines('Host: localhost', `Content-Length: ${REQUEST.length}`, 'Transfer-Encoding: chunked'),
  ],
  ['two lengths', lines('Host: localhost', `Content-Length: ${REQUEST.length}`, 'Content-Length: 5')],
  ['a bare line feed', lines('Host: localhost', `Content-Length: ${REQUEST.length}`).replace('\r\n', '\n')],
  ['no Host', lines(`Content-Length: ${REQUEST.length}`)],
  ['a negative length', lines('Host: localhost', 'Content-Length: -1')],
  ['blanks in a header’s name', lines('Host: localhost', 'Content-Length : 5')],
  [
    'a body that is coded and in chunks',
    lines('Host: localhost', 'Transfer-Encoding: gzip, chunked', 'Connection: close').replace(
      REQUEST,
      `${REQUEST.length.toString(16)}\r\n${REQUEST}\r\n0\r\n\r\n`,
    ),
  ],
  ['a folded header', lines('Host: localhost', 'X: a\r\n b', `Content-Length: ${REQUEST.length}`)],
])('C6 %s is refused', async (_name, text) => {
  const before = upstream.requests.length;
  const answer = await sendRaw(chat.port, text);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
  expect(upstream.requests.length).toBe(before);
});

test('C6 requests that are sent at once are answered one by one and in order', async () => {
  const one = `GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  const last = one.replace('/healthz', '/nothing').replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');
  const answer = await sendRaw(chat.port, one + one + last);
  expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 404']);
});

test.each([
  ['invalid UTF-8', Buffer.from(REQUEST.replace('"x"', '"\xff\xfe"'), 'latin1'), 200],
  ['a byte order mark', Buffer.from(`\ufeff${REQUEST}`), 200],
  [
    'a prototype',
    Buffer.from(REQUEST.replace('{', '{"__proto__":{"stream":true},"constructor":{"prototype":{"x":1}},')),
    200,
  ],
  [
    'a prototype in a block',
    Buffer.from(REQUEST.replace('"x"', '[{"type":"text","text":"x","__proto__":{"type":"image"}}]')),
    200,
  ],
  ['UTF-16', Buffer.from(REQUEST, 'utf16le'), 400],
  ['nothing', Buffer.alloc(0), 400],
  ['two values', Buffer.from(REQUEST + REQUEST), 400],
  ['a number', Buffer.from('5'), 400],
])('C7 a body with %s', async (_name, body, status) => {
  const answer = await post(chat, '/v1/messages', body);
  expect(answer.status, answer.text).toBe(status);
  expect(answer.text.startsWith('event:')).toBe(false);
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Record<string, unknown>)['stream']).toBeUndefined();
});

/** What the property below has found. */
test.each([['half a letter in the name of the model', { model: 'm\ud800' }]])(
  'C8 %s is no fault of our own',
  async (_name, fields) => {
    for (const path of PATHS) {
      const answer = await post(chat, path, message('words', fields).body as string);
      expect(answer.status, `${path}: ${answer.text}`).toBe(200);
    }
  },
);

/** Any JSON in any place of a Messages request, which is else one. */
const junk = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(-1, 1e308, '', '\ud800', '__proto__', {}, [], null),
);
const block = fc.oneof(
  junk,
  fc.record(
    {
      type: fc.constantFrom(
        'text',
        'image',
        'document',
        'tool_use',
        'tool_result',
        'thinking',
        'server_tool_use',
        'new',
      ),
      text: junk,
      id: junk,
      name: junk,
      input: junk,
      tool_use_id: junk,
      content: junk,
      source: junk,
      thinking: junk,
      signature: junk,
      cache_control: junk,
    },
    { requiredKeys: ['type'] },
  ),
);
const turns = fc.array(
  fc.oneof(
    junk,
    fc.record({
      role: fc.constantFrom('user', 'assistant', 'system', 'x'),
      content: fc.oneof(junk, fc.array(block, { maxLength: 4 })),
    }),
  ),
  { maxLength: 4 },
);
const request = fc.record(
  {
    model: fc.oneof(fc.constant('words'), junk),
    messages: fc.oneof(turns, junk),
    max_tokens: fc.oneof(fc.constant(5), junk),
    stream: fc.oneof(fc.boolean(), junk),
    system: fc.oneof(junk, fc.array(block, { maxLength: 2 })),
    tools: fc.oneof(
      junk,
      fc.array(fc.oneof(junk, fc.record({ name: junk, input_schema: junk, type: junk }, { requiredKeys: [] })), {
        maxLength: 3,
      }),
    ),
    tool_choice: junk,
    thinking: junk,
    metadata: junk,
    stop_sequences: junk,
    temperature: junk,
    output_config: junk,
    context_management: junk,
  },
  { requiredKeys: ['messages', 'model'] },
);

test('C8 whatever stands in a request, it is served or refused, never a fault of our own', {
  timeout: LONG ? 1_800_000 : 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(request, fc.constantFrom(...PATHS), fc.boolean(), async (body, path, isNative) => {
      const answer = await post(isNative ? native : chat, path, JSON.stringify(body));
      expect(answer.status, answer.text.slice(0, 300)).not.toBe(500);
      upstream.requests.length = 0;
      for (const { log } of [chat, native]) {
        expect(log.filter(({ level }) => level === 'error')).toEqual([]);
        log.length = 0;
      }
    }),
    { numRuns: LONG ? 100_000 : 1000 },
  );
  await expectServing(chat);
  await expectServing(native);
});

test.each(['/v1/messages', '/v1/messages/count_tokens', '/v1/messages/test_conversion', '/v1/chat/completions'])(
  'a model name of a megabyte is a 400 that says so, at %s',
  async (path) => {
    const before = upstream.requests.length;
    for (const app of [chat, native]) {
      const body = {
        model: `claude-${'-'.repeat(1_000_000)}\nx`,
        max_tokens: 5,
        messages: [{ role: 'user', content: 'hi' }],
      };
      const answer = await post(app, path, JSON.stringify(body));
      expect(answer.status).toBe(400);
      expect(answer.text).toContain('a name of 1000009 bytes is too long');
      expect(answer.text.length).toBeLessThan(1000);
    }
    expect(upstream.requests).toHaveLength(before);
  },
);
