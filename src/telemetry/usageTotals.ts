import { HEALTH_CHECK, type UsageRow } from './usageRow.ts';

/** Sums over the requests of clients and the instance's own health checks. */
export interface UsageTotals {
  /** Of clients. */
  readonly requests: number;
  /** Health checks that asked for tokens; they are in the tokens, the cost and what is unpriced, and in no other figure. */
  readonly checks: number;
  /** Those that a provider or this proxy failed. */
  readonly failed: number;
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly reasoning: number;
  /** US dollars, of all whose cost is known. */
  readonly cost: number;
  /** Requests and checks whose cost is not known, because a price is not. */
  readonly unpriced: number;
}

export const NO_USAGE: UsageTotals = {
  requests: 0,
  checks: 0,
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
    checks: a.checks + b.checks,
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
  const isCheck = row.endpoint === HEALTH_CHECK;
  return {
    requests: isCheck ? 0 : 1,
    checks: isCheck ? 1 : 0,
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

/** Whether the cost of nothing in the sums is known. */
export function isCostUnknown({ requests, checks, unpriced }: UsageTotals): boolean {
  return unpriced > 0 && unpriced === requests + checks;
}
