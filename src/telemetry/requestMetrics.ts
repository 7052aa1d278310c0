import { Counter, Histogram } from './prometheus.ts';
import { HEALTH_CHECK, type UsageRow } from './usageRow.ts';

/** In seconds: from an error at once to a model that thinks for minutes. */
const FIRST_EVENT_BOUNDS = [0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 13, 21, 34, 60, 120, 300];
const DURATION_BOUNDS = [0.1, 0.5, 1, 2, 5, 10, 20, 40, 60, 120, 300, 600, 1800];

/** What is counted of requests since the start, for Prometheus. */
export class RequestMetrics {
  readonly #requests = new Counter(
    'claude_code_proxy_requests_total',
    'Requests that have ended, by outcome, status, model and tier.',
  );
  readonly #checks = new Counter(
    'claude_code_proxy_health_checks_total',
    'Health checks that were answered with tokens; of these only tokens and cost are in the other counters.',
  );
  readonly #tokens = new Counter(
    'claude_code_proxy_tokens_total',
    'Tokens by kind; input is what neither came from the cache nor went into it, reasoning is a part of the output.',
  );
  readonly #cost = new Counter('claude_code_proxy_cost_dollars_total', 'Cost in US dollars, as far as it is known.');
  readonly #unpriced = new Counter(
    'claude_code_proxy_unpriced_requests_total',
    'Requests and health checks whose cost is unknown, because a price is.',
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

  /** @param model name that stands for the row's model, out of a bounded number */
  observe(row: UsageRow, model: string): void {
    this.#observeUsage(row, model);
    if (row.endpoint === HEALTH_CHECK) this.#checks.add({ model });
    else this.#observeRequest(row, model);
  }

  #observeRequest(row: UsageRow, model: string): void {
    const tier = row.tier ?? 'none';
    this.#requests.add({ outcome: row.outcome, status: row.status, model, tier });
    if (row.first_event_ms !== null) this.#firstEvent.observe({ tier }, row.first_event_ms / 1000);
    this.#duration.observe({ tier }, row.duration_ms / 1000);
  }

  #observeUsage(row: UsageRow, model: string): void {
    for (const kind of ['input', 'output', 'cache_read', 'cache_write', 'reasoning'] as const) {
      const tokens = row[`${kind}_tokens`];
      if (tokens !== null) this.#tokens.add({ kind, model }, tokens);
    }
    if (row.cost === null) this.#unpriced.add({ model });
    else this.#cost.add({ model }, row.cost);
  }

  format(): string {
    return [this.#requests, this.#checks, this.#tokens, this.#cost, this.#unpriced, this.#firstEvent, this.#duration]
      .map((metric) => metric.format())
      .join('');
  }
}
