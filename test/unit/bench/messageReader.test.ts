import { expect, test } from 'vitest';
import { MessageReader } from '../../../bench/http/messageReader.ts';
import { answerBytes, chunk, LAST_CHUNK, requestBytes, STREAM_HEAD } from '../../../bench/http/writeMessage.ts';

const bytes = Buffer.concat([
  answerBytes('200 OK', '{"a":1}'),
  Buffer.from(`${STREAM_HEAD}${chunk('data: 1\n\n')}${chunk('data: 2\n\n')}${LAST_CHUNK}`),
  Buffer.from('HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n'),
  Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nend\r\n0\r\nx-sum: 1\r\n\r\n'),
  requestBytes('/v1/messages', {}, 'größer'),
]);

function read(parts: readonly Buffer[]): string[] {
  const messages: string[] = [];
  let body: Buffer[] = [];
  let start = '';
  const reader = new MessageReader({
    onHead: (startLine) => {
      start = startLine;
      body = [];
    },
    onBody: (part) => body.push(part),
    onEnd: () => messages.push(`${start}: ${Buffer.concat(body).toString('utf8')}`),
  });
  for (const part of parts) reader.push(part);
  return messages;
}

const expected = [
  'HTTP/1.1 200 OK: {"a":1}',
  'HTTP/1.1 200 OK: data: 1\n\ndata: 2\n\n',
  'HTTP/1.1 204 No Content: ',
  'HTTP/1.1 200 OK: end',
  'POST /v1/messages HTTP/1.1: größer',
];

test('messages with a length, with chunks, with a trailer and without a body are distinguished', () => {
  expect(read([bytes])).toEqual(expected);
});

test.each([1, 2, 3, 7, 50])('the bytes may come in parts of %d', (size) => {
  const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
  expect(read(parts)).toEqual(expected);
});

test('what is no chunk size is an error', () => {
  expect(() => read([Buffer.from(`${STREAM_HEAD}xyz\r\n`)])).toThrow('not a chunk size');
});
