import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConcurrencyLimiter, type ConcurrencyPermit } from '../../../src/resilience/concurrencyLimiter.ts';

test('it lets so many in, so many wait in their order, and refuses the rest', () => {
  const limiter = new ConcurrencyLimiter(2, 2);
  const entered: string[] = [];
  const permits = ['a', 'b', 'c', 'd', 'e'].map((name) => limiter.acquire(() => entered.push(name)));
  expect(entered).toEqual(['a', 'b']);
  expect([limiter.active, limiter.waiting, permits[4]]).toEqual([2, 2, undefined]);
  permits[1]?.release();
  expect(entered).toEqual(['a', 'b', 'c']);
  permits[3]?.release();
  permits[0]?.release();
  permits[2]?.release();
  expect(entered).toEqual(['a', 'b', 'c']);
  expect([limiter.active, limiter.waiting]).toEqual([0, 0]);
});

test('without a limit everybody enters at once', () => {
  const limiter = new ConcurrencyLimiter(0, 0);
  for (let count = 0; count < 100; count += 1) limiter.acquire(() => {});
  expect([limiter.active, limiter.waiting]).toEqual([100, 0]);
});

test('more places let in who waits, in the order in which they came; fewer send nobody away', () => {
  const limiter = new ConcurrencyLimiter(1, 3);
  const entered: string[] = [];
  const permits = ['a', 'b', 'c', 'd'].map((name) => limiter.acquire(() => entered.push(name)));
  limiter.resize(3, 0);
  expect(entered).toEqual(['a', 'b', 'c']);
  expect([limiter.waiting, limiter.acquire(() => {})]).toEqual([1, undefined]);
  limiter.resize(1, 0);
  permits[0]?.release();
  permits[1]?.release();
  expect([entered.length, limiter.active]).toEqual([3, 1]);
  permits[2]?.release();
  expect(entered).toEqual(['a', 'b', 'c', 'd']);
});

test('whoever comes and goes in whatever order, no place is lost and none is given twice', () => {
  const steps = fc.array(fc.oneof(fc.constant('come' as const), fc.nat({ max: 20 })), { maxLength: 60 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 4 }), fc.nat({ max: 4 }), (actions, places, queueLength) => {
      const limiter = new ConcurrencyLimiter(places, queueLength);
      const permits: ConcurrencyPermit[] = [];
      for (const action of actions) {
        if (action === 'come') {
          const permit = limiter.acquire(() => {});
          if (permit !== undefined) permits.push(permit);
        } else {
          permits[action % Math.max(permits.length, 1)]?.release();
        }
        expect(limiter.active).toBeLessThanOrEqual(places);
        expect(limiter.waiting).toBeLessThanOrEqual(queueLength);
        // Nobody waits beside a free place.
        if (limiter.waiting > 0) expect(limiter.active).toBe(places);
      }
      for (const permit of permits) permit.release();
      expect([limiter.active, limiter.waiting]).toEqual([0, 0]);
    }),
  );
});
