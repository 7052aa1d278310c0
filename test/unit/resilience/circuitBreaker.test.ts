import { beforeEach, expect, test } from 'vitest';
import { backoffMs, CircuitBreaker, type CircuitPermit } from '../../../src/resilience/circuitBreaker.ts';

/** A request that is no trial, for the breaker was closed when it began. */
const REQUEST: CircuitPermit = { waitMs: 0, isTrial: false };

let now = 0;
let breaker: CircuitBreaker;

beforeEach(() => {
  now = 1000;
  breaker = new CircuitBreaker({ now: () => now, monotonic: () => now }, { failures: 3, windowMs: 100, openMs: 50 });
});

function failTimes(times: number): boolean[] {
  return Array.from({ length: times }, () => breaker.recordFailure(REQUEST));
}

test('R410 it opens at the last of so many failures, and says for how long', () => {
  expect(failTimes(3)).toEqual([false, false, true]);
  expect(breaker.state).toBe('open');
  now += 20;
  expect(breaker.acquire().waitMs).toBe(30);
});

test('R410 failures that are far apart, or interrupted by an answer, do not open it', () => {
  failTimes(2);
  now += 100;
  expect(failTimes(2)).toEqual([false, false]);
  breaker.recordSuccess(REQUEST);
  expect(failTimes(2)).toEqual([false, false]);
  expect([breaker.state, breaker.acquire().waitMs]).toEqual(['closed', 0]);
});

test('R410 after its time one trial is let through, and its answer closes it', () => {
  failTimes(3);
  now += 50;
  expect(breaker.state).toBe('half-open');
  const trial = breaker.acquire();
  expect([trial, breaker.acquire()]).toEqual([
    { waitMs: 0, isTrial: true },
    { waitMs: 50, isTrial: false },
  ]);
  breaker.recordSuccess(trial);
  expect([breaker.state, breaker.acquire().waitMs, breaker.acquire().waitMs]).toEqual(['closed', 0, 0]);
});

test('R410 a failed trial opens it again for the whole time', () => {
  failTimes(3);
  now += 50;
  expect(breaker.recordFailure(breaker.acquire())).toBe(false);
  expect(breaker.acquire().waitMs).toBe(50);
});

test('R410 failures of requests that were under way do not lengthen the wait', () => {
  failTimes(3);
  now += 30;
  breaker.recordFailure(REQUEST);
  expect(breaker.acquire().waitMs).toBe(20);
});

test('R410 a trial whose client has gone leaves room for the next', () => {
  failTimes(3);
  now += 50;
  breaker.release(breaker.acquire());
  expect(breaker.acquire().isTrial).toBe(true);
});

test('R410 requests that began before say nothing about the trial', () => {
  failTimes(3);
  now += 50;
  const trial = breaker.acquire();
  breaker.release(REQUEST);
  breaker.recordFailure(REQUEST);
  expect(breaker.acquire()).toEqual({ waitMs: 50, isTrial: false });
  breaker.recordFailure(trial);
  expect(breaker.acquire().waitMs).toBe(50);
});

test('R410 the answer to a request that was under way does not let the others back', () => {
  failTimes(3);
  breaker.recordSuccess(REQUEST);
  expect([breaker.state, breaker.answeredAt]).toEqual(['open', 1000]);
  now += 50;
  const trial = breaker.acquire();
  breaker.recordSuccess(REQUEST);
  expect(breaker.canAcquire).toBe(false);
  breaker.recordSuccess(trial);
  expect(breaker.state).toBe('closed');
});

test('R409 the waiting time is a random share of a doubling span', () => {
  expect([0, 1, 2].map((repetition) => backoffMs(repetition, 0.5))).toEqual([250, 500, 1000]);
  expect(backoffMs(3, 0)).toBe(0);
});

test('R410 whether a request would be let through can be asked without sending one', () => {
  expect(breaker.canAcquire).toBe(true);
  failTimes(3);
  expect(breaker.canAcquire).toBe(false);
  now += 50;
  expect(breaker.canAcquire).toBe(true);
  breaker.acquire();
  expect(breaker.canAcquire).toBe(false);
});

test('it remembers when the provider last answered', () => {
  expect(breaker.answeredAt).toBeUndefined();
  breaker.recordSuccess(REQUEST);
  now += 10;
  breaker.recordFailure(REQUEST);
  expect(breaker.answeredAt).toBe(1000);
});

test('a health check is let through while it is open, alone, and its answer closes it', () => {
  failTimes(3);
  now += 10;
  const permit = breaker.acquireCheck();
  expect(permit).toEqual({ waitMs: 0, isTrial: true });
  expect(breaker.acquireCheck()).toBeUndefined();
  breaker.recordSuccess(permit ?? REQUEST);
  expect([breaker.state, breaker.acquireCheck()]).toEqual(['closed', REQUEST]);
});

test('a health check that fails opens it for the whole time again, and one that ends without a result for nothing', () => {
  failTimes(3);
  now += 30;
  breaker.release(breaker.acquireCheck() ?? REQUEST);
  expect(breaker.acquire().waitMs).toBe(20);
  breaker.recordFailure(breaker.acquireCheck() ?? REQUEST);
  expect(breaker.acquire().waitMs).toBe(50);
});

test('it knows why the latest request failed, until one is answered', () => {
  breaker.recordFailure(REQUEST, 'refused');
  breaker.recordFailure(REQUEST, 'reset');
  expect(breaker.lastFailure).toBe('reset');
  breaker.recordSuccess(REQUEST);
  expect(breaker.lastFailure).toBeUndefined();
});
