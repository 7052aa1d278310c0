import { afterAll, expect, test } from 'vitest';
import { type Expected, type Fault, playFault } from '../helpers/playFault.ts';
import { EVENTS_HEAD, head, type Script, send, sendAndEnd, whole } from '../helpers/rawUpstream.ts';

const OVERLOADED: Expected = { status: 529, type: 'overloaded_error', headers: { 'retry-after': '2' } };
const TIMEOUT: Expected = { status: 504, type: 'timeout_error' };
const WRONG_ADDRESS: Expected = { status: 502, type: 'api_error', words: /OPENAI_BASE_URL/ };

const completion = JSON.stringify({ choices: [{ message: { content: 'fine' }, finish_reason: 'stop' }] });
const fine = whole('200 OK', 'application/json', completion);

const drip: (first: string, each: string, ms: number) => Script = (first, each, ms) => async (peer) => {
  await send(first)(peer);
  const timer = setInterval(() => peer.socket.write(each), ms);
  peer.socket.on('close', () => clearInterval(timer));
};

/** Everything that can go wrong before the first event: the client gets a status, and Claude Code knows what to do. */
const faults: Record<string, Fault & { expected: Expected }> = {
  'U2 a closed port': {
    script: () => {},
    baseUrl: () => 'http://127.0.0.1:1/v1',
    expected: { ...OVERLOADED, words: /ECONNREFUSED/ },
  },
  'U2 a closed port, with repetitions': {
    script: () => {},
    baseUrl: () => 'http://127.0.0.1:1/v1',
    settings: { MAX_RETRIES: '1' },
    expected: { ...OVERLOADED, asked: 2 },
  },
  'U1 a name that does not exist': {
    script: () => {},
    baseUrl: () => 'http://no-such-host.invalid/v1',
    expected: { ...OVERLOADED, words: /no-such-host\.invalid/ },
  },
  'U3 a reset on accept': { script: ({ socket }) => void socket.resetAndDestroy(), expected: OVERLOADED },
  'U3 an end on accept': { script: ({ socket }) => void socket.destroy(), expected: OVERLOADED },
  'U3 a reset after the request': {
    script: async ({ socket, request }) => {
      await request;
      socket.resetAndDestroy();
    },
    expected: OVERLOADED,
  },
  'U4 silence after accept': { script: () => {}, isSilent: true, expected: { ...TIMEOUT, words: /REQUEST_TIMEOUT/ } },
  'U4 silence in the middle of the headers': {
    script: send('HTTP/1.1 200 OK\r\ncontent-ty'),
    isSilent: true,
    expected: { ...TIMEOUT, words: /REQUEST_TIMEOUT/ },
  },
  'U3 an end in the middle of the headers': {
    script: sendAndEnd('HTTP/1.1 200 OK\r\ncontent-ty'),
    expected: OVERLOADED,
  },
  'U3 a reset in the middle of the headers': {
    script: async (peer) => {
      await send('HTTP/1.1 200 OK\r\ncontent-ty')(peer);
      peer.socket.resetAndDestroy();
    },
    expected: OVERLOADED,
  },
  'U5 headers, then silence': { script: send(EVENTS_HEAD), isSilent: true, expected: TIMEOUT },
  'U5 headers of an answer with a length, then silence': {
    script: send(head('200 OK', { 'content-type': 'application/json', 'content-length': '10' })),
    isSilent: true,
    expected: TIMEOUT,
  },
  'U9 not HTTP at all': { script: sendAndEnd('SSH-2.0-OpenSSH_9.6\r\n'), expected: WRONG_ADDRESS },
  'U10 headers of 100 kB': {
    script: send(head('200 OK', { 'x-long': 'x'.repeat(100_000) })),
    expected: { status: 502, type: 'api_error', words: /headers/ },
  },
  'U11 an endless drip of comments': {
    script: drip(EVENTS_HEAD, ': keep-alive\n\n', 100),
    isSilent: true,
    expected: { ...TIMEOUT, words: /REQUEST_TIMEOUT/ },
  },
  'U11 an endless drip of blank lines': {
    script: drip(head('200 OK', { 'content-type': 'application/json' }), '\n', 100),
    isSilent: true,
    expected: { ...TIMEOUT, words: /REQUEST_TIMEOUT/ },
  },
  'U11 an error that drips without end': {
    script: drip(`${head('400 Bad Request', { 'content-type': 'text/plain' })}no such parameter: foo`, '.', 100),
    expected: { status: 400, type: 'invalid_request_error', words: /no such parameter: foo/ },
  },
  'U11 an error without end at full speed': {
    script: drip(`${head('400 Bad Request', { 'content-type': 'text/plain' })}bad foo`, 'x'.repeat(30_000), 5),
    expected: { status: 400, type: 'invalid_request_error', words: /bad foo/ },
  },
  'U13 a redirect': {
    script: send(whole('302 Found', 'text/html', '', { location: 'http://127.0.0.1:1/elsewhere' })),
    expected: { ...WRONG_ADDRESS, headers: { 'x-should-retry': 'false' } },
  },
  'an upgrade nobody asked for': {
    script: send(head('101 Switching Protocols', { connection: 'upgrade', upgrade: 'websocket' })),
    expected: OVERLOADED,
  },
  'an early 100': { script: send('HTTP/1.1 100 Continue\r\n\r\n', fine), expected: OVERLOADED },
  'early hints': {
    script: send('HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n', fine),
    expected: { status: 200, text: 'fine' },
  },
  'early hints, then silence': {
    script: send('HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'),
    isSilent: true,
    expected: { ...TIMEOUT, words: /REQUEST_TIMEOUT/ },
  },
  'a 502 page': {
    script: send(whole('502 Bad Gateway', 'text/html', '<html><title>502 Bad Gateway</title></html>')),
    expected: { ...OVERLOADED, words: /502 Bad Gateway/ },
  },
  'an empty 200': { script: send(whole('200 OK', 'application/json', '')), expected: OVERLOADED },
  'a 204': { script: send(head('204 No Content')), expected: OVERLOADED },
  'an error that ends too early': {
    script: sendAndEnd(
      head('401 Unauthorized', { 'content-type': 'application/json', 'content-length': '900' }),
      '{"error":{"message":"Incorrect API key canary-key-1f8e2d"}}',
    ),
    expected: { status: 401, type: 'authentication_error', headers: { 'x-should-retry': 'false' } },
  },
};

const warnings: string[] = [];
const onWarning = (warning: Error) => warnings.push(String(warning));
process.on('warning', onWarning);
afterAll(() => {
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});

const rows = Object.entries(faults).flatMap(([name, { expected, ...fault }]) =>
  [true, false].map((stream) => ({ name, how: stream ? 'streamed' : 'whole', stream, fault, expected })),
);

// Above all the limits that the faults run into: whatever is not over by then hangs.
test.concurrent.each(rows)('$name, $how', { timeout: 50_000 }, async ({ fault, stream, expected }) => {
  await playFault(fault, stream, expected);
});
