import { expect, test } from 'vitest';
import { tokenCount } from '../../../src/core/json.ts';

test.each([
  [0, 0],
  [10, 10],
  [10.5, 11],
  [1e9, 1e9],
  [1e9 + 1, undefined],
  [1e308, undefined],
  [-1, undefined],
  [Number.NaN, undefined],
  [Number.POSITIVE_INFINITY, undefined],
  ['10', undefined],
  [null, undefined],
  [[1], undefined],
])('as a count of tokens %j is %j', (value, count) => {
  expect(tokenCount(value)).toBe(count);
});
