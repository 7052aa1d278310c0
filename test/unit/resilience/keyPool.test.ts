import { beforeEach, expect, test } from 'vitest';
import { KeyPool } from '../../../src/resilience/keyPool.ts';

let now = 0;
const clock = { now: () => 1_000_000 + now, monotonic: () => now };
let pool: KeyPool<string>;

beforeEach(() => {
  now = 0;
  pool = new KeyPool(['a', 'b', 'c'], clock, (key) => key);
});

const choose = (conversation: string) => pool.choose(() => conversation);

test('each conversation keeps its key, and the keys are shared out', () => {
  const names = Array.from({ length: 60 }, (_, index) => `conversation ${index}`);
  expect(names.map(choose)).toEqual(names.map(choose));
  for (const key of ['a', 'b', 'c']) {
    expect(names.filter((name) => choose(name) === key).length).toBeGreaterThan(8);
  }
});

test('a key that rests is left for the next, until its time is over', () => {
  const own = choose('x');
  pool.coolDown(own, 1000, 'slow down');
  const other = choose('x');
  expect(other).not.toBe(own);
  pool.coolDown(other, 1000, 'slow down');
  expect([own, other]).not.toContain(choose('x'));
  now = 999;
  expect(choose('x')).not.toBe(own);
  now = 1000;
  expect(choose('x')).toBe(own);
});

test('when all rest, the one is used whose rest ends first', () => {
  pool.coolDown('a', 3000, '');
  pool.coolDown('b', 1000, '');
  pool.coolDown('c', 2000, '');
  expect(pool.hasAvailable).toBe(false);
  expect(choose('x')).toBe('b');
  now = 1000;
  expect(pool.hasAvailable).toBe(true);
});

test('a key that is accepted rests no more', () => {
  const own = choose('x');
  pool.coolDown(own, 1000, '');
  now = 10;
  pool.markHealthy(own, 10);
  expect(choose('x')).toBe(own);
});

test('an answer that was under way when its key was refused does not end the rest', () => {
  const own = choose('x');
  now = 10;
  pool.coolDown(own, 1000, '');
  pool.markHealthy(own, 9);
  expect(choose('x')).not.toBe(own);
});

test('the list says until when by the calendar, and why', () => {
  pool.coolDown('b', 5000, 'bad key');
  expect(pool.list()).toEqual([
    { key: 'a', cooldown: undefined },
    { key: 'b', cooldown: { since: 0, until: 5000, endsAt: 1_005_000, reason: 'bad key' } },
    { key: 'c', cooldown: undefined },
  ]);
  now = 5000;
  expect(pool.list()[1]?.cooldown).toBeUndefined();
});

test('a single key is used always, and the conversation is not looked at', () => {
  const single = new KeyPool(['only'], clock, (key) => key);
  single.coolDown('only', 1000, '');
  const never = () => {
    throw new Error('looked at');
  };
  expect(single.choose(never)).toBe('only');
});
