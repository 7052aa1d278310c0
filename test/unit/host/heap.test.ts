import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { collectAfterStart, tuneHeapGrowth } from '../../../src/host/heap.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});

afterEach(() => {
  vi.useRealTimers();
});

test('L2 the heap is kept close while many answers are under way, and only then', () => {
  let underWay = 0;
  const flags: string[] = [];
  tuneHeapGrowth(
    () => underWay,
    (flag) => flags.push(flag),
  );
  for (const count of [0, 199, 200, 1000, 200, 199, 0, 5000]) {
    underWay = count;
    vi.advanceTimersByTime(250);
  }
  expect(flags).toEqual(['--heap-growing-percent=50', '--heap-growing-percent=0', '--heap-growing-percent=50']);
});

test('L2 the garbage of the start is collected once, when no request is open', () => {
  let underWay = 0;
  let collections = 0;
  collectAfterStart(
    () => underWay,
    () => {
      collections += 1;
    },
  );
  const counts = [3, 1, 0, 0, 5, 0].map((count) => {
    underWay = count;
    vi.advanceTimersByTime(1000);
    return collections;
  });
  expect(counts).toEqual([0, 0, 1, 1, 1, 1]);
});
