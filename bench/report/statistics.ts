/** The value below which the given share of the values lies (nearest rank); undefined without values. */
export function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** The middle value, or the mean of the two in the middle; undefined without values. */
export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  return upper === undefined || lower === undefined ? undefined : (lower + upper) / 2;
}

export interface Summary {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** What the rounds gave; undefined where none gave a figure. */
export function summarize(values: readonly (number | undefined)[]): Summary | undefined {
  const numbers = values.filter((value) => value !== undefined);
  const middle = median(numbers);
  if (middle === undefined) return undefined;
  return { median: middle, least: Math.min(...numbers), most: Math.max(...numbers) };
}
