import type { Machines, Period, UsageBy, UsageFigures, UsageSeries } from '../cli/ui/records.ts';
import { LAYER_COLOURS, type Layer } from './plot.tsx';
import type { Choices } from './viewAddress.ts';

/** What of the usage is shown as bars: its name, and how it is read from a group of the series. */
export const measures = {
  cost: 'Cost',
  input: 'Tokens in',
  output: 'Tokens out',
  requests: 'Requests',
  cache: 'From the cache',
} as const;
export type Measure = keyof typeof measures;

type Group = UsageSeries['groups'][number];

/** As the bars name what has no name. */
export function groupName({ group, name }: { readonly group: string | null; readonly name: string | null }): string {
  if (group === null) return 'all others';
  return group === '-' ? 'none' : (name ?? group);
}

function readMeasure(group: Group, measure: Exclude<Measure, 'cache'>): readonly number[] {
  if (measure === 'cost') return group.cost_usd;
  if (measure === 'requests') return group.requests;
  return measure === 'input' ? group.input_tokens : group.output_tokens;
}

/**
 * The layers of the bars: a group each, and all beyond the colours together. The share that came from the cache is no sum of those of
 * the groups, so it is one layer for all.
 */
export function layersOf({ periods, groups }: UsageSeries, measure: Measure): Layer[] {
  if (measure === 'cache') {
    const sum = (read: (group: Group) => readonly number[], index: number) =>
      groups.reduce((total, group) => total + (read(group)[index] ?? 0), 0);
    const values = periods.map((_, index) => {
      const input = sum((group) => group.input_tokens, index);
      return input === 0 ? 0 : sum((group) => group.cache_read_tokens, index) / input;
    });
    return [{ name: 'all', values }];
  }
  const layers = groups.map((group) => ({ name: groupName(group), values: readMeasure(group, measure) }));
  if (layers.length <= LAYER_COLOURS) return layers;
  const others = layers.slice(LAYER_COLOURS - 1);
  const values = periods.map((_, index) => others.reduce((total, layer) => total + (layer.values[index] ?? 0), 0));
  return [...layers.slice(0, LAYER_COLOURS - 1), { name: groupName({ group: null, name: null }), values }];
}

/** The share of the input that came from the cache; null without input. */
export function cacheShare({ input_tokens: input, cache_read_tokens: read }: UsageFigures): number | null {
  return input === 0 ? null : read / input;
}

/** Ranges by their names in the page's address, in days; the last one ends today. */
export const ranges = { '7': '7 days', '30': '30 days', '90': '90 days', '365': '12 months' } as const;
export type RangeName = keyof typeof ranges;

const DAY_MS = 86_400_000;

/** The first of so many days that end with the day of `now`, in the reader's zone. */
export function firstDay(days: number, now: number): string {
  const noon = new Date(now);
  noon.setHours(12, 0, 0, 0); // a day around a clock change has 23 or 25 hours
  const first = new Date(noon.getTime() - (days - 1) * DAY_MS);
  return new Date(first.getTime() - first.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}

/** Bars of a width that can be read: a range of months is not shown by the day unless the reader asks for it. */
export function periodFor(days: number): Period {
  if (days <= 45) return 'day';
  return days <= 200 ? 'week' : 'month';
}

export const groupings = {
  model: 'Model',
  instance: 'Instance',
  provider: 'Provider',
  project: 'Project folder',
  session: 'Session',
  intent: 'Intent',
  client: 'Client',
  side: 'Who asked',
} as const satisfies Partial<Record<UsageBy, string>>;
export const machines = { this: 'this one', all: 'all' } as const satisfies Record<Machines, string>;
export const periods = { day: 'Day', week: 'Week', month: 'Month' } as const satisfies Record<Period, string>;

function pick<Value extends string>(
  options: Readonly<Record<Value, string>>,
  word: string | undefined,
  other: Value,
): Value {
  return word !== undefined && Object.hasOwn(options, word) ? (word as Value) : other;
}

/** What the choices of the address mean. */
export function readChoices(
  { range, from, to, by, period, measure, instance = '', compare, machines: of }: Choices,
  now: number,
) {
  const days = pick<RangeName>(ranges, range, '30');
  const isOwn = from !== undefined && to !== undefined && from <= to;
  const length = isOwn ? (Date.parse(to) - Date.parse(from)) / 86_400_000 + 1 : Number(days);
  return {
    range: days,
    isOwn,
    from: isOwn ? from : firstDay(Number(days), now),
    to: isOwn ? to : firstDay(1, now),
    by: pick<keyof typeof groupings>(groupings, by, 'model'),
    period: pick<Period>(periods, period, periodFor(length)),
    measure: pick<Measure>(measures, measure, 'cost'),
    instance,
    machines: pick<Machines>(machines, of, 'this'),
    compares: compare !== '0',
  };
}
