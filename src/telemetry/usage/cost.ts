import type { Config } from '../../config/config.ts';
import { type Prices, ratesOf } from '../../core/models.ts';
import type { RequestRecord } from '../requestRecord.ts';

/** Tokens by what they cost: `input` is what was neither read from the provider's cache nor written to it. */
export interface TokenCounts {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

const PARTS = ['input', 'output', 'cacheRead', 'cacheWrite'] as const;
const MILLION = 1_000_000;

/**
 * The cost of a request in US dollars; undefined when a price is unknown of tokens that there are, as half a cost is a wrong one.
 * @param at time of the request in ms since 1970, for prices that depend on the hour or the day
 */
export function costOf(tokens: TokenCounts, prices: Prices | undefined, at?: number): number | undefined {
  const rates = prices && ratesOf(prices, tokens.input + tokens.cacheRead + tokens.cacheWrite, at);
  let cost = 0;
  for (const part of PARTS) {
    if (tokens[part] === 0) continue;
    const price = rates?.[part];
    if (price === undefined) return undefined;
    cost += tokens[part] * price;
  }
  return cost / MILLION;
}

type Sources = Pick<Config, 'prices' | 'modelRefs'>;

/**
 * What a model costs on a day (YYYY-MM-DD): by the prices file, else by the models file, else by the preset of its provider. In the
 * prices file a model of the first provider may stand with its provider in front as well, like those of the others.
 */
export function findPrices(sources: Sources, name: string, day: string): Prices | undefined {
  const { prices, modelRefs } = sources;
  const { named, provider, model, custom } = modelRefs.of(name);
  for (const listed of [name, `${named?.name},${model}`]) {
    const dated = prices.get(listed)?.findLast(({ from }) => from <= day);
    if (dated !== undefined) return dated;
  }
  return custom?.prices ?? provider.preset.models[model]?.prices;
}

/**
 * The cost of a request in US dollars; undefined when it is not known. Nothing was spent when no provider was asked, or when it
 * refused; an answer whose tokens nobody counted was not free.
 * @param day of this machine's calendar, by which the prices file goes
 * @param at time of the request in ms since 1970, by which presets go
 */
export function requestCost(record: RequestRecord, config: Sources, day: string, at?: number): number | undefined {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = record;
  if (inputTokens === undefined && outputTokens === undefined) {
    return record.attempts === undefined || record.outcome === 'error' ? 0 : undefined;
  }
  const tokens = {
    input: inputTokens ?? 0,
    output: outputTokens ?? 0,
    cacheRead: cacheReadTokens ?? 0,
    cacheWrite: cacheWriteTokens ?? 0,
  };
  return costOf(tokens, record.routedModel === undefined ? undefined : findPrices(config, record.routedModel, day), at);
}
