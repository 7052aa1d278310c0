import { expect, test } from 'vitest';
import type { ErrorCode } from '../../../src/core/errorTable.ts';
import {
  type FailureContext,
  failureOfResponse,
  failureOfTransport,
  isRetryable,
} from '../../../src/upstream/errors.ts';
import type { ResponseHeaders } from '../../../src/upstream/upstream.ts';

const context: FailureContext = {
  provider: 'here',
  keyName: 'OPENAI_API_KEY',
  model: 'the-model',
  inputEstimate: 1000,
  contextWindow: 900,
  errorCodes: { '1113': 'billing', '1302': 'rate_limited', '2056': 'billing', '1261': 'context_overflow' },
  redact: (text) => text.replaceAll('sk-secret-key', '****'),
  now: Date.parse('2026-11-20T00:00:00Z'),
};

interface Case {
  readonly rule: string;
  readonly name: string;
  readonly status: number;
  readonly headers?: ResponseHeaders;
  readonly body: unknown;
  readonly code: ErrorCode;
  readonly answered: number;
  readonly message?: string | RegExp;
  readonly retryAfter?: number | undefined;
  readonly retryable?: boolean;
}

const openAi = (message: string, code?: string, type = 'invalid_request_error') => ({ error: { message, type, code } });

const cases: Case[] = [
  {
    rule: 'R408',
    name: 'a passing limit that advises to pay',
    status: 429,
    headers: { 'retry-after': '20' },
    body: openAi(
      'Rate limit reached. Try again in 20s. Add a payment method at /account/billing.',
      'rate_limit_exceeded',
    ),
    code: 'rate_limited',
    answered: 429,
    retryAfter: 20,
  },
  {
    rule: 'R402',
    name: 'a 503 that speaks of billing',
    status: 503,
    body: openAi('billing service temporarily unavailable'),
    code: 'overloaded',
    answered: 529,
  },
  {
    rule: 'R402',
    name: 'a code that is a word of the language',
    status: 400,
    body: { error: { code: 'constructor', message: 'odd' } },
    code: 'upstream_invalid_request',
    answered: 400,
  },
  {
    rule: 'R402',
    name: 'a 400',
    status: 400,
    body: openAi('temperature out of range'),
    code: 'upstream_invalid_request',
    answered: 400,
    message: '[here 400] temperature out of range',
  },
  {
    rule: 'R402',
    name: 'a 422 of FastAPI form',
    status: 422,
    body: { detail: [{ msg: 'field required' }] },
    code: 'upstream_invalid_request',
    answered: 400,
    message: /field required/,
  },
  {
    rule: 'R402',
    name: 'a rejected key',
    status: 401,
    body: openAi('Incorrect API key provided: sk-secret-key'),
    code: 'upstream_unauthenticated',
    answered: 401,
    message: '[here 401] the provider rejected OPENAI_API_KEY: Incorrect API key provided: ****',
  },
  {
    rule: 'R402',
    name: 'a plan without the model',
    status: 403,
    body: openAi('not on your plan'),
    code: 'upstream_forbidden',
    answered: 403,
  },
  { rule: 'R402', name: 'a 402', status: 402, body: openAi('pay first'), code: 'billing', answered: 402 },
  {
    rule: 'R402',
    name: 'an empty balance sent as 429',
    status: 429,
    body: openAi('You exceeded your current quota', 'insufficient_quota'),
    code: 'billing',
    answered: 402,
  },
  {
    rule: 'R408',
    name: 'an empty balance by the provider’s own number',
    status: 429,
    body: { error: { code: '1113', message: 'pay' } },
    code: 'billing',
    answered: 402,
  },
  {
    rule: 'R408',
    name: 'a number at the end of the text',
    status: 400,
    body: { error: { message: 'plan window used up (2056)' } },
    code: 'billing',
    answered: 402,
  },
  {
    rule: 'R402',
    name: 'an unknown model',
    status: 404,
    body: openAi('The model `x` does not exist', 'model_not_found'),
    code: 'unknown_model',
    answered: 404,
    message: /the-model/,
  },
  {
    rule: 'R402',
    name: 'an unknown model sent as 400',
    status: 400,
    body: openAi('invalid params, unknown model x'),
    code: 'unknown_model',
    answered: 404,
  },
  {
    rule: 'R402',
    name: 'a wrong address',
    status: 404,
    body: '<html><title>Not Found</title></html>',
    code: 'bad_gateway',
    answered: 502,
    message: /check OPENAI_BASE_URL: Not Found/,
  },
  {
    rule: 'R402',
    name: 'a body that is too large',
    status: 413,
    body: openAi('Request exceeds the maximum size'),
    code: 'request_too_large',
    answered: 413,
  },
  {
    rule: 'R408',
    name: 'a rate limit with a header',
    status: 429,
    headers: { 'retry-after': '3' },
    body: openAi('Rate limit reached'),
    code: 'rate_limited',
    answered: 429,
    retryAfter: 3,
    retryable: true,
  },
  {
    rule: 'R408',
    name: 'a rate limit of minutes',
    status: 429,
    headers: { 'retry-after': '120' },
    body: openAi('slow down'),
    code: 'rate_limited',
    answered: 429,
    retryAfter: 60,
    retryable: false,
  },
  {
    rule: 'R408',
    name: 'a window quota of hours',
    status: 429,
    headers: { 'retry-after': '7200' },
    body: openAi('window used'),
    code: 'rate_limited',
    answered: 429,
    retryAfter: 7200,
    retryable: false,
  },
  {
    rule: 'R408',
    name: 'a date',
    status: 429,
    headers: { 'retry-after': 'Fri, 20 Nov 2026 00:00:04 GMT' },
    body: openAi('x'),
    code: 'rate_limited',
    answered: 429,
    retryAfter: 4,
  },
  {
    rule: 'R408',
    name: 'milliseconds',
    status: 429,
    headers: { 'retry-after-ms': '1500' },
    body: openAi('x'),
    code: 'rate_limited',
    answered: 429,
    retryAfter: 2,
  },
  {
    rule: 'R408',
    name: 'words',
    status: 429,
    body: openAi('Rate limit reached. Please try again in 12.5s.'),
    code: 'rate_limited',
    answered: 429,
    retryAfter: 13,
  },
  {
    rule: 'R408',
    name: 'a reset header of the limit that is used up',
    status: 429,
    headers: {
      'x-ratelimit-remaining-tokens': '0',
      'x-ratelimit-reset-tokens': '1m2s',
      'x-ratelimit-reset-requests': '9s',
    },
    body: openAi('x'),
    code: 'rate_limited',
    answered: 429,
    retryAfter: 60,
  },
  {
    rule: 'R408',
    name: 'a time in ms at which the limit is renewed',
    status: 429,
    headers: { 'x-ratelimit-reset': String(Date.parse('2026-11-20T00:00:30Z')) },
    body: openAi('free-models-per-min'),
    code: 'rate_limited',
    answered: 429,
    retryAfter: 30,
  },
  {
    rule: 'R408',
    name: 'a time in s at which the limit of a day is renewed',
    status: 429,
    headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(Date.parse('2026-11-20T10:00:00Z') / 1000) },
    body: openAi('free-models-per-day'),
    code: 'rate_limited',
    answered: 429,
    retryAfter: 36_000,
  },
  {
    rule: 'R408',
    name: 'the same in the headers within the body',
    status: 429,
    body: {
      error: {
        message: 'Rate limit exceeded: free-models-per-day',
        code: 429,
        metadata: {
          headers: { 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': String(Date.parse('2026-11-20T02:00:00Z')) },
        },
      },
    },
    code: 'rate_limited',
    answered: 429,
    retryAfter: 7200,
  },
  {
    rule: 'R408',
    name: 'a limit that is not used up',
    status: 429,
    headers: { 'x-ratelimit-remaining': '3', 'x-ratelimit-reset': '60' },
    body: openAi('x'),
    code: 'rate_limited',
    answered: 429,
    retryAfter: undefined,
  },
  {
    rule: 'R408',
    name: 'a pause in the details, behind a long message',
    status: 429,
    body: { error: { message: 'x'.repeat(900), details: [{ '@type': 'RetryInfo', retryDelay: '2.5s' }] } },
    code: 'rate_limited',
    answered: 429,
    retryAfter: 3,
    retryable: true,
  },
  {
    rule: 'R408',
    name: 'a pause that cannot be',
    status: 429,
    body: { error: { message: 'x', details: [{ retryDelay: `${'9'.repeat(40)}s` }] } },
    code: 'rate_limited',
    answered: 429,
    retryAfter: undefined,
  },
  {
    rule: 'R408',
    name: 'nothing',
    status: 429,
    body: openAi('x'),
    code: 'rate_limited',
    answered: 429,
    retryAfter: undefined,
    retryable: false,
  },
  {
    rule: 'R408',
    name: 'a limit sent as 403',
    status: 403,
    body: openAi('rate limit exceeded'),
    code: 'rate_limited',
    answered: 429,
  },
  {
    rule: 'R404',
    name: 'an overflow with numbers',
    status: 400,
    body: openAi("This model's maximum context length is 10 tokens. However, your messages resulted in 20 tokens."),
    code: 'context_overflow',
    answered: 400,
    message: 'prompt is too long: 20 tokens > 10 maximum',
  },
  {
    rule: 'R404',
    name: 'an overflow without numbers',
    status: 400,
    body: openAi('context window exceeds limit (2013)'),
    code: 'context_overflow',
    answered: 400,
    message: 'prompt is too long: 1000 tokens > 900 maximum',
  },
  {
    rule: 'R404',
    name: 'an overflow by the provider’s number',
    status: 400,
    body: { error: { code: '1261', message: 'too long' } },
    code: 'context_overflow',
    answered: 400,
    message: 'prompt is too long: 1000 tokens > 900 maximum',
  },
  {
    rule: 'R404',
    name: 'numbers beside the message',
    status: 400,
    body: {
      error: {
        type: 'exceed_context_size_error',
        message: 'the request exceeds the available context size',
        n_prompt_tokens: 9001,
        n_ctx: 8192,
      },
    },
    code: 'context_overflow',
    answered: 400,
    message: 'prompt is too long: 9001 tokens > 8192 maximum',
  },
  {
    rule: 'R405',
    name: 'an overflow of prompt and output',
    status: 400,
    body: openAi(
      'maximum context length is 8192 tokens. However, you requested 9500 tokens (5500 in the messages, 4000 in the completion)',
    ),
    code: 'max_tokens_overflow',
    answered: 400,
    message:
      'input length and `max_tokens` exceed context limit: 5500 + 4000 > 8192, decrease input length or `max_tokens` and try again',
  },
  {
    rule: 'R416',
    name: 'a minute budget that cannot be kept',
    status: 413,
    body: openAi('Request too large on tokens per minute (TPM): Limit 6000, Requested 9000'),
    code: 'never_fits_rate_limit',
    answered: 400,
    message: /needs 9000 tokens and the limit is 6000/,
  },
  {
    rule: 'R416',
    name: 'a minute budget that is used up',
    status: 429,
    body: openAi('tokens per minute (TPM): Limit 6000, Used 5000, Requested 2000. Please try again in 10s'),
    code: 'rate_limited',
    answered: 429,
    retryAfter: 10,
  },
  {
    rule: 'R406',
    name: 'structured output',
    status: 400,
    body: openAi('response_format is not supported'),
    code: 'capability_rejected',
    answered: 400,
    message: 'capability_rejected: structured_outputs_unsupported',
  },
  {
    rule: 'R402',
    name: 'a 500',
    status: 500,
    body: openAi('boom'),
    code: 'overloaded',
    answered: 529,
    retryable: true,
    retryAfter: 2,
  },
  {
    rule: 'R402',
    name: 'an HTML 502',
    status: 502,
    body: '<html><head><title>502 Bad Gateway</title></head></html>',
    code: 'overloaded',
    answered: 529,
    message: '[here 502] 502 Bad Gateway',
    retryable: true,
  },
  { rule: 'R402', name: 'a 501', status: 501, body: openAi('no'), code: 'not_supported', answered: 501 },
  {
    rule: 'R402',
    name: 'another 5xx',
    status: 507,
    body: openAi('no space'),
    code: 'internal',
    answered: 500,
    retryable: false,
  },
  {
    rule: 'U',
    name: 'a redirect',
    status: 302,
    headers: { location: 'https://elsewhere.example/' },
    body: '',
    code: 'bad_gateway',
    answered: 502,
    message: /redirects to https:\/\/elsewhere.example\//,
  },
];

