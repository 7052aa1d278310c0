import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { tuneHeapGrowth } from '../../../src/host/heap.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval'] });
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
