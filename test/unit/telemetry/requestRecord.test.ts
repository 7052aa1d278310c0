import { expect, test } from 'vitest';
import { createRedactor, Secret } from '../../../src/core/secret.ts';
import { type RequestRecord, serializeRequest } from '../../../src/telemetry/requestRecord.ts';

const NOW = Date.UTC(2026, 10, 20, 8, 54, 3, 217);
const identity = (text: string): string => text;
const smallest: RequestRecord = {
  id: 'req_1',
  endpoint: '/v1/messages',
  provider: 'demo',
  stream: false,
  status: 401,
  outcome: 'rejected',
  durationMs: 1,
};

test('a full record is one flat line with the documented names', () => {
  const record: RequestRecord = {
    ...smallest,
    tier: 'opus',
    route: 'think',
    model: 'claude-opus-4-5',
    upstreamModel: 'big-model',
    stream: true,
    status: 200,
    outcome: 'interrupted',
    errorType: 'api_error',
    errorMessage: 'the provider broke off',
    inputTokens: 1,
    cacheReadTokens: 2,
    cacheWriteTokens: 3,
    outputTokens: 4,
    usageEstimated: true,
    stopReason: 'end_turn',
    firstEventMs: 5,
    durationMs: 6,
    attempts: 2,
    fallbacks: [{ from: 'a,b', reason: 'x'.repeat(300) }],
    upstreamRequestId: 'chatcmpl-1',
    session: 'a1b2',
    agent: 'agent-1',
    clientVersion: '2.1.0',
    requestBytes: 7,
    droppedFields: 8,
    notes: ['tool_arguments_repaired'],
  };
  expect(JSON.parse(serializeRequest(record, 'kimi', NOW, identity))).toEqual({
    time: '2026-11-20T08:54:03.217Z',
    level: 'warn',
    event: 'request',
    id: 'req_1',
    instance: 'kimi',
    endpoint: '/v1/messages',
    tier: 'opus',
    route: 'think',
    model: 'claude-opus-4-5',
    upstream_model: 'big-model',
    provider: 'demo',
    stream: true,
    status: 200,
    outcome: 'interrupted',
    error_type: 'api_error',
    error_message: 'the provider broke off',
    input_tokens: 1,
    cache_read_tokens: 2,
    cache_creation_tokens: 3,
    output_tokens: 4,
    usage_estimated: true,
    stop_reason: 'end_turn',
    first_event_ms: 5,
    duration_ms: 6,
    attempts: 2,
    fallbacks: [{ from: 'a,b', reason: 'x'.repeat(200) }],
    upstream_request_id: 'chatcmpl-1',
    session: 'a1b2',
    agent: 'agent-1',
    client_version: '2.1.0',
    request_bytes: 7,
    dropped_fields: 8,
    notes: ['tool_arguments_repaired'],
  });
});

test('what is unknown is left out', () => {
  const fields = Object.keys(JSON.parse(serializeRequest(smallest, 'kimi', NOW, identity)));
  expect(fields.join(' ')).toBe('time level event id instance endpoint provider stream status outcome duration_ms');
});

test.each([
  ['ok', 'info'],
  ['rejected', 'info'],
  ['client_closed', 'info'],
  ['error', 'warn'],
  ['interrupted', 'warn'],
] as const)('outcome %s has level %s', (outcome, level) => {
  expect(JSON.parse(serializeRequest({ ...smallest, outcome }, 'kimi', NOW, identity))).toMatchObject({
    outcome,
    level,
  });
});

test('an error message is masked and then cut at 200 characters', () => {
  const errorMessage = `${'x '.repeat(95)}Bearer abcdefghijklmnop ${'y '.repeat(100)}`;
  const line = serializeRequest({ ...smallest, errorMessage }, 'kimi', NOW, createRedactor([]));
  const message: string = JSON.parse(line).error_message;
  expect(message).toHaveLength(200);
  expect(message).not.toContain('abc');
});

test('a line holds the first notes, cut, and how many are left out', () => {
  const notesOf = (notes: readonly string[]): string[] =>
    JSON.parse(serializeRequest({ ...smallest, notes }, 'kimi', NOW, identity)).notes;
  const many = notesOf(Array.from({ length: 100_000 }, (_, index) => `tool_without_schema:${index}`));
  expect(many).toHaveLength(101);
  expect(many.at(-1)).toBe('notes_left_out:99900');
  const long = notesOf(Array.from({ length: 99 }, () => 'x'.repeat(1_000_000)));
  expect(long.slice(0, -1)).toEqual(Array.from({ length: 40 }, () => 'x'.repeat(200)));
  expect(long.at(-1)).toBe('notes_left_out:59');
  expect(notesOf(['one', 'two'])).toEqual(['one', 'two']);
});

test('words of any length make a short line, and a key at their cut is in none of it', () => {
  const key = 'Key/of.A-Provider+17';
  const redact = createRedactor([new Secret(key)]);
  const word = `${'x'.repeat(190)}${key}${'x'.repeat(6_000_000)}`;
  const names = { endpoint: word, model: word, upstreamModel: word, stopReason: word, upstreamRequestId: word };
  const record: RequestRecord = {
    ...smallest,
    ...names,
    ...{ agent: word, clientVersion: word, errorMessage: word, notes: [word] },
    fallbacks: [{ from: word, reason: word }],
  };
  const line = redact(serializeRequest(record, 'kimi', NOW, redact));
  expect(line.length).toBeLessThan(4000);
  expect(line).not.toContain(key.slice(0, 6));
});
