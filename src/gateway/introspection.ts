import { clientEnvironment, forwardsCredentials } from '../config/clientEnvironment.ts';
import type { Config, Problem } from '../config/config.ts';
import type { HealthReport, KeyHealth, ProviderHealth, VisionHealth, WriterHealth } from '../core/healthReport.ts';
import type { JsonObject } from '../core/json.ts';
import type { OtlpStatus } from '../otlp/telemetry.ts';
import type { LogStatus } from '../telemetry/log/rotatingLog.ts';
import { formatFigure } from '../telemetry/metrics.ts';
import type { SinkStatus, UsageStatus } from '../telemetry/usage/store.ts';
import { isCostUnknown, type UsageTotals } from '../telemetry/usage/totals.ts';
import { keyLabel, protocolOfRoute, routeTo } from './route.ts';
import type { Backend, Services } from './services.ts';

function describeKeys({ keys }: Backend): KeyHealth[] {
  const states = keys.list();
  const all = states.map(({ key }) => key);
  return states.map(({ key, cooldown }) => ({
    label: keyLabel(all, key),
    source: key.source,
    state: cooldown === undefined ? 'ready' : 'resting',
    until: isoTimeOrNull(cooldown?.endsAt),
    reason: cooldown?.reason ?? null,
    error_type: cooldown?.errorType ?? null,
  }));
}

/** The providers in the order of their priority. */
function describeProviders(services: Services): ProviderHealth[] {
  const { config, backends, clock } = services;
  const spoken = ([model]: readonly string[]) =>
    model === undefined ? null : protocolOfRoute(routeTo(services, config.modelRefs.of(model)));
  return config.providers.map(({ name, provider, priority, models }) => {
    const backend = backends.of(provider);
    const { answeredAt, state } = backend.breaker;
    return {
      name,
      priority,
      base_url: provider.baseUrl,
      models: { big: [...models.big], middle: [...models.middle], small: [...models.small] },
      protocols: { big: spoken(models.big), middle: spoken(models.middle), small: spoken(models.small) },
      circuit: state,
      keys: describeKeys(backend),
      last_answer_at: isoTimeOrNull(
        answeredAt === undefined ? undefined : clock.now() - (clock.monotonic() - answeredAt),
      ),
    };
  });
}

/** How the configuration that serves stands to the files. */
export interface ConfigurationStatus {
  /** Since when it serves, in milliseconds since 1970. */
  readonly loadedAt: number;
  /** What is wrong with the files as they are now, so that the configuration before them serves. */
  readonly problems: readonly Problem[];
  /** Changed settings that hold only after a restart. */
  readonly restartNeeded: readonly string[];
}

/** What the process knows of itself. */
export interface ProcessFacts {
  readonly version: string;
  readonly pid: number;
  /** Its number among the processes of the same instance, from 1 on. */
  readonly worker: number;
  /** Whether others of them may listen on the same port. */
  readonly sharesPort: boolean;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly isDraining: () => boolean;
  /** Whether the process has given up all rights that it does not need. */
  readonly permissionModel: HealthReport['permission_model'];
  readonly configuration: () => ConfigurationStatus;
  readonly logStatus: () => LogStatus;
  readonly usageStatus: () => UsageStatus;
  /** Undefined where usage goes to no database. */
  readonly sinkStatus: () => SinkStatus | undefined;
  /** Undefined where there is no collector. */
  readonly otlpStatus: () => OtlpStatus | undefined;
  readonly memoryBytes: () => number;
}

function describeConfiguration({ loadedAt, problems, restartNeeded }: ConfigurationStatus) {
  return {
    config_loaded_at: isoTime(loadedAt),
    config_problems: problems.map(({ file, line, key, found, fix }) => ({ file, line: line ?? null, key, found, fix })),
    restart_needed: [...restartNeeded],
  };
}

/** The last moment that a date can name, in milliseconds since 1970; beyond it `toISOString` throws. */
const LAST_TIME = 8.64e15;
const isoTime = (at: number) => new Date(Math.min(at, LAST_TIME)).toISOString();
const isoTimeOrNull = (at: number | undefined) => (at === undefined ? null : isoTime(at));

