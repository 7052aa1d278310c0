import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SseFrameSplitter, SseReader } from '../../../src/protocol/sse.ts';

const push = (cutter: SseFrameSplitter, text: string) => Buffer.from(cutter.push(Buffer.from(text))).toString();

test.each([
  ['LF', ['data: a\n\ndata: b', '\n', '\ndata'], ['data: a\n\n', '', 'data: b\n\n']],
  ['CRLF', ['data: a\r\n\r\ndata: b\r', '\n\r\n'], ['data: a\r\n\r\n', 'data: b\r\n\r\n']],
  ['CR', ['data: a\r\rdata: b\r', 'x'], ['data: a\r\r', '']],
  ['a line end between two reads is none twice', ['data: a\r', '\ndata: b'], ['', '']],
  ['a pair that is cut within its blank line', ['data: a\r\n\r', '\ndata: b'], ['data: a\r\n\r', '\n']],
  ['comments', [': ping\n', '\n: '], ['', ': ping\n\n']],
])('R322 whole frames come out at once: %s', (_name, reads, expected) => {
  const cutter = new SseFrameSplitter();
  expect(reads.map((read) => push(cutter, read))).toEqual(expected);
});

const stream = fc.array(fc.constantFrom('data: x', 'event: y', '\n', '\r', '\r\n', '\n\n', ':', 'ü'), {
  maxLength: 40,
});
const cuts = fc.array(fc.nat(60), { maxLength: 10 });

test('R322 wherever the bytes are cut: nothing is lost, and no frame waits that the reader has seen whole', () => {
  fc.assert(
    fc.property(stream, cuts, (pieces, at) => {
      const bytes = Buffer.from(pieces.join(''));
      const places = [...new Set([...at.filter((place) => place < bytes.length), bytes.length])].sort((a, b) => a - b);
      const cutter = new SseFrameSplitter();
      let out = Buffer.alloc(0);
      let from = 0;
      let events = 0;
      let passed = 0;
      const reader = new SseReader(() => {
        events += 1;
      });
      const behind = new SseReader(() => {
        passed += 1;
      });
      for (const to of places) {
        const read = bytes.subarray(from, to);
        reader.push(read);
        const whole = Buffer.from(cutter.push(read));
        behind.push(whole);
        out = Buffer.concat([out, whole]);
        expect(passed).toBe(events);
        from = to;
      }
      expect(Buffer.concat([out, cutter.rest()])).toEqual(bytes);
    }),
  );
});

test('R322 a frame without an end is refused', () => {
  const cutter = new SseFrameSplitter();
  const lines = Buffer.from('id: 1\n'.repeat(200_000));
  expect(() => {
    for (let round = 0; round < 10; round += 1) cutter.push(lines);
  }).toThrow(/frame of more than/);
});
