import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRetryAfter } from '../../../src/upstream/errorDetails.ts';

const NOW = Date.parse('2026-11-29T12:00:00Z');
const DAY = 86_400;
const read = (headers: Record<string, string>, text = '') => readRetryAfter(headers, text, NOW);

test.each<[headers: Record<string, string>, text: string, expected: number | undefined]>([
  [{ 'retry-after': '1e30' }, '', DAY],
  [{ 'retry-after': '10000000000000' }, '', DAY],
  [{ 'retry-after': '9'.repeat(400) }, '', undefined],
  [{ 'retry-after': '-5000' }, '', undefined],
  [{ 'retry-after': 'NaN' }, '', undefined],
  [{ 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' }, '', DAY],
  [{ 'retry-after': '0.2' }, '', 1],
  [{ 'retry-after': '86401' }, '', DAY],
  [{ 'retry-after-ms': '1e30' }, '', DAY],
  [{ 'retry-after-ms': '-1' }, '', undefined],
  [{ 'x-ratelimit-reset-requests': '1e300', 'x-ratelimit-remaining-requests': '0' }, '', DAY],
  [{}, 'try again in 99999999999999s', DAY],
  [{}, `try again in ${'9'.repeat(400)}s`, undefined],
])('%o %s is a pause of at most a day, or none', (headers, text, expected) => {
  expect(read(headers, text)).toBe(expected);
});

test('whatever a provider says is a whole number of seconds up to a day, or nothing', () => {
  const value = fc.oneof(fc.string(), fc.double().map(String), fc.bigInt().map(String));
  const name = fc.constantFrom('retry-after', 'retry-after-ms', 'x-ratelimit-reset-tokens');
  fc.assert(
    fc.property(name, value, (header, text) => {
      const seconds = read({ [header]: text, 'x-ratelimit-remaining-tokens': '0' }, `retry after ${text}`);
      return seconds === undefined || (Number.isInteger(seconds) && seconds >= 0 && seconds <= DAY);
    }),
  );
});

test('a pause in a body is looked for near its beginning', () => {
  const body = (letters: number) => `{"x":"${'x'.repeat(letters)}","retryDelay":"7s"}`;
  expect(readRetryAfter({}, '', NOW, body(16_000))).toBe(7);
  expect(readRetryAfter({}, '', NOW, body(17_000))).toBeUndefined();
});
