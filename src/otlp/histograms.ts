import { type Attributes, encodeAttributes, encodeTime } from './encoding.ts';

/** Sums since the start of the process, not since the last time they were sent. */
const CUMULATIVE = 2;
/** Further sets of attributes are counted as one, by the name that OpenTelemetry has for them. */
const MOST_SETS = 1000;
const OVERFLOW: Attributes = { 'otel.metric.overflow': true };

interface Series {
  readonly attributes: Attributes;
  readonly counts: number[];
  count: number;
  sum: number;
}

/** A histogram that is sent to a collector. */
export class OtlpHistogram {
  readonly #name: string;
  readonly #unit: string;
  readonly #description: string;
  readonly #bounds: readonly number[];
  readonly #series = new Map<string, Series>();

  /** @param bounds upper bounds, ascending, each included */
  constructor(name: string, unit: string, description: string, bounds: readonly number[]) {
    this.#name = name;
    this.#unit = unit;
    this.#description = description;
    this.#bounds = bounds;
  }

  observe(attributes: Attributes, value: number): void {
    const series = this.#find(attributes);
    const place = this.#bounds.findIndex((bound) => value <= bound);
    const bucket = place < 0 ? this.#bounds.length : place;
    series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
    series.count += 1;
    series.sum += value;
  }

  /** As the protocol has it; undefined as long as there is nothing. */
  encode(startedAt: number, now: number): object | undefined {
    if (this.#series.size === 0) return undefined;
    const dataPoints = [...this.#series.values()].map(({ attributes, counts, count, sum }) => ({
      attributes: encodeAttributes(attributes),
      startTimeUnixNano: encodeTime(startedAt),
      timeUnixNano: encodeTime(now),
      count: String(count),
      sum,
      bucketCounts: counts.map(String),
      explicitBounds: this.#bounds,
    }));
    const histogram = { aggregationTemporality: CUMULATIVE, dataPoints };
    return { name: this.#name, unit: this.#unit, description: this.#description, histogram };
  }

  #find(attributes: Attributes): Series {
    const key = JSON.stringify(attributes);
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const isFull = this.#series.size >= MOST_SETS && attributes !== OVERFLOW;
    if (isFull) return this.#find(OVERFLOW);
    const series = { attributes, counts: Array.from({ length: this.#bounds.length + 1 }, () => 0), count: 0, sum: 0 };
    this.#series.set(key, series);
    return series;
  }
}