function describeVision({ config: { vision }, pictures }: Services): VisionHealth | null {
  if (vision === undefined) return null;
  const { described, failed } = pictures?.counts ?? { described: 0, failed: 0 };
  const { label, setting, ref } = vision;
  return { model: label, setting, base_url: ref.provider.baseUrl, described, failed };
}

/** The least that the servers of the three models take. An endpoint with the Messages API is sent what the client sends. */
function mostTools({ config: { tiers, modelRefs }, models }: Services): number | null {
  const limits = [tiers.big, tiers.middle, tiers.small].flatMap((name) => {
    const ref = modelRefs.of(name);
    const { protocol } = ref.provider.preset;
    return protocol === 'anthropic' || protocol === 'demo' ? [] : (models.get(ref).settings.toolsMax ?? []);
  });
  return limits.length === 0 ? null : Math.min(...limits);
}

function describeWriter({ written, dropped, healthy, lastError }: LogStatus | UsageStatus): WriterHealth {
  return { written, dropped, healthy, ...(lastError === undefined ? {} : { last_error: lastError }) };
}

/** The body of `GET /health`: who answers on this port and how it fares; no secrets. */
export function describeHealth(services: Services, facts: ProcessFacts): HealthReport {
  const { config, stats, clock } = services;
  const { provider } = config;
  const { requests, tokens, searches, tools, inFlight, unseenPictures, lastSuccessAt, lastError } = stats.snapshot();
  const backend = services.backends.of(provider);
  const log = facts.logStatus();
  const usage = facts.usageStatus();
  const sink = facts.sinkStatus();
  const otlp = facts.otlpStatus();
  return {
    service: 'claude-code-proxy',
    instance: config.instance,
    pid: facts.pid,
    part: facts.worker,
    shares_port: facts.sharesPort,
    host: config.host,
    port: config.port,
    started_at: isoTime(facts.startedAt),
    uptime_seconds: Math.round((clock.now() - facts.startedAt) / 1000),
    version: facts.version,
    config_hash: config.hash,
    ...describeConfiguration(facts.configuration()),
    state: facts.isDraining() ? 'draining' : 'serving',
    permission_model: facts.permissionModel,
    provider: { name: provider.preset.name, title: provider.preset.title, base_url: provider.baseUrl },
    models: { ...config.tiers },
    key: provider.key.source,
    client_token: config.clientToken !== undefined,
    circuit: backend.breaker.state,
    strategy: config.strategy,
    providers: describeProviders(services),
    queue: { running: backend.limiter.active, waiting: backend.limiter.waiting },
    in_flight: inFlight,
    requests: {
      total: requests.total,
      ok: requests.ok,
      rejected: requests.rejected,
      failed: requests.failed,
      client_closed: requests.clientClosed,
    },
    tokens: {
      input: tokens.input,
      cache_read: tokens.cacheRead,
      cache_creation: tokens.cacheWrite,
      output: tokens.output,
    },
    web_search: {
      back_end: config.webSearch?.api.name ?? null,
      searches: searches.done,
      failed: searches.failed,
      refused: searches.refused,
      last_failure:
        searches.lastFailure === undefined
          ? null
          : { at: isoTime(searches.lastFailure.at), reason: searches.lastFailure.reason },
    },
    tools: {
      most: mostTools(services),
      limited_sessions: tools.limitedSessions,
      left_out: tools.leftOut,
      search_lost_sessions: tools.searchLostSessions,
      search_lost_reason: tools.searchLostReason ?? null,
    },
    last_success_at: isoTimeOrNull(lastSuccessAt),
    last_error: lastError === undefined ? null : { ...lastError, at: isoTime(lastError.at) },
    vision: describeVision(services),
    unseen_pictures: unseenPictures,
    log: { path: log.path, ...describeWriter(log) },
    usage: describeWriter(usage),
    usage_database: sink === undefined ? null : { server: sink.server, waiting: sink.waiting, ...describeWriter(sink) },
    otlp:
      otlp === undefined
        ? null
        : { traces: otlp.traces ?? null, metrics: otlp.metrics ?? null, ...describeWriter(otlp) },
    memory_bytes: facts.memoryBytes(),
  };
}

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
    side_calls: totals.sideCalls,
    web_searches: totals.searches,
    search_cost_usd: Number(totals.searchCost.toFixed(6)),
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
    session_start_time: isoTime(facts.startedAt),
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
    side_calls: total.sideCalls,
    web_searches: total.searches,
    search_cost_usd: Number(total.searchCost.toFixed(6)),
    model_usage_count: Object.fromEntries([...models].map(([model, { requests }]) => [model, requests])),
    models: Object.fromEntries([...models].map(([model, totals]) => [model, describeTotals(totals)])),
    days: days.map(([day, totals]) => ({ day, ...describeTotals(totals) })),
    rows_written: written,
    rows_dropped: dropped,
  };
}

