import type { JsonObject } from '../core/json.ts';
import { formatFigure } from '../telemetry/metrics.ts';
import { isCostUnknown, type UsageTotals } from '../telemetry/usage/totals.ts';
import type { ProcessFacts } from './health.ts';
import type { Services } from './services.ts';

/** What stands below each model and each day; the input is all of it, from the cache or not. */
function describeTotals(totals: UsageTotals): JsonObject {
  return {
    requests: totals.requests,
    failed_requests: totals.failed,
    input_tokens: wholeInput(totals),
    output_tokens: totals.output,
    cache_read_tokens: totals.cacheRead,
    cache_creation_tokens: totals.cacheWrite,
    reasoning_tokens: totals.reasoning,
    cost_usd: knownCost(totals),
    unpriced_requests: totals.unpriced,
    health_checks: totals.checks,
  };
}

/** The cost as far as it is known; null when nothing of it is, never 0 for that. */
function knownCost(totals: UsageTotals): number | null {
  return isCostUnknown(totals) ? null : Number(totals.cost.toFixed(6));
}

function wholeInput({ input, cacheRead, cacheWrite }: UsageTotals): number {
  return input + cacheRead + cacheWrite;
}

/** The body of `GET /v1/stats`: the fields of an earlier system since the start, and what came after it. */
export function describeStatistics({ usage, clock, config }: Services, facts: ProcessFacts): JsonObject {
  const { total, models, days } = usage.snapshot();
  const { written, dropped } = facts.usageStatus();
  const input = wholeInput(total);
  return {
    instance: config.instance,
    session_start_time: new Date(facts.startedAt).toISOString(),
    session_duration_seconds: Math.round((clock.now() - facts.startedAt) / 1000),
    total_requests: total.requests,
    total_failed_requests: total.failed,
    total_input_tokens: input,
    total_output_tokens: total.output,
    total_tokens: input + total.output,
    total_cache_creation_tokens: total.cacheWrite,
    total_cache_read_tokens: total.cacheRead,
    total_cache_hit_tokens: total.cacheRead,
    total_cache_miss_tokens: total.input + total.cacheWrite,
    total_reasoning_tokens: total.reasoning,
    total_cost_usd: knownCost(total),
    unpriced_requests: total.unpriced,
    health_checks: total.checks,
    model_usage_count: Object.fromEntries([...models].map(([model, { requests }]) => [model, requests])),
    models: Object.fromEntries([...models].map(([model, totals]) => [model, describeTotals(totals)])),
    days: days.map(([day, totals]) => ({ day, ...describeTotals(totals) })),
    rows_written: written,
    rows_dropped: dropped,
  };
}

const BREAKER_STATES = ['closed', 'half-open', 'open'] as const;

/** The body of `GET /metrics`: counters since the start in Prometheus' text form. */
export function formatMetrics({ usage, stats, destinations, config }: Services, facts: ProcessFacts): string {
  const rows = facts.usageStatus();
  const gauge = (name: string, help: string, value: number) =>
    formatFigure('gauge', `claude_code_proxy_${name}`, help, [[{}, value]]);
  const counter = (name: string, help: string, value: number) =>
    formatFigure('counter', `claude_code_proxy_${name}_total`, help, [[{}, value]]);
  return [
    formatFigure('gauge', 'claude_code_proxy_info', 'Who answers here; always 1.', [
      [{ name: config.instance, provider: config.provider.preset.name, version: facts.version }, 1],
    ]),
    usage.metrics.format(),
    gauge('requests_in_flight', 'Requests under way.', stats.inFlight),
    formatFigure(
      'gauge',
      'claude_code_proxy_breaker_state',
      'Per server that can be asked: the state that its circuit breaker is in has 1, the others 0.',
      [...config.providers, ...config.customModels.values()].flatMap(({ name, provider }) =>
        BREAKER_STATES.map((state) => {
          const { breaker } = destinations.of(provider);
          return [{ provider: name, server: provider.baseUrl, state }, state === breaker.state ? 1 : 0] as const;
        }),
      ),
    ),
    formatFigure(
      'gauge',
      'claude_code_proxy_resting_keys',
      'Per provider: how many of its keys are left alone because they were refused or limited.',
      config.providers.map(({ name, provider }) => {
        const resting = destinations
          .of(provider)
          .keys.list()
          .filter(({ rest }) => rest !== undefined);
        return [{ provider: name }, resting.length] as const;
      }),
    ),
    counter('log_lines_dropped', 'Log lines that could not be written.', facts.logStatus().dropped),
    counter('usage_rows_written', 'Rows that were written to the usage file.', rows.written),
    counter('usage_rows_dropped', 'Rows that could not be written to the usage file.', rows.dropped),
    gauge('start_time_seconds', 'When the process started, in seconds since 1970.', facts.startedAt / 1000),
    gauge('memory_bytes', 'Memory of the process that is resident.', facts.memoryBytes()),
  ].join('');
}
