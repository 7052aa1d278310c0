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

/**
 * How a figure follows from a size, from the first to the last: 0 is flat, 1 grows as the size does, 2 with its square. A part
 * that is the same for every size makes it less. Undefined where one of them is missing or not above 0.
 */
export function slopeOf(sizes: readonly number[], figures: readonly (number | undefined)[]): number | undefined {
  const [from = 0, to = 0, least = 0, most = 0] = [figures[0], figures.at(-1), sizes[0], sizes.at(-1)];
  if (Math.min(from, to, least, most) <= 0) return undefined;
  return Math.log(to / from) / Math.log(most / least);
}
