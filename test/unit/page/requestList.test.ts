import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RequestRow } from '../../../src/cli/ui/records.ts';
import { addRows, filtersOf, matchesFilters, pauseRows, resumeRows, startRows } from '../../../src/page/requestList.ts';
import { requestsAnswer } from '../../helpers/pageAnswers.ts';

describe('rows that come', () => {
  const MOST = 8;
  const step = fc.oneof(
    fc.record({ add: fc.integer({ min: 0, max: 12 }) }),
    fc.constantFrom('pause' as const, 'resume' as const),
  );

  test('after any sequence of rows, pauses and resumptions the list shows the latest, none left out in between', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5 }), fc.array(step), (before, steps) => {
        let number = before;
        const latest = () => Array.from({ length: Math.min(MOST, number) }, (_, index) => number - index);
        let list = startRows(latest());
        for (const one of steps) {
          if (one === 'pause') list = pauseRows(list);
          else if (one === 'resume') list = resumeRows(list, MOST);
          else {
            const { shown } = list;
            const added = Array.from({ length: one.add }, (_, index) => number + index + 1);
            number += one.add;
            list = addRows(list, added, MOST);
            if (list.isPaused) expect(list.shown).toBe(shown);
          }
          if (!list.isPaused) expect(list.shown).toEqual(latest());
        }
        expect(resumeRows(list, MOST).shown).toEqual(latest());
      }),
    );
  });

  test('all that wait are counted, also those that the list can no longer hold', () => {
    const list = addRows(pauseRows(startRows([0])), [1, 2, 3, 4, 5], 2);
    expect(list.waitingCount).toBe(5);
    expect(list.waiting).toEqual([5, 4]);
  });
});

describe('filters', () => {
  const [ok, failed] = requestsAnswer.requests as readonly [RequestRow, RequestRow];
  test.each([
    [{}, true, true],
    [{ instance: 'demo' }, true, false],
    [{ model: 'claude-opus-4-1' }, true, true],
    [{ model: 'acme-2' }, false, true],
    [{ status: 'failed' }, false, true],
    [{ status: '429' }, false, true],
    [{ status: '4xx' }, false, true],
    [{ status: '2xx' }, true, false],
    [{ status: 'ok' }, true, false],
    [{ session: '0123456789abcdef' }, true, true],
    [{ session: 'another' }, false, false],
    [{ agent: 'any' }, false, true],
    [{ agent: 'none' }, true, false],
    [{ agent: 'a1' }, false, true],
    [{ error: 'TOO many' }, false, true],
    [{ error: 'rate_limit' }, false, true],
    [{ slower: '1200' }, true, false],
    [{ slower: '1199' }, true, true],
    [{ costlier: '0.01' }, true, false],
    [{ costlier: '0.02' }, false, false],
    [{ status: 'failed', instance: 'demo' }, false, false],
    [{ range: '7' }, true, true],
  ])('%j: of the two rows %s and %s match', (choices, first, second) => {
    expect([matchesFilters(ok, choices), matchesFilters(failed, choices)]).toEqual([first, second]);
  });

  test('other choices of the address are no filters', () => {
    expect(filtersOf({ range: '7', model: 'm', status: '' })).toEqual({ model: 'm' });
  });
});
