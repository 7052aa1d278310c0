import { type Clock, firstOfDays, localDay } from '../../core/clock.ts';
import { BoundedNames, RequestMetrics } from '../metrics.ts';
import type { RequestRecord } from '../requestRecord.ts';
import {
  addTotals,
  createUsageRow,
  NO_USAGE,
  totalsOf,
  type UsageRow,
  type UsageSum,
  type UsageTotals,
} from './totals.ts';

export interface UsageAggregatorOptions {
  readonly clock: Clock;
  /** Takes each row to be kept; must not throw. */
  readonly keep: (row: UsageRow) => void;
  /** Masks credentials. */
  readonly redact: (text: string) => string;
}

export interface UsageSnapshot {
  /** Since the start. */
  readonly total: UsageTotals;
  readonly models: ReadonlyMap<string, UsageTotals>;
  /** The last days on which there was something, the latest first; those before the start too. */
  readonly days: readonly (readonly [day: string, totals: UsageTotals])[];
}

/** How many days `snapshot` covers. */
export const DAYS_SHOWN = 7;
const MOST_MODELS = 50;

function add(sums: Map<string, UsageTotals>, key: string, totals: UsageTotals): void {
  sums.set(key, addTotals(sums.get(key) ?? NO_USAGE, totals));
}

/** Sums up what ended requests have used, in memory, and hands each on as a row to be kept. */
export class UsageAggregator {
  readonly metrics = new RequestMetrics();
  readonly #options: UsageAggregatorOptions;
  readonly #names = new BoundedNames(MOST_MODELS);
  readonly #models = new Map<string, UsageTotals>();
  readonly #days = new Map<string, UsageTotals>();
  #total = NO_USAGE;

  constructor(options: UsageAggregatorOptions) {
    this.#options = options;
  }

  finish(record: RequestRecord): void {
    const { clock, redact } = this.#options;
    const time = clock.now();
    const row = createUsageRow(record, { time, day: localDay(time) }, redact);
    const model = this.#names.of(row.used_model ?? 'none');
    const totals = totalsOf(row);
    this.#total = addTotals(this.#total, totals);
    add(this.#models, model, totals);
    add(this.#days, row.day, totals);
    this.metrics.observe(row, model);
    this.#options.keep(row);
  }

  /** Adds what earlier processes of this instance have used on some days. */
  restoreDays(sums: readonly UsageSum[]): void {
    for (const { group, ...totals } of sums) if (group !== null) add(this.#days, group, totals);
  }

  snapshot(): UsageSnapshot {
    const first = firstOfDays(DAYS_SHOWN, this.#options.clock.now());
    for (const day of this.#days.keys()) if (day < first) this.#days.delete(day);
    return {
      total: this.#total,
      models: new Map(this.#models),
      days: [...this.#days].sort(([a], [b]) => (a < b ? 1 : -1)),
    };
  }
}
