import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { test } from 'vitest';
import { delta, frame } from '../helpers/fakeUpstream.ts';
import { type Expected, type Fault, playFault } from '../helpers/playFault.ts';
import { EVENTS_HEAD, head, part, type Script, send, sendAndEnd, sendByteWise, whole } from '../helpers/rawUpstream.ts';

const FINE: Expected = { status: 200, text: 'fine' };
/** What the client of a stream gets of an answer that breaks off: its beginning and an error, never a polite end (R316). */
const BROKEN_STREAM: Expected = { status: 200, text: 'half', type: 'overloaded_error' };
/** Without streaming nothing was sent yet, so that the whole answer can be an error. */
const BROKEN_WHOLE: Expected = { status: 529, type: 'overloaded_error', headers: { 'retry-after': '2' } };

const half = frame(delta({ content: 'half' }));
const rest = frame(delta({}, 'stop'));
const usage = frame({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 1 } });
const done = 'data: [DONE]\n\n';
const finished = frame(delta({ content: 'fine' })) + rest;
const events = finished + usage + done;
const completion = JSON.stringify({ choices: [{ message: { content: 'fine' }, finish_reason: 'stop' }] });

/** The header of a zstd frame whose window is 64 MiB (RFC 8878), and the beginning of a block. */
const LARGE_WINDOW = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x80, 0x01, 0x00, 0x00]);

const chunkedHead = head('200 OK', { 'content-type': 'text/event-stream', 'transfer-encoding': 'chunked' });
const eventsWith = (headers: Record<string, string>) =>
  head('200 OK', { 'content-type': 'text/event-stream', connection: 'close', ...headers });

const afterwards =
  (bytes: string | Buffer, then: (peer: Parameters<Script>[0]) => void): Script =>
  async (peer) => {
    await send(bytes)(peer);
    // A reset may overtake what the other side has not read; both share one event loop, so that it has read by then.
    setTimeout(() => then(peer), 50);
  };

const drip =
  (first: string, each: string): Script =>
  async (peer) => {
    await send(first)(peer);
    const timer = setInterval(() => peer.socket.write(each), 100);
    peer.socket.on('close', () => clearInterval(timer));
  };

interface Row extends Fault {
  readonly stream: Expected;
  readonly whole: Expected;
}

const same = (expected: Expected) => ({ stream: expected, whole: expected });
const breaks = { stream: BROKEN_STREAM, whole: BROKEN_WHOLE };

