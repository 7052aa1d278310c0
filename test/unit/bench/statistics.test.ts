import { expect, test } from 'vitest';
import { median, quantile, slopeOf, summarize } from '../../../bench/report/statistics.ts';

test.each([
  { values: [], share: 0.5, expected: undefined },
  { values: [7], share: 0.99, expected: 7 },
  { values: [3, 1, 2], share: 0, expected: 1 },
  { values: [4, 1, 3, 2], share: 0.5, expected: 2 },
  { values: Array.from({ length: 100 }, (_, index) => index + 1), share: 0.99, expected: 99 },
  { values: [10, 9, 100], share: 1, expected: 100 },
])('the quantile $share of $values.length values is the nearest rank', ({ values, share, expected }) => {
  expect(quantile(values, share)).toBe(expected);
});

test.each([
  { values: [], expected: undefined },
  { values: [10, 9, 100], expected: 10 },
  { values: [4, 1, 3, 2], expected: 2.5 },
])('the median of $values is $expected', ({ values, expected }) => {
  expect(median(values)).toBe(expected);
});

test('a summary leaves out the rounds without a figure', () => {
  expect(summarize([5, undefined, 1, 9])).toEqual({ median: 5, least: 1, most: 9 });
  expect(summarize([undefined])).toBeUndefined();
});

test.each([
  { name: 'flat', figures: [7, 9, 7], slope: 0 },
  { name: 'linear', figures: [2, 20, 200], slope: 1 },
  { name: 'the square', figures: [2, 200, 20_000], slope: 2 },
  { name: 'a constant part', figures: [100, 110, 200], slope: 0.15 },
  { name: 'nothing measured', figures: [undefined, 1, 1], slope: undefined },
])('the slope of $name', ({ figures, slope }) => {
  const found = slopeOf([1, 10, 100], figures);
  if (slope === undefined) expect(found).toBeUndefined();
  else expect(found).toBeCloseTo(slope, 2);
});