const BREAKER_STATES = ['closed', 'half-open', 'open'] as const;

/** The body of `GET /metrics`: counters since the start in Prometheus' text form. */
export function formatMetrics({ usage, stats, backends, config }: Services, facts: ProcessFacts): string {
  const rows = facts.usageStatus();
  const sink = facts.sinkStatus();
  const otlp = facts.otlpStatus();
  const { tools } = stats.snapshot();
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
          const { breaker } = backends.of(provider);
          return [{ provider: name, server: provider.baseUrl, state }, state === breaker.state ? 1 : 0] as const;
        }),
      ),
    ),
    formatFigure(
      'gauge',
      'claude_code_proxy_resting_keys',
      'Per provider: how many of its keys are left alone because they were refused or limited.',
      config.providers.map(({ name, provider }) => {
        const resting = backends
          .of(provider)
          .keys.list()
          .filter(({ cooldown }) => cooldown !== undefined);
        return [{ provider: name }, resting.length] as const;
      }),
    ),
    counter(
      'limited_sessions',
      'Sessions in which the model was not offered all tools of the client, as its server takes no more.',
      tools.limitedSessions,
    ),
    counter(
      'lost_tool_searches',
      'Sessions in which Claude Code has given up its search for tools after a refusal.',
      tools.searchLostSessions,
    ),
    counter('log_lines_dropped', 'Log lines that could not be written.', facts.logStatus().dropped),
    counter('usage_rows_written', 'Rows that were written to the usage file.', rows.written),
    counter('usage_rows_dropped', 'Rows that could not be written to the usage file.', rows.dropped),
    ...(sink === undefined
      ? []
      : [
          counter('usage_database_rows_written', 'Rows that were copied to the usage database.', sink.written),
          counter('usage_database_rows_dropped', 'Rows that could not be copied to the usage database.', sink.dropped),
          gauge(
            'usage_database_rows_waiting',
            'Rows of the usage file that the database does not have yet.',
            sink.waiting,
          ),
        ]),
    ...(otlp === undefined
      ? []
      : [
          counter('otlp_spans_sent', 'Spans that the OpenTelemetry collector has taken.', otlp.written),
          counter('otlp_spans_dropped', 'Spans that the OpenTelemetry collector did not take.', otlp.dropped),
        ]),
    gauge('start_time_seconds', 'When the process started, in seconds since 1970.', facts.startedAt / 1000),
    gauge('memory_bytes', 'Memory of the process that is resident.', facts.memoryBytes()),
  ].join('');
}

/** The client's variables as lines for a POSIX shell, for `eval "$(curl -s http://127.0.0.1:8081/env)"`. */
export function shellExports(config: Config): string {
  const quote = (value: string) => `'${value.replaceAll("'", `'\\''`)}'`;
  const lines = Object.entries(clientEnvironment(config)).map(([name, value]) => `export ${name}=${quote(value)}`);
  // A token is never served; the caller's own stays, and where none is needed any word will do.
  if (!forwardsCredentials(config)) lines.push('export ANTHROPIC_AUTH_TOKEN="$' + '{ANTHROPIC_AUTH_TOKEN:-unused}"');
  return `${lines.join('\n')}\n`;
}
