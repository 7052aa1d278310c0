import { expect, test } from 'vitest';
import { ApiError } from '../../../../src/core/errors.ts';
import { errorBody } from '../../../../src/protocol/anthropic/errors.ts';

test.each([
  [new ApiError('overloaded', 'busy'), { type: 'overloaded_error', message: 'busy' }],
  [
    new ApiError('invalid_request', 'no threads', { anthropicCode: 'thread_unsupported_request' }),
    {
      type: 'invalid_request_error',
      message: 'no threads',
      details: { error_code: 'thread_unsupported_request' },
    },
  ],
])("an error in Anthropic's envelope, with its code where there is one", (error, expected) => {
  expect(JSON.parse(errorBody(error, 'req_1'))).toEqual({ type: 'error', error: expected, request_id: 'req_1' });
});
