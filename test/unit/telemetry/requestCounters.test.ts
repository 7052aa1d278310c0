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
  const counters = new RequestCounters({ now: () => now, monotonic: () => now }, (text) => text);
  expect(counters.snapshot()).toEqual({
    requests: { total: 0, ok: 0, rejected: 0, failed: 0, clientClosed: 0 },
    tokens: { input: 0, cacheRead: 0, cacheWrite: 0, output: 0 },
    searches: { done: 0, failed: 0, refused: 0 },
    inFlight: 0,
    unseenPictures: 0,
    tools: { limitedSessions: 0, leftOut: 0, searchLostSessions: 0 },
  });
  for (let count = 0; count < 6; count++) counters.start();
  counters.finish({ ...base, inputTokens: 10, cacheReadTokens: 5, cacheWriteTokens: 2, outputTokens: 3 });
  now = 2_000;
  counters.finish({
    ...base,
    outcome: 'error',
    status: 502,
    errorType: 'api_error',
    errorMessage: 'no answer',
    inputTokens: 1,
  });
  now = 3_000;
  counters.finish({
    ...base,
    outcome: 'interrupted',
    errorType: 'overloaded_error',
    errorMessage: 'broke off',
    outputTokens: 4,
  });
  counters.finish({ ...base, outcome: 'client_closed', notes: ['image_not_seen'] });
  counters.finish({ ...base, outcome: 'rejected', status: 401 });
  expect(counters.inFlight).toBe(1);
  expect(counters.snapshot()).toEqual({
    requests: { total: 6, ok: 1, rejected: 1, failed: 2, clientClosed: 1 },
    tokens: { input: 11, cacheRead: 5, cacheWrite: 2, output: 7 },
    searches: { done: 0, failed: 0, refused: 0 },
    inFlight: 1,
    unseenPictures: 1,
    tools: { limitedSessions: 0, leftOut: 0, searchLostSessions: 0 },
    lastSuccessAt: 1_000,
    lastError: { at: 3_000, status: 200, type: 'overloaded_error', message: 'broke off' },
  });
});

test('the tokens of what no client has asked for are counted, and nothing else of it', () => {
  const counters = new RequestCounters({ now: () => 0, monotonic: () => 0 }, (text) => text);
  const { tokens: none, ...before } = counters.snapshot();
  counters.addTokens({ ...base, inputTokens: 10, outputTokens: 1 });
  expect(counters.snapshot()).toEqual({ ...before, tokens: { ...none, input: 10, output: 1 } });
});

test('a snapshot does not change afterwards', () => {
  const counters = new RequestCounters({ now: () => 0, monotonic: () => 0 }, (text) => text);
  const before = counters.snapshot();
  counters.start();
  expect(before.requests.total).toBe(0);
});

test('the message of the last error has no key in it', () => {
  const counters = new RequestCounters({ now: () => 0, monotonic: () => 0 }, createRedactor([]));
  counters.start();
  counters.finish({ ...base, outcome: 'error', errorMessage: 'refused Bearer abcdefghijk' });
  expect(counters.snapshot().lastError?.message).toBe('refused Bearer ****');
});

test('the message of the last error cannot control the terminal in which somebody asks for /health', () => {
  const counters = new RequestCounters({ now: () => 0, monotonic: () => 0 }, createRedactor([]));
  counters.start();
  counters.finish({ ...base, outcome: 'error', errorMessage: 'no\u009b\u202eanswer' });
  expect(counters.snapshot().lastError?.message).toBe('no\\x9b\\u202eanswer');
});

test('what is no count of tokens leaves the sums as they are', () => {
  const counters = new RequestCounters({ now: () => 0, monotonic: () => 0 }, (text) => text);
  for (const wrong of [Number.NaN, 1e308, -1]) counters.addTokens({ ...base, inputTokens: wrong, outputTokens: wrong });
  expect(counters.snapshot().tokens).toEqual({ input: 0, cacheRead: 0, cacheWrite: 0, output: 0 });
});

test('counts searches of the web, and keeps why the last one failed', () => {
  const counters = new RequestCounters({ now: () => 5, monotonic: () => 5 }, (text) => text);
  counters.finish({ ...base, searches: 2, failedSearches: 1, searchFailure: 'it cannot be reached' });
  counters.finish({ ...base, searches: 1, failedSearches: 0 });
  counters.finish({ ...base, searchRefused: true });
  expect(counters.snapshot().searches).toEqual({
    done: 3,
    failed: 1,
    refused: 1,
    lastFailure: { at: 5, reason: 'it cannot be reached' },
  });
});
