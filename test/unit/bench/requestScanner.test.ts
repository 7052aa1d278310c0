import { expect, test } from 'vitest';
import { smallBody } from '../../../bench/bodies/smallBody.ts';
import { RequestScanner } from '../../../bench/upstream/requestScanner.ts';

const order = { deltas: 100, everyMs: 50 };

function scan(text: string, size: number): RequestScanner {
  const bytes = Buffer.from(text);
  const scanner = new RequestScanner();
  for (let at = 0; at < bytes.length; at += size) scanner.push(bytes.subarray(at, at + size));
  return scanner;
}

test.each([1, 7, 40, 41, 10_000])('order, stream and length are found in parts of %d bytes', (size) => {
  const text = smallBody(order, true);
  expect(scan(text, size)).toMatchObject({ order, streamed: true, bytes: text.length });
});

test.each([
  { deltas: 20, everyMs: 0, afterMs: 22 },
  { deltas: 20, everyMs: 0, toolCall: true },
  { deltas: 123_456, everyMs: 123_456, afterMs: 123_456, toolCall: true },
] as const)('the order %j is found wherever it is cut', (wanted) => {
  const text = smallBody(wanted, true);
  for (const size of [1, 7, 40, 71, 10_000]) expect(scan(text, size).order).toEqual(wanted);
});

test('a request without a stream, and words about a stream, ask for none', () => {
  expect(scan(smallBody(order, false), 64).streamed).toBe(false);
  expect(scan(JSON.stringify({ text: '{"stream":true}' }), 64).streamed).toBe(false);
});
