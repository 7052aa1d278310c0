import { expect, test } from 'vitest';
import { RetryBudget } from '../../../src/resilience/circuitBreaker.ts';

test('a budget ends with its requests, and the handing on with its time', () => {
  let now = 0;
  const budget = new RetryBudget({ attempts: 2, timeMs: 100 }, { now: () => 0, monotonic: () => now });
  const state = () => [budget.spent, budget.hasAttemptsLeft, budget.allowsFallback];
  expect(state()).toEqual([0, true, true]);
  budget.spent += 1;
  now = 100;
  expect(state()).toEqual([1, true, false]);
  now = 99;
  budget.spent += 1;
  expect(state()).toEqual([2, false, false]);
});

test.each([
  [30_000, 0, 30_000],
  [600_000, 0, 60_000],
  [600_000, 60_000, 30_000],
  [90_000, 60_000, 30_000],
  [600_000, 130_000, 0],
])('a silent provider with a limit of %i ms is waited for after %i ms for %i ms', (limit, elapsed, expected) => {
  let now = 0;
  const budget = new RetryBudget({ attempts: 2, timeMs: 120_000 }, { now: () => 0, monotonic: () => now });
  now = elapsed;
  expect(budget.firstByteTimeoutMs(limit)).toBe(expected);
});