const rows: Record<string, Row> = {
  // The connection
  'U6 a reset in the middle': {
    script: afterwards(EVENTS_HEAD + half, ({ socket }) => socket.resetAndDestroy()),
    ...breaks,
  },
  'U7 an end in the middle, without length': { script: sendAndEnd(EVENTS_HEAD, half), ...breaks },
  'U6 an end in the middle, chunked': { script: sendAndEnd(chunkedHead, part(half)), ...breaks },
  'U8 an end in the middle, with a length': {
    script: sendAndEnd(eventsWith({ 'content-length': '5000' }), half),
    ...breaks,
  },
  'U9 a bad chunk in the middle': { script: send(chunkedHead, part(half), 'zz\r\nnonsense'), ...breaks },
  'U5 silence in the middle': {
    script: send(EVENTS_HEAD, half),
    isSilent: true,
    stream: BROKEN_STREAM,
    whole: { status: 504, type: 'timeout_error' },
  },
  'U11 a drip of comments in the middle': {
    script: drip(EVENTS_HEAD + half, ': keep-alive\n\n'),
    isSilent: true,
    stream: BROKEN_STREAM,
    whole: { status: 504, type: 'timeout_error' },
  },
  'a reset after the finish': {
    script: afterwards(EVENTS_HEAD + finished, ({ socket }) => socket.resetAndDestroy()),
    ...same(FINE),
  },
  'a bad chunk after the finish': { script: send(chunkedHead, part(finished), 'zz\r\n'), ...same(FINE) },
  'JSON with a length that is too short': {
    script: sendAndEnd(
      head('200 OK', { 'content-type': 'application/json', 'content-length': '5000' }),
      completion.slice(0, 40),
    ),
    ...same(BROKEN_WHOLE),
  },
  'JSON that is cut, in a whole body': {
    script: send(whole('200 OK', 'application/json', completion.slice(0, 40))),
    ...same({ status: 502, type: 'api_error' }),
  },
  // What is sent
  'JSON to a stream request': { script: send(whole('200 OK', 'application/json', completion)), ...same(FINE) },
  'JSON without a name of its type': { script: send(whole('200 OK', 'text/plain', `\n${completion}`)), ...same(FINE) },
  'events to a request without stream': { script: sendAndEnd(EVENTS_HEAD, events), ...same(FINE) },
  'events under the name of JSON': { script: send(whole('200 OK', 'application/json', events)), ...same(FINE) },
  'U20 a page with status 200': {
    script: send(whole('200 OK', 'text/html', '<html><title>Sign in</title></html>')),
    ...same({ status: 502, type: 'api_error', words: /OPENAI_BASE_URL: Sign in/ }),
  },
  'a page under the name of events': {
    script: sendAndEnd(EVENTS_HEAD, '<html><title>Sign in</title></html>'),
    ...same({ status: 502, type: 'api_error', words: /Sign in/ }),
  },
  'U20 an error with status 200': {
    script: send(whole('200 OK', 'application/json', '{"error":{"message":"no credit","code":"insufficient_quota"}}')),
    ...same({ status: 402, type: 'billing_error', headers: { 'x-should-retry': 'false' } }),
  },
  'U20 an error as the first chunk': {
    script: sendAndEnd(EVENTS_HEAD, frame({ error: { message: 'try later', code: 503 } })),
    ...same({ ...BROKEN_WHOLE, words: /try later/ }),
  },
  'U20 an error as a late chunk': {
    script: sendAndEnd(EVENTS_HEAD, half, frame({ error: { message: 'went down', code: 500 } })),
    stream: { ...BROKEN_STREAM, words: /went down/ },
    whole: { ...BROKEN_WHOLE, words: /went down/ },
  },
  // Compression that nobody asked for
  'U20 a gzip error': {
    script: send(
      whole('400 Bad Request', 'application/json', gzipSync('{"error":{"message":"bad foo"}}'), {
        'content-encoding': 'gzip',
      }),
    ),
    ...same({ status: 400, type: 'invalid_request_error', words: /bad foo/ }),
  },
  'U20 a brotli error': {
    script: send(
      whole('429 Too Many Requests', 'application/json', brotliCompressSync('{"error":{"message":"slow down"}}'), {
        'content-encoding': 'br',
        'retry-after': '7',
      }),
    ),
    ...same({ status: 429, type: 'rate_limit_error', headers: { 'retry-after': '7' }, words: /slow down/ }),
  },
  'U20 gzip events': {
    script: sendAndEnd(eventsWith({ 'content-encoding': 'gzip' }), gzipSync(events)),
    ...same(FINE),
  },
  'U20 gzip events, byte by byte': {
    script: sendByteWise(Buffer.concat([Buffer.from(eventsWith({ 'content-encoding': 'gzip' })), gzipSync(events)])),
    ...same(FINE),
  },
  'U20 brotli JSON': {
    script: send(whole('200 OK', 'application/json', brotliCompressSync(completion), { 'content-encoding': 'br' })),
    ...same(FINE),
  },
  'U20 zstd events': {
    script: sendAndEnd(eventsWith({ 'content-encoding': 'zstd' }), zstdCompressSync(events)),
    ...same(FINE),
  },
  'U20 gzip JSON of which nobody speaks': {
    script: send(whole('200 OK', 'application/json', gzipSync(completion))),
    ...same(FINE),
  },
  'U20 gzip events of which nobody speaks, byte by byte': {
    script: sendByteWise(Buffer.concat([Buffer.from(eventsWith({})), gzipSync(events)])),
    ...same(FINE),
  },
  'U20 zstd events of which nobody speaks, byte by byte': {
    script: sendByteWise(Buffer.concat([Buffer.from(eventsWith({})), zstdCompressSync(events)])),
    ...same(FINE),
  },
  'U20 a zstd error of which nobody speaks': {
    script: send(whole('400 Bad Request', 'application/json', zstdCompressSync('{"error":{"message":"bad foo"}}'))),
    ...same({ status: 400, type: 'invalid_request_error', words: /bad foo/ }),
  },
  'U20 gzip of which nobody speaks, and that is cut': {
    script: sendAndEnd(eventsWith({}), gzipSync(half).subarray(0, -8)),
    ...breaks,
  },
  'U20 gzip of blanks': {
    script: send(whole('200 OK', 'application/json', gzipSync(' '.repeat(2 * 1024 * 1024)))),
    ...same({ status: 502, type: 'api_error', words: /blanks/ }),
  },
  'U20 a zstd window of 64 MiB': {
    script: send(whole('200 OK', 'application/json', LARGE_WINDOW, { 'content-encoding': 'zstd' })),
    ...same({ ...BROKEN_WHOLE, words: /broke off \(ZSTD_error_frameParameter_windowTooLarge\)/ }),
  },
  'U20 two bytes that begin like gzip': {
    script: sendAndEnd(EVENTS_HEAD, half, Buffer.from([0x1f, 0x8b])),
    ...breaks,
  },
  'U20 nothing but two bytes that begin like gzip': {
    script: sendAndEnd(EVENTS_HEAD, Buffer.from([0x1f, 0x8b])),
    ...same(BROKEN_WHOLE),
  },
  'U20 gzip that is none': {
    script: sendAndEnd(eventsWith({ 'content-encoding': 'gzip' }), events),
    ...same({ ...BROKEN_WHOLE, words: /broke off \(Z_DATA_ERROR\)/ }),
  },
  'U20 gzip that is cut': {
    script: sendAndEnd(eventsWith({ 'content-encoding': 'gzip' }), gzipSync(half).subarray(0, -8)),
    ...breaks,
  },
  'U20 an encoding nobody knows': {
    script: sendAndEnd(eventsWith({ 'content-encoding': 'rot13' }), 'qngn: {}\n\n'),
    ...same(BROKEN_WHOLE),
  },
  'U12 JSON of more than 8 MiB': {
    script: send(head('200 OK', { 'content-type': 'application/json' }), '{"x":"', 'x'.repeat(9 * 1024 * 1024)),
    ...same({ status: 502, type: 'api_error', words: /larger than 8388608 bytes/ }),
  },
  // Framing
  'no [DONE]': { script: sendAndEnd(EVENTS_HEAD, finished + usage), ...same(FINE) },
  'no [DONE] and no end': { script: send(EVENTS_HEAD, finished + usage), ...same(FINE) },
  '[DONE] and no end': { script: send(EVENTS_HEAD, events), ...same(FINE) },
  '[DONE] twice': { script: sendAndEnd(EVENTS_HEAD, events + done), ...same(FINE) },
  'half a frame at the end': { script: sendAndEnd(EVENTS_HEAD, half, 'data: {"choices":[{"del'), ...breaks },
  'a last frame without its blank line': { script: sendAndEnd(EVENTS_HEAD, finished.trimEnd()), ...same(FINE) },
  'U12 a line of 10 MB that never ends': {
    script: sendAndEnd(EVENTS_HEAD, half, `data: ${'x'.repeat(10 * 1024 * 1024)}`),
    stream: { ...BROKEN_STREAM, type: 'api_error' },
    whole: { status: 502, type: 'api_error' },
  },
  'one byte in each packet': { script: sendByteWise(EVENTS_HEAD + events), ...same(FINE) },
  'CRLF line ends': { script: sendAndEnd(EVENTS_HEAD, events.replaceAll('\n', '\r\n')), ...same(FINE) },
  'CR line ends': { script: sendAndEnd(EVENTS_HEAD, events.replaceAll('\n', '\r')), ...same(FINE) },
  'a byte order mark': { script: sendAndEnd(EVENTS_HEAD, `\ufeff${events}`), ...same(FINE) },
  'comments in between': {
    script: sendAndEnd(
      EVENTS_HEAD,
      ': a\n\n',
      frame(delta({ content: 'fi' })),
      ': b\n',
      frame(delta({ content: 'ne' })),
      rest,
    ),
    ...same(FINE),
  },
  'invalid UTF-8': {
    script: sendAndEnd(EVENTS_HEAD, Buffer.from(frame(delta({ content: 'fin\u00ff' })), 'latin1'), rest),
    ...same({ status: 200, text: 'fin\ufffd' }),
  },
  'lines that are not JSON': {
    script: sendAndEnd(EVENTS_HEAD, half, 'data: a\n\ndata: b\n\ndata: c\n\n'),
    stream: { ...BROKEN_STREAM, type: 'api_error' },
    whole: { status: 502, type: 'api_error' },
  },
  // Chunks
  'usage in a chunk of its own': { script: sendAndEnd(EVENTS_HEAD, events), ...same(FINE) },
  'usage never': { script: sendAndEnd(EVENTS_HEAD, finished + done), ...same(FINE) },
  'choices missing, null and empty': {
    script: sendAndEnd(EVENTS_HEAD, frame({}), frame({ choices: null }), frame({ choices: [] }), events),
    ...same(FINE),
  },
  'an end before any chunk': { script: sendAndEnd(EVENTS_HEAD), ...same(BROKEN_WHOLE) },
  '[DONE] alone': { script: sendAndEnd(EVENTS_HEAD, done), ...same(BROKEN_WHOLE) },
};

const cases = Object.entries(rows).flatMap(([name, row]) => [
  { name, how: 'streamed', stream: true, fault: row, expected: row.stream },
  { name, how: 'whole', stream: false, fault: row, expected: row.whole },
]);

// Above all the limits that the faults run into: whatever is not over by then hangs.
test.concurrent.each(cases)('$name, $how', { timeout: 50_000 }, async ({ fault, stream, expected }) => {
  await playFault(fault, stream, expected);
});
