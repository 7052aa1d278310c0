import { beforeEach, expect, test } from 'vitest';
import { backoffMs } from '../../../src/resilience/backoff.ts';
import { Breaker } from '../../../src/resilience/breaker.ts';

let now = 0;
let breaker: Breaker;

beforeEach(() => {
  now = 1000;
  breaker = new Breaker({ now: () => now, monotonic: () => now }, { failures: 3, windowMs: 100, openMs: 50 });
});

function failTimes(times: number): boolean[] {
  return Array.from({ length: times }, () => breaker.fail());
}

test('R410 it opens at the last of so many failures, and says for how long', () => {
  expect(failTimes(3)).toEqual([false, false, true]);
  expect(breaker.state).toBe('open');
  now += 20;
  expect(breaker.enter()).toBe(30);
});

test('R410 failures that are far apart, or interrupted by an answer, do not open it', () => {
  failTimes(2);
  now += 100;
  expect(failTimes(2)).toEqual([false, false]);
  breaker.succeed();
  expect(failTimes(2)).toEqual([false, false]);
  expect([breaker.state, breaker.enter()]).toEqual(['closed', 0]);
});

test('R410 after its time one trial is let through, and its answer closes it', () => {
  failTimes(3);
  now += 50;
  expect(breaker.state).toBe('half-open');
  expect([breaker.enter(), breaker.enter()]).toEqual([0, 50]);
  breaker.succeed();
  expect([breaker.state, breaker.enter(), breaker.enter()]).toEqual(['closed', 0, 0]);
});

test('R410 a failed trial opens it again for the whole time', () => {
  failTimes(3);
  now += 50;
  breaker.enter();
  expect(breaker.fail()).toBe(false);
  expect(breaker.enter()).toBe(50);
});

test('R410 failures of requests that were under way do not lengthen the wait', () => {
  failTimes(3);
  now += 30;
  breaker.fail();
  expect(breaker.enter()).toBe(20);
});

test('R410 a trial whose client has gone leaves room for the next', () => {
  failTimes(3);
  now += 50;
  breaker.enter();
  breaker.withdraw();
  expect(breaker.enter()).toBe(0);
});

test('R409 the waiting time is a random share of a doubling span', () => {
  expect([0, 1, 2].map((repetition) => backoffMs(repetition, 0.5))).toEqual([250, 500, 1000]);
  expect(backoffMs(3, 0)).toBe(0);
});
