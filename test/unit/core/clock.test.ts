import fc from 'fast-check';
import { expect, test } from 'vitest';
import { utcDay } from '../../../src/core/clock.ts';

const DAY_MS = 86_400_000;

test('the day of a moment is right whichever was asked for before', () => {
  const moment = fc.oneof(
    fc.integer({ min: -DAY_MS, max: 4_000_000_000_000 }),
    fc.nat(30_000).map((days) => days * DAY_MS),
    fc.nat(30_000).map((days) => days * DAY_MS - 1),
  );
  fc.assert(
    fc.property(fc.array(moment), (moments) => {
      expect(moments.map(utcDay)).toEqual(moments.map((at) => new Date(at).toISOString().slice(0, 10)));
    }),
  );
  expect(() => utcDay(Number.NaN)).toThrow(RangeError);
});
