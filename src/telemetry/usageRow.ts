import type { RequestRecord } from './requestRecord.ts';

/** The endpoint of a health check that asks for tokens: it has a row like a request, but is not one of a client's. */
export const HEALTH_CHECK = 'health_check';

/** One request in the usage file: numbers and names, never text. The fields are the columns; null is what is not known. */
export interface UsageRow {
  /** End of the request, in ms since 1970. */
  readonly time: number;
  /** Its day by this machine's calendar, YYYY-MM-DD. */
  readonly day: string;
  readonly id: string;
  readonly endpoint: string;
  readonly provider: string;
  /** Where the key came from, never the key. */
  readonly key: string | null;
  readonly tier: string | null;
  readonly asked_model: string | null;
  readonly used_model: string | null;
  /** A short hash (R511). */
  readonly session: string | null;
  /** 1 for a subagent. */
  readonly agent: 0 | 1;
  readonly status: number;
  readonly outcome: string;
  /** Without what came from the cache or went into it. */
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly cache_read_tokens: number | null;
  readonly cache_write_tokens: number | null;
  /** A part of the output. */
  readonly reasoning_tokens: number | null;
  /** 1 when the provider gave no usage and the tokens are estimates of ours. */
  readonly estimated: 0 | 1;
  /** US dollars; null when a price is unknown, never 0 for that. */
  readonly cost: number | null;
  readonly first_event_ms: number | null;
  readonly duration_ms: number;
}

/** A model's name comes from the client and may be as long as its body. */
const MAX_NAME = 200;

const shorten = (name: string | undefined) => name?.slice(0, MAX_NAME) ?? null;

export function createUsageRow(record: RequestRecord, { time, day }: Pick<UsageRow, 'time' | 'day'>): UsageRow {
  return {
    time,
    day,
    id: record.id,
    endpoint: record.endpoint,
    provider: record.provider,
    key: record.key ?? null,
    tier: record.tier ?? null,
    asked_model: shorten(record.model),
    used_model: shorten(record.upstreamModel),
    session: record.session ?? null,
    agent: record.agent === undefined ? 0 : 1,
    status: record.status,
    outcome: record.outcome,
    input_tokens: record.inputTokens ?? null,
    output_tokens: record.outputTokens ?? null,
    cache_read_tokens: record.cacheReadTokens ?? null,
    cache_write_tokens: record.cacheCreationTokens ?? null,
    reasoning_tokens: record.reasoningTokens ?? null,
    estimated: record.usageEstimated === true ? 1 : 0,
    cost: record.cost ?? null,
    first_event_ms: record.firstEventMs ?? null,
    duration_ms: record.durationMs,
  };
}
