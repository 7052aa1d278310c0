import { expect, test } from 'vitest';
import { ApiError } from '../../../../src/core/errors.ts';
import { finalError, nameProvider } from '../../../../src/gateway/fallback/outcome.ts';

const overloaded = new ApiError('overloaded', '[a] busy');
const refused = new ApiError('upstream_unauthenticated', '[b 401] bad key');
const unknown = new ApiError('unknown_model', '[c 404] no such model');
const limited = (retryAfterSeconds: number) => new ApiError('rate_limited', `[d 429] slow`, { retryAfterSeconds });

test.each<[string, readonly [ApiError, ...ApiError[]], ApiError]>([
  ['the first', [overloaded, new ApiError('upstream_timeout', '[b] late')], overloaded],
  ['one after which the client may repeat', [refused, unknown, overloaded], overloaded],
  ['the first when none is such', [refused, unknown], refused],
  ['the shortest of limits', [limited(40), limited(20), limited(30)], limited(20)],
  ['the first of a limit and another', [limited(40), overloaded], limited(40)],
])('%s', (_what, [first, ...others], expected) => {
  const failure = (error: ApiError, index: number) => ({ candidate: `p${index}`, error });
  const error = finalError([failure(first, 0), ...others.map((other, index) => failure(other, index + 1))]);
  const tried = [first, ...others].map((_, index) => `p${index}`).join('; ');
  expect(error.message).toBe(`${expected.message} (${others.length + 1} were tried in turn: ${tried})`);
  expect(error).toMatchObject({
    code: expected.code,
    status: expected.status,
    shouldRetry: expected.shouldRetry,
    retryAfterSeconds: expected.retryAfterSeconds,
  });
});

test('a single failure is reported as it is', () => {
  expect(finalError([{ candidate: 'p', error: refused }])).toBe(refused);
});

test('an error without a name gets its provider’s', () => {
  expect(nameProvider(new ApiError('overloaded', 'ended early'), 'p').message).toBe('[p] ended early');
  expect(nameProvider(refused, 'p')).toBe(refused);
});
