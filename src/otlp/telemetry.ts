import type { SecureContext } from 'node:tls';
import type { Config } from '../config/config.ts';
import type { OtlpTargets } from '../config/exporters.ts';
import type { Clock } from '../core/clock.ts';
import type { RequestRecord } from '../telemetry/requestRecord.ts';
import type { UsageStatus } from '../telemetry/usage/store.ts';
import { type Attributes, encodeAttributes, encodeMetrics, encodeSpans, encodeTime, type Origin } from './encoding.ts';
import { Collector } from './exporter.ts';
import { OtlpHistogram } from './histograms.ts';
import { SpanQueue } from './spanQueue.ts';
import {
  formatTraceParent,
  newSpanId,
  newTraceId,
  parseTraceParent,
  type Sampler,
  shouldSample,
} from './traceContext.ts';
import type { AttemptOutcome, AttemptTrace, RequestTrace, TracedAttempt, TraceHeaders, Tracer } from './tracer.ts';

/** How the sending of traces and metrics fares; what is written and dropped are spans. */
export interface OtlpStatus extends UsageStatus {
  /** Addresses of the collector; undefined where it does not get them. */
  readonly traces: string | undefined;
  readonly metrics: string | undefined;
}

/** What an instance sends by OpenTelemetry's protocol, and where. */
export interface OtlpOptions {
  readonly config: Pick<Config, 'instance' | 'networkProxy' | 'otlp'>;
  readonly targets: OtlpTargets;
  readonly trust: SecureContext | undefined;
  readonly version: string;
  readonly clock: Clock;
  /** Masks credentials. */
  readonly redact: (text: string) => string;
}

const KIND_SERVER = 2;
const KIND_CLIENT = 3;
const STATUS_ERROR = 2;
/** What every request here is, by the GenAI conventions. */
const OPERATION = 'chat';
const METRICS_MS = 60_000;
const LONGEST_NAME = 200;

// The bounds that the conventions name.
const TOKEN_BOUNDS = Array.from({ length: 14 }, (_, power) => 4 ** power);
const DURATION_BOUNDS = Array.from({ length: 14 }, (_, power) => 2 ** power / 100);

/**
 * Sends spans and metrics to an OpenTelemetry collector, by the GenAI semantic conventions
 * (https://opentelemetry.io/docs/specs/semconv/gen-ai/, read on 2026-11-30; their status is development). A span per request, below that of
 * the client if it names one, and a span below it for each attempt at a provider. Nothing of what is said in a request is in them.
 */
