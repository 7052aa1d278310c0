import { expect, test } from 'vitest';
import { ApiError } from '../../../src/core/errors.ts';
import { LoginThrottle } from '../../../src/server/access.ts';

const RIGHT = 'right';

function startAttempts() {
  let now = 0;
  const warnings: unknown[] = [];
  const attempts = new LoginThrottle(
    { now: () => now, monotonic: () => now },
    { warn: (message, fields) => warnings.push([message, fields]) },
  );
  /** Gives the code of the refusal. */
  const attempt = (token: string | undefined, address = '10.0.0.7') => {
    try {
      attempts.check(address, token !== undefined, () => {
        if (token !== RIGHT) throw new ApiError('unauthenticated', 'wrong');
      });
      return 'passed';
    } catch (error) {
      return error instanceof ApiError ? error.code : error;
    }
  };
  const guess = (count: number) => Array.from({ length: count }, () => attempt('wrong'));
  return { attempt, guess, warnings, advance: (ms: number) => (now += ms) };
}

test('A9 after twenty wrong tokens none from that address is looked at, not even the right one, until a minute has passed', () => {
  const { attempt, guess, advance, warnings } = startAttempts();
  expect(new Set(guess(20))).toEqual(new Set(['unauthenticated']));
  expect(attempt('wrong')).toBe('too_many_attempts');
  expect(attempt(RIGHT)).toBe('too_many_attempts');
  expect(attempt(RIGHT, '10.0.0.8')).toBe('passed');
  advance(59_999);
  expect(attempt(RIGHT)).toBe('too_many_attempts');
  advance(1);
  expect(attempt(RIGHT)).toBe('passed');
  expect(warnings).toEqual([[expect.any(String), { address: '10.0.0.7' }]]);
});

test.each(['127.0.0.1', '127.3.2.1', '::1', '::ffff:127.0.0.1'])(
  'A9 wrong tokens from this machine never keep its owner out (%s)',
  (address) => {
    const { attempt } = startAttempts();
    for (let index = 0; index < 20; index += 1) expect(attempt('wrong', address)).toBe('unauthenticated');
    expect(attempt('wrong', address)).toBe('too_many_attempts');
    expect(attempt(RIGHT, address)).toBe('passed');
    expect(attempt('wrong', address)).toBe('too_many_attempts');
  },
);

test('A9 a few wrong tokens, and requests without one, keep nobody out', () => {
  const { attempt, guess } = startAttempts();
  guess(19);
  for (let index = 0; index < 50; index += 1) expect(attempt(undefined)).toBe('unauthenticated');
  expect(attempt(RIGHT)).toBe('passed');
});

test('A9 what is remembered has a limit', () => {
  const { attempt, guess } = startAttempts();
  guess(20);
  for (let index = 0; index < 1000; index += 1) attempt('wrong', `10.1.${index >> 8}.${index & 255}`);
  expect(attempt(RIGHT)).toBe('passed');
});
