import type { UsageRow } from '../../src/telemetry/usage/totals.ts';

/** A row of the usage file with the given fields. */
export function sampleRow(fields: Partial<UsageRow> = {}): UsageRow {
  return {
    time: Date.UTC(2026, 10, 20, 12),
    day: '2026-11-20',
    id: 'req_1',
    endpoint: '/v1/messages',
    provider: 'demo',
    key: 'file',
    tier: 'big',
    asked_model: 'claude-opus-5',
    used_model: 'model-a',
    session: 'session-a',
    agent: 0,
    session_id: null,
    intent: 'chat',
    project: null,
    client: null,
    status: 200,
    outcome: 'ok',
    input_tokens: 100,
    output_tokens: 10,
    cache_read_tokens: 1000,
    cache_write_tokens: 0,
    reasoning_tokens: null,
    estimated: 0,
    cost: 0.5,
    searches: null,
    search_cost: null,
    first_event_ms: 300,
    duration_ms: 2000,
    ...fields,
  };
}
