import { expect, test } from 'vitest';
import { LogBackoff } from '../../../../src/telemetry/log/queue.ts';

test('G1 waits 1 s, then twice as long each time up to 30 s', () => {
  const backoff = new LogBackoff();
  let at = 0;
  const delays = Array.from({ length: 7 }, () => {
    const delay = backoff.next(at);
    at += delay;
    return delay;
  });
  expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
});

test('begins anew only after a minute without failures', () => {
  const backoff = new LogBackoff();
  backoff.next(0);
  expect(backoff.next(61_000)).toBe(2_000);
  expect(backoff.next(61_000 + 64_001)).toBe(1_000);
});
