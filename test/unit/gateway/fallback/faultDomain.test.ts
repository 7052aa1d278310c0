import { describe, expect, test } from 'vitest';
import { ApiError } from '../../../../src/core/errors.ts';
import { type ErrorCode, errorTable } from '../../../../src/core/errorTable.ts';
import { classifyFault, type FaultDomain, keyCooldownMs } from '../../../../src/gateway/fallback/outcome.ts';
import { type FailureContext, failureOfResponse, failureOfTransport } from '../../../../src/upstream/errors.ts';

const context: FailureContext = {
  provider: 'one',
  keyName: 'KEY',
  model: 'm',
  inputEstimate: 10,
  contextWindow: 100,
  errorCodes: {},
  redact: (text) => text,
  now: 0,
};

const answered = (status: number, message: string) =>
  classifyFault(failureOfResponse(status, {}, JSON.stringify({ error: { message } }), context));
const broken = (code: string) =>
  classifyFault(failureOfTransport(Object.assign(new Error('x'), { code }), 10, context));

describe('who a failure is the fault of', () => {
  test.each<[number, string, FaultDomain]>([
    [400, 'no such parameter', 'request'],
    [400, 'maximum context length is 100 tokens', 'request'],
    [413, 'too large', 'request'],
    [422, 'no such parameter', 'request'],
    [400, 'unknown model', 'model'],
    [401, 'bad key', 'key'],
    [402, 'pay', 'key'],
    [403, 'not yours', 'key'],
    [404, 'model not found', 'model'],
    [404, 'Not Found', 'server'],
    [408, 'late', 'server'],
    [429, 'slow down', 'key'],
    [429, 'tokens per minute: Limit 100, Requested 200', 'model'],
    [500, 'boom', 'server'],
    [501, 'no', 'model'],
    [502, 'bad', 'server'],
    [503, 'bad', 'server'],
    [504, 'late', 'server'],
    [505, 'odd', 'server'],
    [529, 'busy', 'server'],
    [302, 'elsewhere', 'server'],
  ])('%i %s -> %s', (status, message, domain) => {
    expect(answered(status, message)).toBe(domain);
  });

  test.each([
    'ECONNREFUSED',
    'ECONNRESET',
    'ENOTFOUND',
    'UND_ERR_CONNECT_TIMEOUT',
    'UND_ERR_HEADERS_TIMEOUT',
    'CERT_HAS_EXPIRED',
    'HPE_INVALID_CONSTANT',
  ])('%s -> server', (code) => {
    expect(broken(code)).toBe('server');
  });

  test('a fault of the proxy itself is nobody else’s, and would be the same at the next', () => {
    expect(classifyFault(new ApiError('internal', 'x', { cause: new TypeError('x') }))).toBe('request');
  });

  test('every error that can be answered has its row', () => {
    for (const code of Object.keys(errorTable))
      expect(classifyFault(new ApiError(code as ErrorCode, ''))).toBeTypeOf('string');
  });
});

test.each([
  ['rate_limited', 20, 20_000],
  ['rate_limited', 0, 1000],
  ['rate_limited', undefined, 60_000],
  ['upstream_unauthenticated', undefined, 300_000],
  ['billing', undefined, 300_000],
  ['upstream_forbidden', undefined, 300_000],
] as const)('a key with %s (retry-after %s) rests %i ms', (code, retryAfterSeconds, ms) => {
  expect(keyCooldownMs(new ApiError(code, '', retryAfterSeconds === undefined ? {} : { retryAfterSeconds }))).toBe(ms);
});
