import { expect, test } from 'vitest';
import {
  addSpending,
  describeSpending,
  fail,
  failFromError,
  NO_SPENDING,
  ok,
  skipped,
  testRow,
  warn,
} from '../../../../src/cli/providerTest/testResult.ts';
import { isSuccess, type ProviderTestReport, testJson, testText } from '../../../../src/cli/providerTest/testView.ts';

const plain = { paint: (_colour: string, text: string) => text, columns: undefined };
const usage = { input: 1000, cacheRead: 4000, cacheWrite: 0, output: 500 };

const report: ProviderTestReport = {
  name: 'work',
  provider: 'custom',
  rows: [
    testRow('TLS', skipped('plain HTTP')),
    testRow('key', ok('OPENAI_API_KEY is accepted'), 812),
    testRow('parallel calls', warn('one call only')),
    testRow('image', fail('not red: \u001b[2J', 'QUIRK_VISION=false'), 90),
    testRow('overflow', failFromError({ type: 'timeout_error', message: 'no answer' }), 60_000),
  ],
  spending: addSpending(NO_SPENDING, usage, { input: 2, output: 10, cacheRead: 0.2 }),
};

test('whose it is, the table, then what to do, then what it cost; nothing of it moves the cursor', () => {
  expect(testText(report, plain).split('\n')).toEqual([
    'work (custom)',
    'check           result      ms  detail',
    'TLS             skipped      -  plain HTTP',
    'key             ok         812  OPENAI_API_KEY is accepted',
    'parallel calls  warn         -  one call only',
    'image           fail        90  not red: \\x1b[2J',
    'overflow        fail     60000  no answer',
    '',
    'parallel calls: one call only',
    'image: not red: \\x1b[2J',
    '  -> set in envs/work.env: QUIRK_VISION=false',
    'overflow: no answer',
    '  -> Try again; raise REQUEST_TIMEOUT if the model needs longer to begin its answer.',
    '',
    'Used: 1 request, 5000 tokens in (4000 cached), 500 out, about $0.0078',
  ]);
});

test('what the table cuts stands below it in full, broken between words', () => {
  const detail = 'a warning that is longer than the terminal is wide, and ends here';
  const lines = testText({ ...report, rows: [testRow('stream', warn(detail), 5)] }, { ...plain, columns: 50 }).split(
    '\n',
  );
  expect(lines[2]).toMatch(/…$/);
  expect(lines.slice(4, 6)).toEqual(['stream: a warning that is longer than the terminal', '  is wide, and ends here']);
});

test('only the result is coloured', () => {
  const painted = testText(report, { ...plain, paint: (colour, text) => `<${colour}>${text}</>` });
  expect(painted).toContain('key             <green>ok     </>    812  OPENAI_API_KEY');
  expect(painted).toContain('<red>fail   </>');
});

test('the same as JSON', () => {
  const { schema, instances } = JSON.parse(testJson([report]));
  expect(schema).toBe(1);
  expect(instances).toHaveLength(1);
  expect(instances[0]).toMatchObject({
    name: 'work',
    provider: 'custom',
    ok: false,
    cost: { requests: 1, input_tokens: 1000, cache_read_tokens: 4000, cache_creation_tokens: 0, output_tokens: 500 },
  });
  expect(instances[0].cost.dollars).toBeCloseTo(0.0078);
  expect(instances[0].checks[3]).toEqual({
    check: 'image',
    result: 'fail',
    detail: 'not red: \u001b[2J',
    ms: 90,
    quirks: ['QUIRK_VISION=false'],
    suggestions: [],
  });
});

test('a warning is no failure', () => {
  expect(isSuccess([testRow('a', warn('x')), testRow('b', skipped('y'))])).toBe(true);
  expect(isSuccess([testRow('a', ok('x')), testRow('b', fail('y'))])).toBe(false);
});

test('a price is shown only when each model has one for all that it used', () => {
  const known = addSpending(NO_SPENDING, usage, { input: 1, output: 1, cacheRead: 1 });
  expect(known.dollars).toBeCloseTo(0.0055);
  expect(describeSpending(addSpending(known, usage, undefined))).toBe(
    '2 requests, 10000 tokens in (8000 cached), 1000 out, price unknown',
  );
  const nothing = { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 };
  expect(addSpending(known, nothing, undefined).dollars).toBe(known.dollars);
});
