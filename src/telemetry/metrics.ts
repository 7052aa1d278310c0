import { terminalSafe } from '../core/text.ts';
import { HEALTH_CHECK, SIDE, spentOn, tokensOf, type UsageRow } from './usage/totals.ts';

/** The text form 0.0.4 of Prometheus, https://prometheus.io/docs/instrumenting/exposition_formats/ */
export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export type Labels = Readonly<Record<string, string | number>>;

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };

/** The format knows three escapes; other control characters are shown as by `terminalSafe`, so that a terminal can show the page. */
function escapeLabel(value: string): string {
  return value.replace(
    /[\\"\p{Cc}\p{Bidi_Control}]/gu,
    (letter) => ESCAPES[letter] ?? terminalSafe(letter).replace('\\', '\\\\'),
  );
}

function formatLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(String(value))}"`);
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

/** Distinguishes sets of labels of one metric, whose names are always the same; their text is made when somebody asks for it. */
function keyOf(labels: Labels): string {
  let key = '';
  // Each request has a dozen of them: a list of the values to join takes half as long again.
  for (const name in labels) key += `${labels[name]}\u0000`;
  return key;
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

/** In seconds: from an error at once to a model that thinks for minutes. */
const FIRST_EVENT_BOUNDS = [0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 13, 21, 34, 60, 120, 300];
const DURATION_BOUNDS = [0.1, 0.5, 1, 2, 5, 10, 20, 40, 60, 120, 300, 600, 1800];

/** A providers file may name many; of keys only their names or places are known here, never the keys. */
const MOST_PROVIDERS = 50;
const MOST_KEYS = 100;

/** What is counted of requests since the start, for Prometheus. */
export class RequestMetrics {
  readonly #requests = new Counter(
    'claude_code_proxy_requests_total',
    'Requests that have ended, by outcome, status, model, tier, provider and key.',
  );
  readonly #checks = new Counter(
    'claude_code_proxy_health_checks_total',
    'Health checks that were answered with tokens; of these only tokens and cost are in the other counters.',
  );
  readonly #sideCalls = new Counter(
    'claude_code_proxy_side_calls_total',
    'Questions to side models, such as for the description of a picture; of these only tokens and cost are in the other counters.',
  );
  readonly #tokens = new Counter(
    'claude_code_proxy_tokens_total',
    'Tokens by kind; input is what neither came from the cache nor went into it, reasoning is a part of the output.',
  );
  readonly #cost = new Counter('claude_code_proxy_cost_dollars_total', 'Cost in US dollars, as far as it is known.');
  readonly #unpriced = new Counter(
    'claude_code_proxy_unpriced_requests_total',
    'Requests, health checks and side calls whose cost is unknown, because a price is.',
  );
  readonly #ofClients = new Counter(
    'claude_code_proxy_client_requests_total',
    'Requests of clients with tokens of their own, by the name of the client and outcome.',
  );
  readonly #tokensOfClients = new Counter(
    'claude_code_proxy_client_tokens_total',
    'Tokens of such clients, input and output together.',
  );
  readonly #costOfClients = new Counter(
    'claude_code_proxy_client_cost_dollars_total',
    'Cost of such clients in US dollars, as far as it is known.',
  );
  readonly #firstEvent = new Histogram(
    'claude_code_proxy_first_event_seconds',
    'Time from a request’s arrival to the first event for the client.',
    FIRST_EVENT_BOUNDS,
  );
  readonly #duration = new Histogram(
    'claude_code_proxy_request_duration_seconds',
    'Time from a request’s arrival to its end.',
    DURATION_BOUNDS,
  );

  readonly #providers = new BoundedNames(MOST_PROVIDERS);
  readonly #keys = new BoundedNames(MOST_KEYS);

  /** @param model name that stands for the row's model, out of a bounded number */
  observe(row: UsageRow, model: string): void {
    const provider = this.#providers.of(row.provider);
    const key = this.#keys.of(row.key ?? 'none');
    for (const kind of ['input', 'output', 'cache_read', 'cache_write', 'reasoning'] as const) {
      const tokens = row[`${kind}_tokens`];
      if (tokens !== null) this.#tokens.add({ kind, model, provider, key }, tokens);
    }
    if (row.cost === null) this.#unpriced.add({ model, provider });
    else this.#cost.add({ model, provider, key }, row.cost);
    if (row.client !== null) this.#observeClient(row, row.client);
    if (row.endpoint === HEALTH_CHECK) {
      this.#checks.add({ model, provider });
      return;
    }
    if (row.endpoint.startsWith(SIDE)) {
      this.#sideCalls.add({ side: row.endpoint.slice(SIDE.length), outcome: row.outcome, model, provider });
      return;
    }
    const tier = row.tier ?? 'none';
    this.#requests.add({ outcome: row.outcome, status: row.status, model, tier, provider, key });
    if (row.first_event_ms !== null) this.#firstEvent.observe({ tier, provider }, row.first_event_ms / 1000);
    this.#duration.observe({ tier, provider }, row.duration_ms / 1000);
  }

  /** Their number is that of the names in the configuration, so that it needs no bound here. */
  #observeClient(row: UsageRow, client: string): void {
    this.#tokensOfClients.add({ client }, tokensOf(row));
    this.#costOfClients.add({ client }, spentOn(row));
    if (!row.endpoint.startsWith(SIDE)) this.#ofClients.add({ client, outcome: row.outcome });
  }

  format(): string {
    const counted = [this.#requests, this.#checks, this.#sideCalls, this.#tokens, this.#cost, this.#unpriced];
    counted.push(this.#ofClients, this.#tokensOfClients, this.#costOfClients);
    return [...counted, this.#firstEvent, this.#duration].map((metric) => metric.format()).join('');
  }
}

const LONGEST_NAME = 200;

/** Names that come from clients and become labels or keys: they are cut, and after the first so many all further ones are `other`. */
export class BoundedNames {
  readonly #limit: number;
  readonly #known = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  of(text: string): string {
    const name = text.slice(0, LONGEST_NAME);
    if (this.#known.has(name)) return name;
    if (this.#known.size >= this.#limit) return 'other';
    this.#known.add(name);
    return name;
  }
}
