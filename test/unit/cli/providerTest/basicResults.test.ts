import { describe, expect, test } from 'vitest';
import { keyResult, modelResult, streamResult } from '../../../../src/cli/providerTest/testProvider.ts';
import { failedWith, sampleAnswer } from './sampleAnswer.ts';

describe('key', () => {
  test.each([
    ['an answer', sampleAnswer(), 'ok'],
    ['401', failedWith('authentication_error'), 'fail'],
    ['an empty balance', failedWith('billing_error'), 'fail'],
    ['a 400 about the key', failedWith('invalid_request_error', '[x 400] API key not valid.'), 'fail'],
    ['a 400 about anything else', failedWith('invalid_request_error', 'max_tokens is too large'), 'ok'],
    ['an unknown model', failedWith('not_found_error'), 'ok'],
    ['a model that is not in the plan', failedWith('permission_error'), 'ok'],
    ['a limit of the rate', failedWith('rate_limit_error'), 'ok'],
    ['an overload', failedWith('overloaded_error'), 'skipped'],
    ['silence', failedWith('timeout_error'), 'skipped'],
  ])('%s', (_name, answer, result) => {
    expect(keyResult(answer, 'KEY is accepted').result).toBe(result);
  });
});

describe('model', () => {
  test.each([
    ['an answer', sampleAnswer(), 'ok', 'big, small'],
    ['too little room to finish', failedWith('invalid_request_error', 'max_tokens was reached'), 'ok', 'big, small'],
    ['an unknown model', failedWith('not_found_error', 'gone'), 'fail', 'big, small: gone'],
    [
      'an answer of another model',
      sampleAnswer({ isFallback: true }),
      'warn',
      'big, small: another model answered in its place; the log has the reason',
    ],
    ['a limit of the rate', failedWith('rate_limit_error', 'slow'), 'warn', 'big, small: not known: slow'],
  ])('%s', (_name, answer, result, detail) => {
    expect(modelResult(answer, 'big, small')).toMatchObject({ result, detail });
  });

  test('an error comes with what to try', () => {
    expect(modelResult(failedWith('not_found_error'), 'big').suggestions).toEqual([
      expect.stringContaining('BIG_MODEL'),
    ]);
  });
});

describe('stream', () => {
  test.each([
    ['a steady stream', {}, 'ok', 'first token after 0.5 s, 20 tokens/s'],
    ['all at once after a while', { totalMs: 550 }, 'ok', 'first token after 0.5 s, the rest at once'],
    ['one piece', { pieces: 1 }, 'warn', /in one piece/],
    ['nothing', { pieces: 0, firstPieceMs: undefined }, 'fail', 'the answer is empty'],
    [
      'hidden thinking only',
      { pieces: 0, firstPieceMs: undefined, stopReason: 'max_tokens' },
      'warn',
      'all output went into hidden thinking',
    ],
    ['an error', { error: { type: 'api_error', message: '' } }, 'skipped', 'no answer'],
  ])('%s', (_name, changes, result, detail) => {
    const outcome = streamResult(sampleAnswer(changes));
    expect(outcome.result).toBe(result);
    expect(outcome.detail).toMatch(detail);
  });
});
