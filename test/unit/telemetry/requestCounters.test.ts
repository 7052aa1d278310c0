import { expect, test } from 'vitest';
import { createRedactor } from '../../../src/core/secret.ts';
import { RequestCounters } from '../../../src/telemetry/requestCounters.ts';
import type { RequestRecord } from '../../../src/telemetry/requestRecord.ts';

const base: RequestRecord = {
  id: 'req_1',
  endpoint: '/v1/messages',
  provider: 'demo',
  stream: true,
  status: 200,
  outcome: 'ok',
  durationMs: 1,
};

test('counts each request once by its outcome, its tokens, and what is in flight', () => {
  let now = 1_000;
  const stats = new RequestCounters({ now: () => now, monotonic: () => now }, (text) => text);
  expect(stats.snapshot()).toEqual({
    requests: { total: 0, ok: 0, rejected: 0, failed: 0, clientClosed: 0 },
    tokens: { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 },
    inFlight: 0,
  });
  for (let count = 0; count < 6; count++) stats.start();
  stats.finish({ ...base, inputTokens: 10, cacheReadTokens: 5, cacheWriteTokens: 2, outputTokens: 3 });
  now = 2_000;
  stats.finish({
    ...base,
    outcome: 'error',
    status: 502,
    errorType: 'api_error',
    errorMessage: 'no answer',
    inputTokens: 1,
  });
  now = 3_000;
  stats.finish({
    ...base,
    outcome: 'interrupted',
    errorType: 'overloaded_error',
    errorMessage: 'broke off',
    outputTokens: 4,
  });
  stats.finish({ ...base, outcome: 'client_closed' });
  stats.finish({ ...base, outcome: 'rejected', status: 401 });
  expect(stats.inFlight).toBe(1);
  expect(stats.snapshot()).toEqual({
    requests: { total: 6, ok: 1, rejected: 1, failed: 2, clientClosed: 1 },
    tokens: { input: 11, cacheRead: 5, cacheWrite: 2, output: 7 },
    inFlight: 1,
    lastSuccessAt: 1_000,
    lastError: { at: 3_000, status: 200, type: 'overloaded_error', message: 'broke off' },
  });
});

test('the tokens of what no client has asked for are counted, and nothing else of it', () => {
  const stats = new RequestCounters({ now: () => 0, monotonic: () => 0 }, (text) => text);
  const { tokens: none, ...before } = stats.snapshot();
  stats.addTokens({ ...base, inputTokens: 10, outputTokens: 1 });
  expect(stats.snapshot()).toEqual({ ...before, tokens: { ...none, input: 10, output: 1 } });
});

test('a snapshot does not change afterwards', () => {
  const stats = new RequestCounters({ now: () => 0, monotonic: () => 0 }, (text) => text);
  const before = stats.snapshot();
  stats.start();
  expect(before.requests.total).toBe(0);
});

test('the message of the last error has no key in it', () => {
  const stats = new RequestCounters({ now: () => 0, monotonic: () => 0 }, createRedactor([]));
  stats.start();
  stats.finish({ ...base, outcome: 'error', errorMessage: 'refused Bearer abcdefghijk' });
  expect(stats.snapshot().lastError?.message).toBe('refused Bearer ****');
});