export class OtlpTelemetry implements Tracer {
  readonly #options: OtlpOptions;
  readonly #origin: Origin;
  readonly #sampler: Sampler;
  readonly #collectors: Collector[] = [];
  readonly #spans: SpanQueue | undefined;
  readonly #metrics: Collector | undefined;
  readonly #startedAt: number;
  readonly #tokens = new OtlpHistogram(
    'gen_ai.client.token.usage',
    '{token}',
    'Number of input and output tokens used.',
    TOKEN_BOUNDS,
  );
  readonly #duration = new OtlpHistogram(
    'gen_ai.client.operation.duration',
    's',
    'GenAI operation duration.',
    DURATION_BOUNDS,
  );
  #timer: NodeJS.Timeout | undefined;
  #metricsError: string | undefined;
  #isMetricsHealthy = true;

  constructor(options: OtlpOptions) {
    const { config, targets, version, clock } = options;
    const { serviceName, resourceAttributes, sampler, samplerRatio } = config.otlp;
    this.#options = options;
    const resource = { 'service.version': version, ...resourceAttributes, 'service.instance.id': config.instance };
    this.#origin = { version, resource: { 'service.name': serviceName, ...resource } };
    this.#sampler = { followsParent: sampler.startsWith('parentbased'), ratio: ratioOf(sampler, samplerRatio) };
    this.#startedAt = clock.now();
    const { traces, metrics } = targets;
    if (traces !== undefined) {
      this.#spans = new SpanQueue(this.#connect(traces), (spans) => encodeSpans(this.#origin, spans), clock);
    }
    if (metrics !== undefined) {
      this.#metrics = this.#connect(metrics);
      this.#timer = setInterval(() => this.#sendMetrics(), METRICS_MS).unref();
    }
  }

  begin({ traceparent, tracestate }: TraceHeaders): RequestTrace {
    const { clock } = this.#options;
    const spans = this.#spans;
    const parent = parseTraceParent(traceparent);
    const traceId = parent?.traceId ?? newTraceId();
    const isSampled = spans !== undefined && shouldSample(this.#sampler, traceId, parent);
    const state = parent === undefined || tracestate === undefined ? {} : { tracestate };
    const spanId = newSpanId();
    const startedAt = clock.now();
    const started = clock.monotonic();
    const endOf = () => startedAt + (clock.monotonic() - started);
    let last: TracedAttempt | undefined;
    const add = (span: Omit<SpanParts, 'traceId'>) => {
      if (isSampled) spans.add(toSpan({ ...span, traceId }));
    };
    return {
      beginAttempt: (attempt): AttemptTrace => {
        last = attempt;
        const id = newSpanId();
        const begunAt = endOf();
        const headers = { traceparent: formatTraceParent({ traceId, spanId: id, isSampled }), ...state };
        return {
          // Without traces nobody would see the spans that the provider's own hang below.
          headers: spans === undefined ? {} : headers,
          end: (outcome) => {
            const attributes = attemptAttributes(attempt, outcome);
            const name = `${OPERATION} ${attempt.model}`;
            const { isOk } = outcome;
            add({
              spanId: id,
              parent: spanId,
              name,
              kind: KIND_CLIENT,
              startedAt: begunAt,
              endedAt: endOf(),
              isOk,
              attributes,
            });
          },
        };
      },
      end: (record) => {
        const attributes = this.#requestAttributes(record, last);
        const name = `${OPERATION} ${String(attributes['gen_ai.request.model'] ?? '')}`.trim();
        const times = { startedAt, endedAt: endOf() };
        const isOk = attributes['error.type'] === undefined;
        add({ spanId, parent: parent?.spanId, name, kind: KIND_SERVER, ...times, isOk, attributes });
        if (this.#metrics !== undefined) this.#observe(record, attributes);
      },
    };
  }

  status(): OtlpStatus {
    const { targets } = this.#options;
    const spans = this.#spans?.status();
    return {
      ...targets,
      written: spans?.sent ?? 0,
      dropped: spans?.dropped ?? 0,
      healthy: this.#isMetricsHealthy && spans?.healthy !== false,
      lastError: spans?.lastError ?? this.#metricsError,
    };
  }

  /** Sends what waits, once. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([this.#spans?.close(), this.#sendMetrics()]);
    for (const collector of this.#collectors) collector.close();
  }

  #connect(url: string): Collector {
    const { config, trust, version } = this.#options;
    const headers = Object.fromEntries(
      Object.entries(config.otlp.headers ?? {}).map(([name, value]) => [name, value.reveal()]),
    );
    const { networkProxy, otlp } = config;
    const collector = new Collector({
      url,
      headers,
      timeoutMs: otlp.timeoutMs,
      trust,
      networkProxy,
      userAgent: `claude-code-proxy/${version}`,
    });
    this.#collectors.push(collector);
    return collector;
  }

  #requestAttributes(record: RequestRecord, last: TracedAttempt | undefined): Attributes {
    const { redact } = this.#options;
    const { inputTokens, cacheReadTokens, cacheWriteTokens } = record;
    const safe = (name: string | undefined) => name && redact(name.slice(0, LONGEST_NAME));
    const isFailed = record.outcome !== 'ok' && record.outcome !== 'client_closed';
    return {
      'gen_ai.operation.name': OPERATION,
      'gen_ai.provider.name': last?.provider ?? record.provider,
      'gen_ai.request.model': safe(record.model),
      'gen_ai.response.model': record.attempts === undefined ? undefined : safe(record.upstreamModel),
      'gen_ai.conversation.id': record.session,
      // By the conventions the input is all of it, from a cache or not.
      'gen_ai.usage.input_tokens':
        inputTokens === undefined ? undefined : inputTokens + (cacheReadTokens ?? 0) + (cacheWriteTokens ?? 0),
      'gen_ai.usage.cache_read.input_tokens': cacheReadTokens,
      'gen_ai.usage.cache_creation.input_tokens': cacheWriteTokens,
      'gen_ai.usage.output_tokens': record.outputTokens,
      'gen_ai.response.finish_reasons':
        record.stopReason === undefined ? undefined : [record.stopReason.slice(0, LONGEST_NAME)],
      'error.type': isFailed ? (record.errorType ?? String(record.status)) : undefined,
      'http.route': record.endpoint,
      'http.response.status_code': record.status,
      'claude_code_proxy.request.id': record.id,
      'claude_code_proxy.outcome': record.outcome,
      'claude_code_proxy.tier': record.tier,
      'claude_code_proxy.intent': record.intent,
      'claude_code_proxy.key': record.key,
      'claude_code_proxy.attempts': record.attempts,
      'claude_code_proxy.cost_usd': record.cost,
      'claude_code_proxy.first_event_ms': record.firstEventMs,
    };
  }

  #observe(record: RequestRecord, all: Attributes): void {
    const attributes: Attributes = {
      'gen_ai.operation.name': OPERATION,
      'gen_ai.provider.name': all['gen_ai.provider.name'],
      'gen_ai.request.model': all['gen_ai.request.model'],
      'gen_ai.response.model': all['gen_ai.response.model'],
    };
    this.#duration.observe({ ...attributes, 'error.type': all['error.type'] }, record.durationMs / 1000);
    for (const type of ['input', 'output'] as const) {
      const tokens = all[`gen_ai.usage.${type}_tokens`];
      if (typeof tokens === 'number') this.#tokens.observe({ ...attributes, 'gen_ai.token.type': type }, tokens);
    }
  }

  /** Figures are sums since the start, so that what could not be sent is in the next ones. */
  async #sendMetrics(): Promise<void> {
    if (this.#metrics === undefined) return;
    const now = this.#options.clock.now();
    const metrics = [this.#tokens, this.#duration].flatMap((one) => one.encode(this.#startedAt, now) ?? []);
    if (metrics.length === 0) return;
    const result = await this.#metrics.send(encodeMetrics(this.#origin, metrics));
    this.#isMetricsHealthy = result.kind === 'sent';
    if (result.kind !== 'sent') this.#metricsError = result.reason;
  }
}

function ratioOf(sampler: Config['otlp']['sampler'], ratio: number): number {
  if (sampler.endsWith('ratio')) return ratio;
  return sampler.endsWith('on') ? 1 : 0;
}

interface SpanParts {
  readonly traceId: string;
  readonly spanId: string;
  readonly parent: string | undefined;
  readonly name: string;
  readonly kind: number;
  /** In ms since 1970. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly isOk: boolean;
  readonly attributes: Attributes;
}

function toSpan({ traceId, spanId, parent, name, kind, startedAt, endedAt, isOk, attributes }: SpanParts): object {
  return {
    traceId,
    spanId,
    ...(parent === undefined ? {} : { parentSpanId: parent }),
    name,
    kind,
    startTimeUnixNano: encodeTime(startedAt),
    endTimeUnixNano: encodeTime(endedAt),
    attributes: encodeAttributes(attributes),
    status: isOk ? {} : { code: STATUS_ERROR },
  };
}

function attemptAttributes({ provider, model, baseUrl }: TracedAttempt, { errorType }: AttemptOutcome): Attributes {
  const url = URL.parse(baseUrl);
  const port = url === null ? undefined : Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  return {
    'gen_ai.operation.name': OPERATION,
    'gen_ai.provider.name': provider,
    'gen_ai.request.model': model,
    'server.address': url?.hostname,
    'server.port': port,
    'error.type': errorType,
  };
}
