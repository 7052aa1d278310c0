import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readEntry } from '../../../../src/cli/logs/logEntries.ts';
import { describeRequest, type QueryValues, RequestIndex } from '../../../../src/cli/ui/requestIndex.ts';
import { requestLine } from '../../../helpers/largeHistory.ts';

const NOW = Date.UTC(2026, 10, 20, 10);

/** A line of the log: the number is its id, and its second. */
function line(number: number, fields: Record<string, unknown> = {}, instance = 'demo'): string {
  return JSON.stringify({
    time: new Date(NOW + number * 1000).toISOString(),
    event: 'request',
    id: `req_${number}`,
    instance,
    endpoint: '/v1/messages',
    provider: 'acme',
    model: 'claude-opus-5',
    upstream_model: 'acme-2',
    stream: true,
    status: 200,
    outcome: 'ok',
    duration_ms: 1000,
    cost: 0.01,
    ...fields,
  });
}

function indexOf(lines: readonly (readonly [instance: string, line: string])[], most?: number): RequestIndex {
  const index = new RequestIndex(most);
  onTestFinished(() => index.close());
  index.add(
    lines.map(([instance, text]) => readEntry(instance, text)),
    false,
  );
  return index;
}

const found = (index: RequestIndex, query: QueryValues) =>
  index.find(query).requests.map(({ id }) => Number(id.slice(4)));

describe('a filter', () => {
  const lines = [
    ['demo', line(1)],
    [
      'work',
      line(2, { status: 429, outcome: 'error', error_type: 'rate_limit_error', error_message: 'Too MANY 100%' }),
    ],
    ['work', line(3, { status: 503, outcome: 'interrupted', error_type: 'overloaded_error', error_message: 'busy' })],
    ['demo', line(4, { status: 401, outcome: 'rejected', error_type: 'authentication_error', cost: 0 })],
    ['demo', line(5, { status: 499, outcome: 'client_closed', duration_ms: 9000 })],
    [
      'demo',
      line(6, { agent: 'a1', session: 's1', client: 'bob', model: 'claude-haiku-4-5', upstream_model: 'acme-mini' }),
    ],
    ['demo', line(7, { agent: 'a2', session: 's1', client: 'alice', cost: 0.5 })],
    ['demo', line(8, { cost: undefined, client: 'alice', duration_ms: 5000 })],
    ['demo', '{"time":"2026-11-20T10:00:09.000Z","event":"start"}'],
    ['demo', 'no line of ours'],
  ] as const;

  test.each<[QueryValues, number[]]>([
    [{}, [8, 7, 6, 5, 4, 3, 2, 1]],
    [{ instance: ['work'] }, [3, 2]],
    [{ instance: ['work', 'demo'], limit: ['2'] }, [8, 7]],
    [{ model: ['acme-mini'] }, [6]],
    [{ model: ['claude-haiku-4-5', 'other'] }, [6]],
    [{ status: ['429'] }, [2]],
    [{ status: ['4xx'] }, [5, 4, 2]],
    [{ status: ['5xx', '401'] }, [4, 3]],
    [{ status: ['failed'] }, [4, 3, 2]],
    [{ status: ['client_closed'] }, [5]],
    [{ session: ['s1'] }, [7, 6]],
    [{ client: ['alice'] }, [8, 7]],
    [{ client: ['alice', 'bob'], agent: ['a1'] }, [6]],
    [{ agent: ['any'] }, [7, 6]],
    [{ agent: ['none'], instance: ['demo'] }, [8, 5, 4, 1]],
    [{ agent: ['a2'] }, [7]],
    [{ error: ['too many'] }, [2]],
    [{ error: ['0%'] }, [2]],
    [{ error: ['%'] }, [2]],
    [{ error: ['OVERLOADED'] }, [3]],
    [{ slower: ['4999'] }, [8, 5]],
    [{ costlier: ['0.1'] }, [7]],
    [{ slower: ['100'], costlier: ['0.001'], status: ['200'], agent: ['none'] }, [1]],
    [{ session: ["' OR 1=1 --"] }, []],
  ])('%j gives %j', (query, ids) => {
    expect(found(indexOf(lines), query)).toEqual(ids);
  });

  test.each<[QueryValues, string]>([
    [{ slower: ['soon'] }, '"soon" is no number'],
    [{ costlier: ['$1'] }, '"$1" is no number'],
    [{ before: ['yesterday'] }, 'before takes the cursor of a row'],
  ])('%j is refused: %s', (query, message) => {
    expect(() => indexOf(lines).find(query)).toThrow(message);
  });

  test('the models and clients are counted for the choices', () => {
    expect(indexOf(lines).state()).toMatchObject({
      records: 8,
      oldest_at: '2026-11-20T10:00:01.000Z',
      models: ['claude-opus-5', 'acme-2', 'claude-haiku-4-5', 'acme-mini'],
      clients: ['alice', 'bob'],
    });
  });
});

