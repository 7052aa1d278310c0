import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RequestRow } from '../../../src/cli/ui/records.ts';
import { RequestIndex } from '../../../src/cli/ui/requestIndex.ts';
import {
  addRows,
  filtersOf,
  keepRows,
  matchesFilters,
  pauseRows,
  resumeRows,
  startRows,
} from '../../../src/page/requestList.ts';
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

test('the rows of deleted log files go, those that wait too, and of an instance without logs all', () => {
  const [row] = requestsAnswer.requests as readonly [RequestRow];
  const at = (second: number, instance = 'demo') => ({ ...row, instance, time: `2026-11-20T10:00:0${second}.000Z` });
  const list = addRows(pauseRows(startRows([at(4), at(3), at(2, 'work')])), [at(5, 'work'), at(6)], 8);
  const kept = keepRows(list, { demo: '2026-11-20T10:00:04.000Z' });
  expect(kept).toEqual({ shown: [at(4)], waiting: [at(6)], waitingCount: 1, isPaused: true });
  expect(keepRows(kept, { demo: '2026-11-20T10:00:04.000Z' })).toBe(kept);
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
    [{ client: 'alice' }, false, true],
    [{ client: 'bob' }, false, false],
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

  test('whatever the filters are, a row that comes belongs into the list if the server would list it', () => {
    const one = <T>(...values: T[]) => fc.option(fc.constantFrom(...values), { nil: undefined });
    const record = fc.record({
      instance: fc.constantFrom('demo', 'work'),
      model: one('a', 'b'),
      upstream_model: one('b', 'c'),
      status: fc.constantFrom(200, 400, 429, 503, 529),
      outcome: fc.constantFrom('ok', 'rejected', 'error', 'interrupted', 'client_closed'),
      error_type: one('rate_limit_error', 'api_error'),
      error_message: one('Too MANY', 'a_b%', ''),
      session: one('s1', 's2'),
      agent: one('any', 'a1'),
      client: one('alice', 'bob'),
      duration_ms: fc.constantFrom(0, 999, 1000, 1001),
      cost: one(0, 0.01, 0.02),
    });
    const query = fc.record(
      {
        instance: fc.constantFrom('demo', 'work'),
        model: fc.constantFrom('a', 'b', 'c'),
        status: fc.constantFrom('failed', 'ok', '4xx', '5xx', '429', 'client_closed', 'nothing'),
        session: fc.constantFrom('s1', 's2'),
        agent: fc.constantFrom('any', 'none', 'a1'),
        client: fc.constantFrom('alice', 'bob'),
        error: fc.constantFrom('many', 'limit', '_', '%', 'error '),
        slower: fc.constantFrom('0', '1000'),
        costlier: fc.constantFrom('0', '0.01'),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 8 }), query, (records, choices) => {
        const index = new RequestIndex();
        try {
          const rows = index.add(
            records.map((fields, number) => {
              const time = new Date(Date.parse('2026-11-20T10:00:00Z') + number).toISOString();
              const line = { event: 'request', time, endpoint: '/v1/messages', ...fields };
              return { instance: fields.instance, line: '', time, record: JSON.parse(JSON.stringify(line)) };
            }),
            false,
          );
          const query = Object.fromEntries(Object.entries(choices).map(([name, value]) => [name, [value]]));
          const listed = index.find(query).requests.map(({ cursor }) => cursor);
          expect(rows.filter((row) => matchesFilters(row, choices)).map(({ cursor }) => cursor)).toEqual(
            listed.reverse(),
          );
        } finally {
          index.close();
        }
      }),
    );
  });

  test('other choices of the address are no filters', () => {
    expect(filtersOf({ range: '7', model: 'm', status: '' })).toEqual({ model: 'm' });
  });
});
