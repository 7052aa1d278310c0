import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SseFrameSplitter, SseReader } from '../../../src/protocol/sse.ts';

type Seen = { data: string; event: string | undefined };

function readAll(bytes: Uint8Array, cuts: readonly number[] = []): Seen[] {
  const seen: Seen[] = [];
  const reader = new SseReader((data, event) => seen.push({ data, event }));
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    reader.push(bytes.subarray(from, cut));
    from = cut;
  }
  reader.end();
  return seen;
}

const frame = (data: string, event?: string): Seen => ({ data, event });

test.each<[string, string, Seen[]]>([
  ['line feeds', 'data: a\n\ndata: b\n\n', [frame('a'), frame('b')]],
  ['carriage returns', 'data: a\r\rdata: b\r\r', [frame('a'), frame('b')]],
  ['both', 'data: a\r\n\r\ndata: b\r\n\r\n', [frame('a'), frame('b')]],
  ['no space after the colon', 'data:a\n\n', [frame('a')]],
  ['only the first space is taken off', 'data:  a\n\n', [frame(' a')]],
  ['several data lines', 'data: a\ndata:\ndata: b\n\n', [frame('a\n\nb')]],
  ['a field without a colon', 'data\n\n', [frame('')]],
  ['comments and other fields', ': ping\nid: 1\nretry: 5\ndatum: x\ndata: a\n\n', [frame('a')]],
  ['an event name', 'event: error\ndata: a\n\ndata: b\n\n', [frame('a', 'error'), frame('b')]],
  ['frames without data', 'event: ping\n\n: x\n\ndata: a\n\n', [frame('a')]],
  ['a byte order mark', '\ufeffdata: a\n\n', [frame('a')]],
  ['no blank line at the end', 'data: a\n\ndata: b\n', [frame('a'), frame('b')]],
  ['no line end at the end', 'data: a\n\ndata: b', [frame('a'), frame('b')]],
  ['nothing', '', []],
])('R322 reads %s', (_name, text, expected) => {
  expect(readAll(Buffer.from(text))).toEqual(expected);
});

test('R322 any cut gives the same frames, also inside letters and line ends', () => {
  const line = fc.constantFrom('data: ä😀', 'data:b', 'event: e', ': c', 'data', '', '', '\ufeff', 'data: 你好');
  const text = fc.array(fc.tuple(line, fc.constantFrom('\n', '\r', '\r\n')).map(([content, end]) => content + end));
  fc.assert(
    fc.property(fc.array(text, { maxLength: 4 }), fc.array(fc.nat(), { maxLength: 20 }), (texts, positions) => {
      const bytes = Buffer.from(texts.flat().join(''));
      const cuts = positions.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b);
      expect(readAll(bytes, cuts)).toEqual(readAll(bytes));
      expect(readAll(bytes, [...bytes.keys()])).toEqual(readAll(bytes));
    }),
    { numRuns: 2000 },
  );
});

test('R322 keeps nothing of the caller’s buffer, which may be used again', () => {
  const seen: string[] = [];
  const reader = new SseReader((data) => seen.push(data));
  const buffer = Buffer.from('data: hel');
  reader.push(buffer);
  buffer.fill('x');
  reader.push(Buffer.from('lo\n\n'));
  expect(seen).toEqual(['hello']);
});

test('R322 takes no more memory for a line that comes byte by byte than twice its size', () => {
  const reader = new SseReader(() => {});
  const splitter = new SseFrameSplitter();
  const byte = Buffer.from('x');
  const used = () => {
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    return heapUsed + external + arrayBuffers;
  };
  const before = used();
  for (let count = 0; count < 1_000_000; count += 1) {
    reader.push(byte);
    splitter.push(byte);
  }
  expect((used() - before) / 1024 / 1024).toBeLessThan(60);
  expect(splitter.rest().length).toBe(1_000_000);
});

test('R322 counts lines as well as letters, as a frame of millions of empty lines is no small one', () => {
  const reader = new SseReader(() => {});
  const lines = Buffer.from('data:\n'.repeat(10_000));
  expect(() => {
    for (let count = 0; count < 60; count += 1) reader.push(lines);
  }).toThrow(/8388608 bytes/);
});

test.each([
  ['in one line', Buffer.alloc(1024 * 1024, 'x'), Buffer.from('data: ')],
  ['in many lines', Buffer.from(`data: ${'x'.repeat(1024 * 1024)}\n`), Buffer.alloc(0)],
])('R322 refuses a frame above 8 MiB %s', (_name, piece, start) => {
  const reader = new SseReader(() => {});
  reader.push(start);
  for (let count = 0; count < 7; count += 1) reader.push(piece);
  expect(() => {
    for (let count = 0; count < 2; count += 1) reader.push(piece);
  }).toThrow(/8388608 bytes/);
});

test('R322 takes a frame just below the limit', () => {
  const seen = readAll(Buffer.from(`data: ${'x'.repeat(8 * 1024 * 1024 - 10)}\n\n`), [4_000_000]);
  expect(seen[0]?.data.length).toBe(8 * 1024 * 1024 - 10);
});
