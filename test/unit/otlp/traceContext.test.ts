import { describe, expect, test } from 'vitest';
import { readRetryAfter } from '../../../src/otlp/exporter.ts';
import { formatTraceParent, newTraceId, parseTraceParent, shouldSample } from '../../../src/otlp/traceContext.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

describe('traceparent, by the examples of its standard', () => {
  test.each([
    [`00-${TRACE}-${SPAN}-01`, true],
    [`00-${TRACE}-${SPAN}-00`, false],
    [`00-${TRACE}-${SPAN}-03`, true],
    [`cc-${TRACE}-${SPAN}-01-what-the-future-will-be`, true],
  ])('%s', (header, isSampled) => {
    expect(parseTraceParent(header)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled });
  });

  test.each([
    undefined,
    '',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}-${SPAN}`,
    `cc-${TRACE}-${SPAN}-01-${'x'.repeat(600)}`,
  ])('not %s', (header) => {
    expect(parseTraceParent(header)).toBeUndefined();
  });

  test('is written as it is read', () => {
    const context = { traceId: TRACE, spanId: SPAN, isSampled: true };
    expect(parseTraceParent(formatTraceParent(context))).toEqual(context);
  });
});

test('a ratio keeps its share of the traces', () => {
  const kept = Array.from({ length: 20_000 }, newTraceId).filter((id) =>
    shouldSample({ followsParent: true, ratio: 0.25 }, id, undefined),
  );
  expect(kept.length / 20_000).toBeGreaterThan(0.23);
  expect(kept.length / 20_000).toBeLessThan(0.27);
});

test.each<[string | undefined, number | undefined]>([
  [undefined, undefined],
  ['3', 3000],
  ['0', 0],
  ['999999', 300_000],
  ['Mon, 30 Nov 2026 08:00:05 GMT', 5000],
  ['Mon, 30 Nov 2026 07:00:00 GMT', 0],
  ['soon', undefined],
])('Retry-After: %s', (header, ms) => {
  expect(readRetryAfter(header, Date.UTC(2026, 10, 30, 8))).toBe(ms);
});