test.each(cases)('$rule $name', (expected) => {
  const body = typeof expected.body === 'string' ? expected.body : JSON.stringify(expected.body);
  const error = failureOfResponse(expected.status, expected.headers ?? {}, body, context);
  expect(error).toMatchObject({ code: expected.code, status: expected.answered });
  if (expected.message !== undefined)
    expect(error.message).toEqual(
      typeof expected.message === 'string' ? expected.message : expect.stringMatching(expected.message),
    );
  if ('retryAfter' in expected) expect(error.retryAfterSeconds).toBe(expected.retryAfter);
  if (expected.retryable !== undefined) expect(isRetryable(error)).toBe(expected.retryable);
});

const fault = (code: string) => Object.assign(new Error(`failed with ${code}`), { code });

test.each([
  ['ECONNREFUSED', 'overloaded', /connection failed \(ECONNREFUSED\)/],
  ['ECONNRESET', 'overloaded', /ECONNRESET/],
  ['ENOTFOUND', 'overloaded', /ENOTFOUND/],
  ['UND_ERR_HEADERS_TIMEOUT', 'upstream_timeout', /no answer within 30 s \(REQUEST_TIMEOUT\)/],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'bad_gateway', /CA_FILE/],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'bad_gateway', /use http:\/\//],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'bad_gateway', /another name/],
  ['CERT_HAS_EXPIRED', 'bad_gateway', /expired/],
] as const)('R402 a transport failure %s is %s', (code, expected, message) => {
  const error = failureOfTransport(fault(code), 30_000, context);
  expect(error.code).toBe(expected);
  expect(error.message).toMatch(message);
});

