import { describe, expect, test } from 'vitest';
import { describePriceChanges, multiplyRates, type Prices, ratesOf } from '../../../src/core/models.ts';

const at = (time: string) => Date.parse(time);

const changing: Prices = {
  input: 2,
  output: 10,
  changes: [
    { from: '2026-12-01', input: 4, output: 20 },
    { from: '2027-03-01', input: 3, output: 15, longInput: { above: 100, input: 6, output: 30 } },
  ],
};
const peaking: Prices = {
  input: 1,
  output: 3,
  peak: {
    hours: [
      [1, 4],
      [6, 10],
    ],
    days: [1, 2, 3, 4, 5],
    input: 2,
    output: 6,
  },
};

describe('the rates of a request', () => {
  test.each([
    ['without a time', undefined, 2],
    ['on the last day of the old price', at('2026-11-30T23:59:59.999Z'), 2],
    ['on the first day of the new one', at('2026-12-01T00:00:00Z'), 4],
    ['on the day before the next', at('2027-02-28T12:00:00Z'), 4],
    ['from then on', at('2028-01-01T00:00:00Z'), 3],
  ])('go by the day %s', (_what, time, input) => {
    expect(ratesOf(changing, 0, time)).toMatchObject({ input });
  });

  test.each([
    ['Monday, before', '2026-11-30T00:59:59Z', 1],
    ['Monday, the first hour', '2026-11-30T01:00:00Z', 2],
    ['Monday, the last minute of the first span', '2026-11-30T03:59:59Z', 2],
    ['Monday, between', '2026-11-30T04:00:00Z', 1],
    ['Monday, the second span', '2026-11-30T06:00:00Z', 2],
    ['Monday, its end', '2026-11-30T10:00:00Z', 1],
    ['Friday', '2026-12-04T02:00:00Z', 2],
    ['Saturday', '2026-12-05T02:00:00Z', 1],
    ['Sunday', '2026-12-06T02:00:00Z', 1],
    ['Monday by another clock than UTC', '2026-11-30T09:30:00+08:00', 2],
  ])('go by the hour: %s', (_what, time, input) => {
    expect(ratesOf(peaking, 0, at(time))).toMatchObject({ input, output: 3 * input });
  });

  test('go by the length of the input, for all tokens of the request', () => {
    const steps: Prices = { input: 1, output: 5, longInput: { above: 272_000, input: 2, output: 7.5 } };
    expect(ratesOf(steps, 272_000)).toEqual({ input: 1, output: 5 });
    expect(ratesOf(steps, 272_001)).toMatchObject({ input: 2, output: 7.5 });
    expect(ratesOf(changing, 101, at('2027-04-01'))).toMatchObject({ input: 6 });
  });

  test('hold nothing but rates where nothing else is meant', () => {
    expect(ratesOf(peaking, 0)).toEqual({ input: 1, output: 3 });
  });
});

test('rates times a factor stay round, and keep what is unknown unknown', () => {
  expect(multiplyRates({ input: 0.1, output: 0.2, cacheRead: 0.3 }, 3)).toEqual({
    input: 0.3,
    output: 0.6,
    cacheRead: 0.9,
  });
});

test('where other rates hold is said in words', () => {
  expect(describePriceChanges({ input: 1, output: 2 })).toEqual([]);
  expect(describePriceChanges(peaking)).toEqual(['Monday to Friday 01:00-04:00 and 06:00-10:00 UTC: in 2, out 6']);
  expect(describePriceChanges(changing)).toEqual([
    'from 2026-12-01: in 4, out 20',
    'from 2027-03-01: in 3, out 15',
    'from 2027-03-01, above 100 tokens of input: in 6, out 30',
  ]);
});
