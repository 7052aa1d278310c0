import type { UsageRow } from './usageRow.ts';

/** Sums over requests. */
export interface UsageTotals {
  readonly requests: number;
  /** Those that a provider or this proxy failed. */
  readonly failed: number;
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly reasoning: number;
  /** US dollars, of the requests whose cost is known. */
  readonly cost: number;
  /** Requests whose cost is not known, because a price is not. */
  readonly unpriced: number;
}

export const NO_USAGE: UsageTotals = {
  requests: 0,
  failed: 0,
  input: 0,
  output: 0,
  cacheRead: 0,
  cacheWrite: 0,
  reasoning: 0,
  cost: 0,
  unpriced: 0,
};

export function addTotals(a: UsageTotals, b: UsageTotals): UsageTotals {
  return {
    requests: a.requests + b.requests,
    failed: a.failed + b.failed,
    input: a.input + b.input,
    output: a.output + b.output,
    cacheRead: a.cacheRead + b.cacheRead,
    cacheWrite: a.cacheWrite + b.cacheWrite,
    reasoning: a.reasoning + b.reasoning,
    cost: a.cost + b.cost,
    unpriced: a.unpriced + b.unpriced,
  };
}

export function totalsOf(row: UsageRow): UsageTotals {
  return {
    requests: 1,
    failed: row.outcome === 'error' || row.outcome === 'interrupted' ? 1 : 0,
    input: row.input_tokens ?? 0,
    output: row.output_tokens ?? 0,
    cacheRead: row.cache_read_tokens ?? 0,
    cacheWrite: row.cache_write_tokens ?? 0,
    reasoning: row.reasoning_tokens ?? 0,
    cost: row.cost ?? 0,
    unpriced: row.cost === null ? 1 : 0,
  };
}
