import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ApiError } from '../../../src/core/errors.ts';
import { type ErrorCode, errorTable } from '../../../src/core/errorTable.ts';
import { errorHeaders } from '../../../src/protocol/anthropic/errors.ts';

const root = join(import.meta.dirname, '../../../src');
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && path !== join('core', 'errorTable.ts'))
  .map((path) => readFileSync(join(root, path), 'utf8'))
  .join('\n');

const codes = Object.keys(errorTable) as ErrorCode[];

test.each(codes)('the error %s is answered somewhere', (code) => {
  expect(sources.includes(`'${code}'`)).toBe(true);
});

test.each(codes)('the message of %s is as the table says', (code) => {
  const said = sources.replaceAll('\\`', '`');
  const pieces = errorTable[code].form.split(/\[INSTANCE STATUS\] |\b[A-Z][A-Z_0-9]*\b/);
  for (const piece of pieces.filter((text) => text.length > 8)) expect(said.includes(piece), piece).toBe(true);
});

describe('R403 what the client may repeat', () => {
  /** The statuses that the client repeats unless it is asked not to. */
  const isRepeated = (status: number) => [401, 408, 409, 429].includes(status) || status >= 500;
  /** What passes by itself or may do so. */
  const passing: ReadonlySet<ErrorCode> = new Set([
    'queue_full',
    'short_of_memory',
    'request_timeout',
    'rate_limited',
    'too_many_attempts',
    // Of a minute; of a day or month it says itself that nobody shall wait.
    'client_limit',
    'internal',
    'provider_failed',
    'bad_gateway',
    'broken_tool_call',
    'upstream_timeout',
    'overloaded',
    'draining',
  ]);

  test.each(codes.filter((code) => isRepeated(errorTable[code].status)))('%s', (code) => {
    const headers = errorHeaders(new ApiError(code, 'words'));
    expect(headers['x-should-retry']).toBe(passing.has(code) ? undefined : 'false');
  });

  test('what passes soon says when', () => {
    expect(errorHeaders(new ApiError('overloaded', 'words'))).toEqual({ 'retry-after': '2' });
    expect(errorHeaders(new ApiError('draining', 'words'))).toEqual({ 'retry-after': '1' });
    expect(errorHeaders(new ApiError('rate_limited', 'words', { retryAfterSeconds: 7 }))).toEqual({
      'retry-after': '7',
    });
  });

  test('the cause of one error may know better than the table', () => {
    const error = new ApiError('upstream_timeout', 'words', { shouldRetry: false });
    expect(errorHeaders(error)).toEqual({ 'x-should-retry': 'false' });
  });
});
