import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../src/core/errorTable.ts';
import { readErrorBody } from '../../../src/protocol/openai/errors.ts';
import { type FailureContext, failureOfBody, failureOfResponse } from '../../../src/upstream/errors.ts';

const context: FailureContext = {
  provider: 'openai',
  keyName: 'OPENAI_API_KEY',
  model: 'gpt-6.1-sol',
  inputEstimate: 1_000_000,
  contextWindow: 922_000,
  errorCodes: {},
  responses: true,
  redact: (text) => text,
  now: 0,
};

const body = (code: string | null, message: string, fields: Record<string, unknown> = {}) => ({
  error: { message, type: 'invalid_request_error', param: null, code, ...fields },
});

/** The same error as an HTTP answer, as an event of either form, and as the error of a failed response. */
const OVERFLOW = 'Your input exceeds the context window of this model. Please adjust your input and try again.';

describe('R676 an error of the Responses API', () => {
  test.each<[ErrorCode, number, number, unknown]>([
    ['rate_limited', 429, 429, body('rate_limit_exceeded', 'Rate limit reached')],
    ['rate_limited', 429, 429, body('slow_down', 'Slow down')],
    ['billing', 402, 429, body('insufficient_quota', 'You exceeded your current quota')],
    ['billing', 402, 429, body('credit_balance_exhausted', 'No credits are left')],
    ['billing', 402, 429, body('organization_spend_limit_exceeded', 'Limit')],
    ['billing', 402, 429, body('project_spend_limit_exceeded', 'Limit')],
    ['billing', 402, 429, body('organization_usage_limit_exceeded', 'Limit')],
    ['overloaded', 529, 500, body('server_error', 'The server had an error')],
    ['overloaded', 529, 503, body('server_is_overloaded', 'Overloaded')],
    ['upstream_invalid_request', 400, 400, body('invalid_prompt', 'Invalid prompt')],
    ['upstream_invalid_request', 400, 400, body('cyber_policy', 'Not allowed')],
    ['upstream_invalid_request', 400, 400, body('image_parse_error', 'The image could not be parsed')],
    ['upstream_invalid_request', 400, 400, body('empty_image_file', 'The image is empty')],
    ['unknown_model', 404, 404, body('model_not_found', 'The model does not exist')],
    ['upstream_unauthenticated', 401, 401, body('invalid_api_key', 'Incorrect API key provided')],
    ['context_overflow', 400, 400, body('context_length_exceeded', OVERFLOW)],
    ['context_overflow', 400, 400, body(null, OVERFLOW)],
    ['reasoning_refused', 400, 400, body('invalid_encrypted_content', 'The encrypted content could not be verified.')],
    ['reasoning_refused', 400, 404, body(null, "Item with id 'rs_1' not found.")],
    [
      'reasoning_refused',
      400,
      400,
      { code: 'Client specified an invalid argument', error: 'Could not decode the compaction blob' },
    ],
    ['unknown_endpoint', 502, 404, { detail: 'Not Found' }],
    ['unknown_endpoint', 502, 405, { detail: 'Method Not Allowed' }],
    ['effort_refused', 400, 400, body('unsupported_value', "Unsupported value: 'max'.", { param: 'reasoning.effort' })],
    ['upstream_invalid_request', 400, 400, body(null, 'No tool output found for function call call_1.')],
  ])('is %s, %i, where it comes with %i: %j', (code, status, received, answer) => {
    const error = failureOfResponse(received, {}, JSON.stringify(answer), context);
    expect([error.code, error.status]).toEqual([code, status]);
  });

  test.each<[ErrorCode, unknown]>([
    [
      'context_overflow',
      {
        type: 'error',
        error: { type: 'invalid_request_error', code: 'context_length_exceeded', message: OVERFLOW, param: 'input' },
      },
    ],
    ['context_overflow', { code: 'context_length_exceeded', message: OVERFLOW }],
    ['rate_limited', { code: 'rate_limit_exceeded', message: 'Rate limit reached. Please try again in 12.5s.' }],
    ['billing', { code: 'insufficient_quota', message: 'You exceeded your current quota' }],
    ['overloaded', { code: 'server_error', message: 'The server had an error' }],
    ['upstream_invalid_request', { code: 'invalid_prompt', message: 'Invalid prompt' }],
    ['upstream_invalid_request', { error: { type: 'invalid_request_error', message: 'Something is wrong' } }],
    [
      'reasoning_refused',
      { code: 'invalid_encrypted_content', message: 'The encrypted content could not be verified.' },
    ],
    ['unknown_model', { code: 'model_not_found', message: 'The model does not exist' }],
    ['overloaded', { message: 'Something is wrong' }],
  ])('is %s within a stream, where it has no status: %j', (code, answer) => {
    expect(failureOfBody(readErrorBody(answer), undefined, context).code).toBe(code);
  });

  test('keeps the part of the request that it names', () => {
    const answer = body('unsupported_parameter', "Unsupported parameter: 'temperature'.", { param: 'temperature' });
    expect(failureOfResponse(400, {}, JSON.stringify(answer), context).param).toBe('temperature');
  });
});

test('R678 a wait that stands in the words of a stream is kept', () => {
  const answer = { code: 'rate_limit_exceeded', message: 'Rate limit reached. Please try again in 12.5s.' };
  expect(failureOfBody(readErrorBody(answer), undefined, context).retryAfterSeconds).toBe(13);
});

test.each(['insufficient_quota', 'invalid_prompt', 'cyber_policy'])('R679 %s is not to be repeated', (code) => {
  expect(failureOfResponse(400, {}, JSON.stringify(body(code, 'No')), context).shouldRetry).toBe(false);
});

test('R677 a text that is too long alone, or too many tokens a minute, is no overflow', () => {
  const long = body('string_above_max_length', 'Invalid input: string too long.');
  const minute = body(
    'rate_limit_exceeded',
    'Request too large for gpt-6.1-sol: tokens per min (TPM): Limit 30000, Requested 40000.',
  );
  expect(failureOfResponse(400, {}, JSON.stringify(long), context).code).not.toBe('context_overflow');
  expect(failureOfResponse(429, {}, JSON.stringify(minute), context).code).not.toBe('context_overflow');
});
