import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { ClientAccounts, type ClientRequest, type Estimate, showSpan } from '../../../src/clients/clientAccounts.ts';
import type { ClientToken } from '../../../src/config/config.ts';
import { ApiError } from '../../../src/core/errors.ts';
import { sampleRow } from '../../helpers/usageRow.ts';

/** By this machine's calendar, half past eight in the evening before the last day of a month. */
let now = new Date(2026, 10, 29, 20, 30);
let monotonic = 0;
let accounts: ClientAccounts;

beforeEach(() => {
  now = new Date(2026, 10, 29, 20, 30);
  monotonic = 0;
  accounts = new ClientAccounts({ now: () => now.getTime(), monotonic: () => monotonic });
});

function client(limits: Partial<ClientToken>): ClientToken {
  const none = { requestsPerMinute: undefined, tokensPerDay: undefined, costPerMonth: undefined };
  return { name: 'alice', sha256: '', ...none, models: undefined, expires: undefined, ...limits };
}

const open = (limits: Partial<ClientToken>, replicas = 1): ClientRequest => {
  const one = client(limits);
  return accounts.open({ file: '', replicas, clients: [one] }, one);
};

/** Admits a request, and gives why not; undefined when it is admitted. */
function refusal(request: ClientRequest, estimate: Partial<Estimate> = {}): ApiError | undefined {
  try {
    request.admit(() => ({ tokens: 0, cost: 0, ...estimate }));
    return undefined;
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
}

const today = () => `2026-11-${now.getDate()}`;
/** Counts what a request has used, as its row in the usage does. */
const use = (tokens: number, cost = 0) =>
  accounts.count(
    sampleRow({ client: 'alice', day: today(), input_tokens: tokens, output_tokens: 0, cache_read_tokens: 0, cost }),
  );

describe('requests a minute', () => {
  test('the next is admitted when the first of the last 60 seconds is over, and the message says when', () => {
    const limits = { requestsPerMinute: 2 };
    expect([refusal(open(limits)), refusal(open(limits))]).toEqual([undefined, undefined]);
    monotonic = 20_500;
    const refused = refusal(open(limits));
    expect(refused).toMatchObject({
      code: 'client_limit',
      status: 429,
      retryAfterSeconds: 40,
      message: 'alice may make 2 requests a minute; again in 40 s',
    });
    expect(refused?.shouldRetry).toBeUndefined();
    monotonic = 59_999;
    expect(refusal(open(limits))).toBeDefined();
    monotonic = 60_000;
    expect(refusal(open(limits))).toBeUndefined();
  });

  test('each of several processes grants its share, and says so', () => {
    const limits = { requestsPerMinute: 4 };
    expect([refusal(open(limits, 2)), refusal(open(limits, 2))]).toEqual([undefined, undefined]);
    expect(refusal(open(limits, 2))?.message).toBe(
      'alice may make 4 requests a minute, of which this process grants a share of 1/2; again in 1 min',
    );
  });

  test('a lowered limit holds for the next request', () => {
    for (let time = 0; time < 5; time += 1) refusal(open({ requestsPerMinute: 10 }));
    monotonic = 1000;
    expect(refusal(open({ requestsPerMinute: 3 }))?.retryAfterSeconds).toBe(59);
  });
});

describe('tokens a day', () => {
  test('what is used up comes back at midnight, and the client does not wait for that by itself', () => {
    use(1000);
    expect(refusal(open({ tokensPerDay: 1000 }))).toMatchObject({
      retryAfterSeconds: 12_600,
      shouldRetry: false,
      message: 'alice has used the 1,000 tokens of this day that its token allows; again in 3 h 30 min',
    });
    now = new Date(2026, 10, 30, 0, 0);
    expect(refusal(open({ tokensPerDay: 1000 }))).toBeUndefined();
  });

  test('a request alone is admitted as long as anything is left', () => {
    use(999);
    expect(refusal(open({ tokensPerDay: 1000 }), { tokens: 50_000 })).toBeUndefined();
  });

  test('beside others only what is neither used nor reserved is left', () => {
    use(400);
    const first = open({ tokensPerDay: 1000 });
    expect(refusal(first, { tokens: 300 })).toBeUndefined();
    expect(refusal(open({ tokensPerDay: 1000 }), { tokens: 301 })).toMatchObject({
      retryAfterSeconds: 5,
      shouldRetry: undefined,
      message:
        'alice may use up the 1,000 tokens of this day that its token allows by the requests that are under way; again in 5 s',
    });
    expect(refusal(open({ tokensPerDay: 1000 }), { tokens: 300 })).toBeUndefined();
    use(10);
    first.release();
    first.release();
    expect(refusal(open({ tokensPerDay: 1000 }), { tokens: 290 })).toBeUndefined();
    expect(refusal(open({ tokensPerDay: 1000 }), { tokens: 1 })).toBeDefined();
  });

  test('requests that come together never use more than the limit, whatever they and the limit are', () => {
    const request = fc.record({
      estimate: fc.integer({ min: 1, max: 500 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 500, max: 5000 }),
        fc.array(request, { minLength: 64, maxLength: 64 }),
        (limit, all) => {
          accounts = new ClientAccounts({ now: () => now.getTime(), monotonic: () => monotonic });
          const admitted = all.flatMap(({ estimate, share }) => {
            const one = open({ tokensPerDay: limit });
            return refusal(one, { tokens: estimate }) === undefined
              ? [{ one, used: Math.floor(estimate * share) }]
              : [];
          });
          for (const { one, used } of admitted) {
            use(used);
            one.release();
          }
          const used = admitted.reduce((sum, one) => sum + one.used, 0);
          expect(used).toBeLessThanOrEqual(limit);
          // Nothing stays reserved: the whole rest may be used by one that comes now, beside another.
          expect(refusal(open({ tokensPerDay: limit }), { tokens: 0 }) === undefined).toBe(used < limit);
          if (used < limit) expect(refusal(open({ tokensPerDay: limit }), { tokens: limit - used })).toBeUndefined();
        },
      ),
    );
  });
});

describe('cost a month', () => {
  test('comes back with the next month; searches count', () => {
    accounts.count(sampleRow({ client: 'alice', day: '2026-11-03', cost: 90, search_cost: 10 }));
    expect(refusal(open({ costPerMonth: 100 }))).toMatchObject({
      retryAfterSeconds: 12_600 + 86_400,
      message: 'alice has used the $100 of this month that its token allows; again in 27 h 30 min',
    });
    now = new Date(2026, 11, 1, 0, 0);
    expect(refusal(open({ costPerMonth: 100 }))).toBeUndefined();
  });

  test('what is reserved in fractions of a cent leaves nothing behind', () => {
    const all = Array.from({ length: 10 }, () => open({ costPerMonth: 1 }));
    for (const one of all) refusal(one, { cost: 0.1 });
    for (const one of all) one.release();
    refusal(open({ costPerMonth: 1 }), { cost: 0.5 });
    expect(refusal(open({ costPerMonth: 1 }), { cost: 0.5 })).toBeUndefined();
  });
});

test('a new process goes on with what the usage file has of the day and the month', () => {
  accounts.restore([{ client: 'alice', tokens: 800, cost: 40 }]);
  use(200, 10);
  expect(refusal(open({ tokensPerDay: 1000 }))).toBeDefined();
  expect(refusal(open({ costPerMonth: 50 }))).toBeDefined();
  expect(refusal(open({ tokensPerDay: 1001, costPerMonth: 51 }))).toBeUndefined();
});

describe('what is known of all instances', () => {
  const share = (tokens: number, cost = 0) => accounts.share(today(), [{ client: 'alice', tokens, cost }]);

  test('counts against the whole limit in place of the share, and own use is added to it', () => {
    use(500);
    expect(refusal(open({ tokensPerDay: 1000 }, 2))?.message).toContain('a share of 1/2');
    share(900);
    expect(refusal(open({ tokensPerDay: 1000 }, 2))).toBeUndefined();
    use(100);
    expect(refusal(open({ tokensPerDay: 1000 }, 2))?.message).toBe(
      'alice has used the 1,000 tokens of this day that its token allows; again in 3 h 30 min',
    );
  });

  test('several sums of a client add up, and what was counted here stays counted', () => {
    use(700);
    accounts.share(today(), [
      { client: 'alice', tokens: 300, cost: 1 },
      { client: 'alice', tokens: 399, cost: 2 },
      { client: 'bob', tokens: 5000, cost: 0 },
    ]);
    expect(refusal(open({ tokensPerDay: 701, costPerMonth: 3.01 }))).toBeUndefined();
    expect(refusal(open({ tokensPerDay: 700 }))).toBeDefined();
    expect(refusal(open({ costPerMonth: 3 }))).toBeDefined();
  });

  test('a new day begins with the share until it is known again; the month goes on', () => {
    share(1000, 80);
    now = new Date(2026, 10, 30, 0, 1);
    use(500);
    expect(refusal(open({ tokensPerDay: 1000 }, 2))?.message).toContain('a share of 1/2');
    expect(refusal(open({ costPerMonth: 100 }, 2))).toBeUndefined();
    share(500);
    expect(refusal(open({ tokensPerDay: 1000 }, 2))).toBeUndefined();
  });

  test('figures of yesterday that come after midnight count only for the month', () => {
    now = new Date(2026, 10, 30, 0, 1);
    accounts.share('2026-11-29', [{ client: 'alice', tokens: 5000, cost: 80 }]);
    expect(refusal(open({ tokensPerDay: 1000 }))).toBeUndefined();
    expect(refusal(open({ costPerMonth: 80 }))).toBeDefined();
  });

  test('requests a minute stay those of each process', () => {
    share(0);
    const limits = { requestsPerMinute: 2 };
    expect([refusal(open(limits, 2)) === undefined, refusal(open(limits, 2)) === undefined]).toEqual([true, false]);
  });
});

test('rows of others, and of days that are over, count nothing', () => {
  accounts.count(sampleRow({ client: null, day: today(), input_tokens: 5000 }));
  accounts.count(sampleRow({ client: 'bob', day: today(), input_tokens: 5000 }));
  accounts.count(sampleRow({ client: 'alice', day: '2026-11-28', input_tokens: 5000, cost: 0 }));
  expect(refusal(open({ tokensPerDay: 1 }))).toBeUndefined();
});

test.each([
  [1, '1 s'],
  [59, '59 s'],
  [61, '2 min'],
  [3600, '1 h'],
  [3601, '1 h 1 min'],
  [172_800, '2 days'],
  [172_801, '3 days'],
])('%i seconds are shown as %s', (seconds, words) => {
  expect(showSpan(seconds)).toBe(words);
});
