import { expect, test } from 'vitest';
import { failureOfResponse } from '../../../src/upstream/errors.ts';
import { presetNamed } from '../../helpers/presetSettings.ts';

/** An error answer of a provider as its client gets it. */
function clientError(preset: string, status: number, body: unknown) {
  const error = failureOfResponse(status, {}, JSON.stringify(body), {
    provider: preset,
    keyName: 'OPENAI_API_KEY',
    model: 'a-model',
    inputEstimate: 1_200_000,
    contextWindow: 1_000_000,
    errorCodes: presetNamed(preset).errorCodes ?? {},
    redact: (text) => text,
    now: 0,
  });
  return [error.code, error.retryAfterSeconds];
}

const zhipu = (code: string, message: string) => ({ error: { code, message } });
const minimax = (message: string) => ({
  type: 'error',
  error: { type: 'bad_request_error', message, http_code: '400' },
  request_id: '06',
});
const openai = (type: string, message: string) => ({ error: { type, message } });
const google = (code: number, status: string, message: string) => [{ error: { code, message, status, details: [] } }];

/** Sources: docs/PROVIDERS.md names the vendors' pages; bodies as captured in the issues that the presets cite. */
test.each<[string, number, unknown, [string, number | undefined]]>([
  ['glm', 429, zhipu('1113', 'Insufficient balance or no resource package.'), ['billing', undefined]],
  ['glm', 429, zhipu('1302', 'Rate limit reached for requests'), ['rate_limited', undefined]],
  ['glm', 429, zhipu('1305', 'The service may be temporarily overloaded'), ['overloaded', 2]],
  ['glm-coding', 429, zhipu('1310', 'Weekly/Monthly Limit Exhausted.'), ['billing', undefined]],
  ['glm', 400, zhipu('1261', 'Prompt exceeds max length'), ['context_overflow', undefined]],
  ['glm', 400, zhipu('1211', 'Unknown Model'), ['unknown_model', undefined]],
  ['glm', 401, zhipu('1000', 'Authentication Failed'), ['upstream_unauthenticated', undefined]],
  ['glm', 400, zhipu('1214', 'messages is illegal'), ['upstream_invalid_request', undefined]],
  ['minimax', 400, minimax('invalid params, context window exceeds limit (2013)'), ['context_overflow', undefined]],
  ['minimax', 400, minimax('invalid params, unknown model (2013)'), ['unknown_model', undefined]],
  ['minimax', 400, minimax('insufficient balance (1008)'), ['billing', undefined]],
  ['minimax', 400, minimax('token plan does not support model (2061)'), ['upstream_forbidden', undefined]],
  ['minimax', 500, minimax('internal error (1024)'), ['overloaded', 2]],
  ['kimi', 429, openai('exceeded_current_quota_error', 'Your account is not active'), ['billing', undefined]],
  ['kimi', 429, openai('engine_overloaded_error', 'The engine is currently overloaded'), ['rate_limited', undefined]],
  ['kimi-coding', 403, openai('access_terminated_error', 'usage limit for this billing cycle'), ['billing', undefined]],
  [
    'kimi-coding',
    400,
    openai('invalid_request_error', 'total message size 3000000 exceeds limit 2097152'),
    ['context_overflow', undefined],
  ],
  [
    'kimi',
    400,
    openai('invalid_request_error', 'Your request exceeded model token limit : 1048576 (requested: 1100000)'),
    ['context_overflow', undefined],
  ],
  [
    'gemini',
    429,
    google(
      429,
      'RESOURCE_EXHAUSTED',
      'You exceeded your current quota, please check your plan. Please retry in 11.5s.',
    ),
    ['rate_limited', 12],
  ],
  ['gemini', 503, google(503, 'UNAVAILABLE', 'The model is overloaded.'), ['overloaded', 2]],
  [
    'gemini',
    400,
    google(
      400,
      'INVALID_ARGUMENT',
      'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)',
    ),
    ['context_overflow', undefined],
  ],
  ['deepseek', 402, openai('unknown_error', 'Insufficient Balance'), ['billing', undefined]],
  [
    'qwen',
    400,
    {
      error: {
        code: 'invalid_parameter_error',
        message: '<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 1000000]',
      },
    },
    ['context_overflow', undefined],
  ],
  [
    'xai',
    400,
    {
      code: 'invalid-argument',
      error: "This model's maximum prompt length is 500000 but the request contains 600000 tokens.",
    },
    ['context_overflow', undefined],
  ],
  [
    'llamacpp',
    400,
    {
      error: {
        code: 400,
        type: 'exceed_context_size_error',
        message: 'the request exceeds the available context size',
        n_prompt_tokens: 9000,
        n_ctx: 4096,
      },
    },
    ['context_overflow', undefined],
  ],
  [
    'vllm',
    400,
    {
      object: 'error',
      message: "This model's maximum context length is 32768 tokens. However, you requested 40000 tokens",
      code: 400,
    },
    ['context_overflow', undefined],
  ],
  ['openrouter', 402, { error: { code: 402, message: 'Insufficient credits' } }, ['billing', undefined]],
  [
    'azure',
    404,
    { error: { code: 'DeploymentNotFound', message: 'The API deployment for this resource does not exist.' } },
    ['unknown_model', undefined],
  ],
])('%s, %s, %j', (preset, status, body, expected) => {
  expect(clientError(preset, status, body)).toEqual(expected);
});