test('page by page every row comes once, whatever came from the past and at the same time', () => {
  const times = fc.array(fc.record({ second: fc.nat(5), isPast: fc.boolean() }), { maxLength: 40 });
  fc.assert(
    fc.property(times, fc.integer({ min: 1, max: 7 }), (rows, limit) => {
      const index = new RequestIndex();
      rows.forEach(({ second, isPast }, number) => {
        index.add([readEntry('demo', line(second, { id: `req_${number}` }))], isPast);
      });
      const all: string[] = [];
      const seen: number[] = [];
      for (let before: string | null = ''; before !== null; ) {
        const query = { limit: [String(limit)], ...(before === '' ? {} : { before: [before] }) };
        const { requests, next } = index.find(query);
        all.push(...requests.map(({ time }) => time));
        seen.push(...requests.map(({ id }) => Number(id.slice(4))));
        before = next;
      }
      index.close();
      expect(all).toEqual([...all].sort().reverse());
      expect(seen.sort((a, b) => a - b)).toEqual(rows.map((_, number) => number));
    }),
  );
});

test('beyond its bound the oldest rows give way, and the index is not complete', () => {
  const index = indexOf(
    Array.from({ length: 50 }, (_, number) => ['demo', line(number)] as const),
    100,
  );
  index.isComplete = true;
  index.add(
    Array.from({ length: 60 }, (_, number) => readEntry('demo', line(100 + number))),
    false,
  );
  const { records, is_complete } = index.state();
  expect(records).toBeLessThanOrEqual(100);
  expect(is_complete).toBe(false);
  expect(found(index, { limit: ['1'] })).toEqual([159]);
  expect(index.isFull).toBe(false);
});

test('words of clients and providers are made harmless, whatever they hold', () => {
  const index = indexOf([
    ['demo', line(1, { model: 'a\u202eb\u001b[31m', upstream_model: '<b>', error_message: 'x\r\ny' })],
  ]);
  const [row] = index.find({}).requests;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be left
  expect(JSON.stringify(row)).not.toMatch(/[\u0000-\u001f\u202e]|\\u00[01]/);
  expect(row?.upstream_model).toBe('<b>');
});

describe('one request in full', () => {
  const detail = (fields: Record<string, unknown>) => describeRequest(readEntry('work', line(1, fields)));

  test.each<[string, Record<string, unknown>, string[]]>([
    [
      'the tier',
      { tier: 'big', attempts: 1 },
      ['claude-opus-5 stands for the big model.', 'acme was asked for acme-2.'],
    ],
    [
      'a line of the router',
      { route: 'think', attempts: 1 },
      ['ROUTER_THINK: thinking was asked for.', 'acme was asked for acme-2.'],
    ],
    [
      'a fallback',
      { tier: 'big', attempts: 3, fallbacks: [{ from: 'acme,acme-1', reason: '503 busy' }] },
      [
        'claude-opus-5 stands for the big model.',
        'acme,acme-1 was asked before, and failed: 503 busy',
        'acme was asked for acme-2; in all, providers were asked 3 times.',
      ],
    ],
    [
      'a refusal',
      { route: 'named', outcome: 'rejected' },
      [
        'The client has named this model, which therefore has no fallback.',
        'It was refused before a provider was asked.',
      ],
    ],
    [
      'what was adapted',
      { tier: 'none', notes: ['images_left_out'] },
      ['What was adapted on the way: images_left_out.'],
    ],
  ])('says why: %s', (_name, fields, why) => {
    expect(detail(fields)?.why).toEqual(why);
  });

  test('has what was supplied: pictures described, searches, tools left out', () => {
    expect(detail({})?.supplied).toEqual({ pictures: null, searches: null, tools_left_out: null });
    const pictures = { pictures: 3, pictures_described: 2, pictures_failed: 1, vision_cost: 0.01 };
    const searches = { searches: 2, failed_searches: 1, search_cost: 0.02 };
    expect(detail({ ...pictures, ...searches, tools_left_out: 172 })?.supplied).toEqual({
      pictures: { total: 3, described: 2, failed: 1, cost: 0.01 },
      searches: { done: 2, failed: 1, cost: 0.02 },
      tools_left_out: 172,
    });
  });

  test('divides its time at the first event', () => {
    expect(detail({ duration_ms: 5000, first_event_ms: 1200 })?.times).toEqual({
      waiting_ms: 1200,
      streaming_ms: 3800,
    });
    expect(detail({ duration_ms: 5000 })?.times).toEqual({ waiting_ms: 5000, streaming_ms: 0 });
  });

  test('names what helps against its error, with the instance', () => {
    expect(detail({})?.error).toBeNull();
    expect(detail({ status: 401, error_type: 'authentication_error', error_message: 'no' })?.error).toEqual({
      status: 401,
      type: 'authentication_error',
      message: 'no',
      remedies: [
        'Correct the key: ./manage key work. It holds within a second.',
        'A key belongs to one region and one kind of plan: see REGION and docs/PROVIDERS.md.',
      ],
      page: 'docs/PROVIDERS.md',
    });
  });
});

test('a filter that finds nothing costs a small part of reading the lines again', () => {
  const lines = Array.from({ length: 20_000 }, (_, number) => requestLine('demo', number, NOW + number));
  const index = new RequestIndex();
  onTestFinished(() => index.close());
  const read = process.cpuUsage();
  index.add(
    lines.map((text) => readEntry('demo', text)),
    true,
  );
  const { user: reading } = process.cpuUsage(read);
  const filter = process.cpuUsage();
  for (const query of [{ session: ['x'] }, { error: ['x y'] }, { slower: ['1000000'] }, { model: ['x'] }]) {
    expect(index.find(query).requests).toEqual([]);
  }
  const { user: filtering } = process.cpuUsage(filter);
  expect(filtering / 4).toBeLessThan(reading / 4);
});
