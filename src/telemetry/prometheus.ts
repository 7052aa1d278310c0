/** The text form 0.0.4 of Prometheus, https://prometheus.io/docs/instrumenting/exposition_formats/ */
export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export type Labels = Readonly<Record<string, string | number>>;

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };

function formatLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${String(value).replace(/[\\"\n]/g, (letter) => ESCAPES[letter] ?? letter)}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function formatMetric(name: string, type: string, help: string, lines: readonly string[]): string {
  const escaped = help.replace(/[\\\n]/g, (letter) => ESCAPES[letter] ?? letter);
  return [`# HELP ${name} ${escaped}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n');
}

/** A figure that is looked at when it is asked for: a counter kept elsewhere, or a gauge. */
export function formatFigure(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  samples: readonly (readonly [Labels, number])[],
): string {
  return formatMetric(
    name,
    type,
    help,
    samples.map(([labels, value]) => `${name}${formatLabels(labels)} ${value}`),
  );
}

/** Tells sets of labels of one metric apart, whose names are always the same; their text is made when somebody asks for it. */
function keyOf(labels: Labels): string {
  return Object.values(labels).join('\u0000');
}

/** Counts up, once per set of labels. */
export class Counter {
  readonly #name: string;
  readonly #help: string;
  readonly #samples = new Map<string, { readonly labels: Labels; value: number }>();

  /** @param name ends in `_total` */
  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  add(labels: Labels, value = 1): void {
    const key = keyOf(labels);
    const sample = this.#samples.get(key);
    if (sample === undefined) this.#samples.set(key, { labels, value });
    else sample.value += value;
  }

  format(): string {
    const lines = [...this.#samples.values()].map(
      ({ labels, value }) => `${this.#name}${formatLabels(labels)} ${value}`,
    );
    return formatMetric(this.#name, 'counter', this.#help, lines);
  }
}

interface Series {
  readonly labels: Labels;
  /** How many values were at most as large as each bound, and not as large as the bound before it. */
  readonly counts: number[];
  count: number;
  sum: number;
}

/** Counts values by size, once per set of labels. */
export class Histogram {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  readonly #series = new Map<string, Series>();

  /** @param bounds upper bounds, ascending; values above the last are counted too */
  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name;
    this.#help = help;
    this.#bounds = bounds;
  }

  observe(labels: Labels, value: number): void {
    const key = keyOf(labels);
    const series = this.#series.get(key) ?? { labels, counts: this.#bounds.map(() => 0), count: 0, sum: 0 };
    this.#series.set(key, series);
    const place = this.#bounds.findIndex((bound) => value <= bound);
    if (place >= 0) series.counts[place] = (series.counts[place] ?? 0) + 1;
    series.count += 1;
    series.sum += value;
  }

  format(): string {
    const lines = [...this.#series.values()].flatMap(({ labels, counts, count, sum }) => {
      let below = 0;
      const buckets = this.#bounds.map((bound, index) => {
        below += counts[index] ?? 0;
        return `${this.#name}_bucket${formatLabels({ ...labels, le: bound })} ${below}`;
      });
      const all = formatLabels(labels);
      return [
        ...buckets,
        `${this.#name}_bucket${formatLabels({ ...labels, le: '+Inf' })} ${count}`,
        `${this.#name}_sum${all} ${sum}`,
        `${this.#name}_count${all} ${count}`,
      ];
    });
    return formatMetric(this.#name, 'histogram', this.#help, lines);
  }
}
