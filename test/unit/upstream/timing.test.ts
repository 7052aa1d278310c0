import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PausableTimer, ReadingTurns } from '../../../src/upstream/timing.ts';
import { work } from '../../helpers/work.ts';

const onReached = vi.fn();
let limit: PausableTimer;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  limit = new PausableTimer();
  limit.start(1000, onReached);
});

afterEach(() => {
  limit.stop();
  onReached.mockClear();
  vi.useRealTimers();
});

test('a limit is reached once', () => {
  vi.advanceTimersByTime(999);
  expect(onReached).not.toHaveBeenCalled();
  vi.advanceTimersByTime(5000);
  expect(onReached).toHaveBeenCalledTimes(1);
});

test('a sign of life puts it off by its whole length, however many there were', () => {
  vi.advanceTimersByTime(400);
  limit.refresh();
  vi.advanceTimersByTime(500);
  limit.refresh();
  vi.advanceTimersByTime(998);
  expect(onReached).not.toHaveBeenCalled();
  vi.advanceTimersByTime(2);
  expect(onReached).toHaveBeenCalledTimes(1);
});

test('one that was reached begins anew with the next sign of life', () => {
  vi.advanceTimersByTime(1000);
  limit.refresh();
  vi.advanceTimersByTime(1000);
  expect(onReached).toHaveBeenCalledTimes(2);
});

test('it stands still in a pause, signs of life or not, and has its whole length after it', () => {
  vi.advanceTimersByTime(900);
  limit.pause();
  limit.refresh();
  vi.advanceTimersByTime(5000);
  limit.resume();
  vi.advanceTimersByTime(999);
  expect(onReached).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(onReached).toHaveBeenCalledTimes(1);
});

test('a sign of life after its end begins nothing', () => {
  limit.stop();
  limit.refresh();
  vi.advanceTimersByTime(5000);
  expect(onReached).not.toHaveBeenCalled();
});

test('many answers at once are read a few in each turn, in their order, and all else has its turn between', async () => {
  const turns = new ReadingTurns();
  const read: number[] = [];
  const inTurn: number[] = [];
  expect(turns.isOver()).toBe(false);
  work(20);
  expect(turns.isOver()).toBe(true);
  for (let index = 0; index < 20; index += 1) {
    turns.wait({
      readHeld: () => {
        read.push(index);
        work(5);
      },
    });
  }
  while (read.length < 20) {
    // What has not waited does not come before what has.
    expect(turns.isOver()).toBe(true);
    const before = read.length;
    await nextTurn();
    inTurn.push(read.length - before);
  }
  expect(read).toEqual(Array.from({ length: 20 }, (_, index) => index));
  expect(Math.max(...inTurn)).toBeLessThanOrEqual(2);
  await nextTurn();
  await nextTurn();
  expect(turns.isOver()).toBe(false);
});