test('R402 a parser error without a code says that the server does not speak HTTP', () => {
  const error = Object.assign(new Error('Parse Error'), { name: 'HTTPParserError' });
  expect(failureOfTransport(error, 10, context)).toMatchObject({ code: 'bad_gateway', status: 502 });
});

test('R402 a timeout after more than a minute is not to be repeated', () => {
  expect(failureOfTransport(fault('UND_ERR_HEADERS_TIMEOUT'), 61_000, context).shouldRetry).toBe(false);
  expect(failureOfTransport(fault('UND_ERR_HEADERS_TIMEOUT'), 30_000, context).shouldRetry).toBeUndefined();
});

test.each([
  ['by its words', openAi('Content Exists Risk'), {}],
  ['by its name', openAi('No', 'content_filter'), {}],
  [
    'where the preset knows its number',
    openAi('System detected potentially unsafe or sensitive content', '1301'),
    { '1301': 'upstream_invalid_request' as const },
  ],
])('R415 the refusal of a content filter, %s, is a 400 at which the client asks once', (_how, body, errorCodes) => {
  const error = failureOfResponse(400, {}, JSON.stringify(body), { ...context, errorCodes });
  expect(error).toMatchObject({ code: 'upstream_invalid_request', status: 400, shouldRetry: false });
  // Claude Code 2.1.328 looks for these words; at others it gives its features up one after the other.
  expect(error.message).toContain(`${body.error.message} (Output blocked by content filtering policy)`);
});
