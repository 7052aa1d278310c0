import type { Prices } from '../../providers/preset.ts';
import type { Report } from '../report.ts';
import type { ModelEntry } from './readEntries.ts';

const MILLION = 1_000_000;
const PRICE_FIELDS = [
  'input_cost_per_token',
  'input_cost_per_million_tokens',
  'output_cost_per_token',
  'output_cost_per_million_tokens',
] as const;

function price({ values, place }: ModelEntry, side: 'input' | 'output', report: Report): number | undefined {
  const perMillion = values[`${side}_cost_per_million_tokens`];
  const perToken = values[`${side}_cost_per_token`];
  // 0.00000055 times a million is not quite 0.55.
  const computed = perToken === undefined ? undefined : Number((perToken * MILLION).toPrecision(12));
  if (perMillion !== undefined && computed !== undefined && perMillion !== computed)
    report.warning(
      place(`${side}_cost_per_token`),
      'another price than that for a million tokens',
      `${side}_cost_per_million_tokens is used; remove one of them.`,
    );
  return perMillion ?? computed;
}

/** The prices of an entry in US dollars per million tokens; undefined when one of the two is missing, as half a cost is a wrong one. */
export function entryPrices(entry: ModelEntry, report: Report): Prices | undefined {
  const input = price(entry, 'input', report);
  const output = price(entry, 'output', report);
  if (input !== undefined && output !== undefined) return { input, output };
  const alone = PRICE_FIELDS.find((field) => entry.values[field] !== undefined);
  if (alone !== undefined)
    report.warning(
      entry.place(alone),
      'one price of two',
      'Set the prices of input and of output; until then costs are unknown.',
    );
  return undefined;
}
