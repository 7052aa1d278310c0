import type { Prices } from '../../../src/providers/preset.ts';
import { costOf } from '../../../src/telemetry/usage/cost.ts';
import type { AnswerUsage } from './answer.ts';

/** What a test has used up. */
export interface Spending extends AnswerUsage {
  readonly requests: number;
  /** Undefined when a model has no known price. */
  readonly dollars: number | undefined;
}

export const NOTHING_SPENT: Spending = { requests: 0, input: 0, cacheRead: 0, cacheWrite: 0, output: 0, dollars: 0 };

/** Adds one answer to what was spent before. An answer without tokens costs nothing, whatever its model. */
export function spend(before: Spending, usage: AnswerUsage, prices: Prices | undefined): Spending {
  const cost = costOf(usage, prices);
  return {
    requests: before.requests + 1,
    input: before.input + usage.input,
    cacheRead: before.cacheRead + usage.cacheRead,
    cacheWrite: before.cacheWrite + usage.cacheWrite,
    output: before.output + usage.output,
    dollars: before.dollars === undefined || cost === undefined ? undefined : before.dollars + cost,
  };
}

/** `3 requests, 5210 tokens in (4992 cached), 120 out, about $0.0031`. */
export function describeSpending({ requests, input, cacheRead, cacheWrite, output, dollars }: Spending): string {
  const cached = cacheRead === 0 ? '' : ` (${cacheRead} cached)`;
  const price = dollars === undefined ? 'price unknown' : `about $${dollars.toFixed(4)}`;
  const count = requests === 1 ? '1 request' : `${requests} requests`;
  return `${count}, ${input + cacheRead + cacheWrite} tokens in${cached}, ${output} out, ${price}`;
}
