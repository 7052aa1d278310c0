import { beforeEach, expect, test } from 'vitest';
import { Breaker, type Leave } from '../../../src/resilience/circuitBreaker.ts';
import { backoffMs } from '../../../src/resilience/retryBudget.ts';

/** A request that is no trial, for the breaker was closed when it began. */
const REQUEST: Leave = { waitMs: 0, isTrial: false };

let now = 0;
let breaker: Breaker;

beforeEach(() => {
  now = 1000;
  breaker = new Breaker({ now: () => now, monotonic: () => now }, { failures: 3, windowMs: 100, openMs: 50 });
});

function failTimes(times: number): boolean[] {
  return Array.from({ length: times }, () => breaker.fail(REQUEST));
}

test('R410 it opens at the last of so many failures, and says for how long', () => {
  expect(failTimes(3)).toEqual([false, false, true]);
  expect(breaker.state).toBe('open');
  now += 20;
  expect(breaker.enter().waitMs).toBe(30);
});

test('R410 failures that are far apart, or interrupted by an answer, do not open it', () => {
  failTimes(2);
  now += 100;
  expect(failTimes(2)).toEqual([false, false]);
  breaker.succeed(REQUEST);
  expect(failTimes(2)).toEqual([false, false]);
  expect([breaker.state, breaker.enter().waitMs]).toEqual(['closed', 0]);
});

test('R410 after its time one trial is let through, and its answer closes it', () => {
  failTimes(3);
  now += 50;
  expect(breaker.state).toBe('half-open');
  const trial = breaker.enter();
  expect([trial, breaker.enter()]).toEqual([
    { waitMs: 0, isTrial: true },
    { waitMs: 50, isTrial: false },
  ]);
  breaker.succeed(trial);
  expect([breaker.state, breaker.enter().waitMs, breaker.enter().waitMs]).toEqual(['closed', 0, 0]);
});

test('R410 a failed trial opens it again for the whole time', () => {
  failTimes(3);
  now += 50;
  expect(breaker.fail(breaker.enter())).toBe(false);
  expect(breaker.enter().waitMs).toBe(50);
});

test('R410 failures of requests that were under way do not lengthen the wait', () => {
  failTimes(3);
  now += 30;
  breaker.fail(REQUEST);
  expect(breaker.enter().waitMs).toBe(20);
});

test('R410 a trial whose client has gone leaves room for the next', () => {
  failTimes(3);
  now += 50;
  breaker.withdraw(breaker.enter());
  expect(breaker.enter().isTrial).toBe(true);
});

test('R410 requests that began before say nothing about the trial', () => {
  failTimes(3);
  now += 50;
  const trial = breaker.enter();
  breaker.withdraw(REQUEST);
  breaker.fail(REQUEST);
  expect(breaker.enter()).toEqual({ waitMs: 50, isTrial: false });
  breaker.fail(trial);
  expect(breaker.enter().waitMs).toBe(50);
});

test('R410 the answer to a request that was under way does not let the others back', () => {
  failTimes(3);
  breaker.succeed(REQUEST);
  expect([breaker.state, breaker.answeredAt]).toEqual(['open', 1000]);
  now += 50;
  const trial = breaker.enter();
  breaker.succeed(REQUEST);
  expect(breaker.isPassable).toBe(false);
  breaker.succeed(trial);
  expect(breaker.state).toBe('closed');
});

test('R409 the waiting time is a random share of a doubling span', () => {
  expect([0, 1, 2].map((repetition) => backoffMs(repetition, 0.5))).toEqual([250, 500, 1000]);
  expect(backoffMs(3, 0)).toBe(0);
});

test('R410 whether a request would be let through can be asked without sending one', () => {
  expect(breaker.isPassable).toBe(true);
  failTimes(3);
  expect(breaker.isPassable).toBe(false);
  now += 50;
  expect(breaker.isPassable).toBe(true);
  breaker.enter();
  expect(breaker.isPassable).toBe(false);
});

test('it remembers when the provider last answered', () => {
  expect(breaker.answeredAt).toBeUndefined();
  breaker.succeed(REQUEST);
  now += 10;
  breaker.fail(REQUEST);
  expect(breaker.answeredAt).toBe(1000);
});
