import type { Problem } from '../config/config.ts';
import type { JsonObject } from '../core/json.ts';
import type { LogStatus } from '../telemetry/log/rotatingLog.ts';
import type { UsageStatus } from '../telemetry/usage/store.ts';
import { describeProviders } from './providerHealth.ts';
import type { Services } from './services.ts';

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
  readonly part: number;
  /** Whether others of them may listen on the same port. */
  readonly sharesPort: boolean;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly isDraining: () => boolean;
  readonly configuration: () => ConfigurationStatus;
  readonly logStatus: () => LogStatus;
  readonly usageStatus: () => UsageStatus;
  readonly memoryBytes: () => number;
}

function describeConfiguration({ loadedAt, problems, restartNeeded }: ConfigurationStatus): JsonObject {
  return {
    config_loaded_at: isoTime(loadedAt),
    config_problems: problems.map(({ file, line, key, found, fix }) => ({ file, line: line ?? null, key, found, fix })),
    restart_needed: [...restartNeeded],
  };
}

const isoTime = (at: number | undefined) => (at === undefined ? null : new Date(at).toISOString());

/** The body of `GET /health` (R504): who answers on this port and how it fares; no secrets. */
export function describeHealth(services: Services, facts: ProcessFacts): JsonObject {
  const { config, stats, clock } = services;
  const { provider } = config;
  const { requests, tokens, inFlight, lastSuccessAt, lastError } = stats.snapshot();
  const destination = services.destinations.of(provider);
  const log = facts.logStatus();
  const usage = facts.usageStatus();
  return {
    service: 'claude-code-proxy',
    instance: config.instance,
    pid: facts.pid,
    part: facts.part,
    shares_port: facts.sharesPort,
    host: config.host,
    port: config.port,
    started_at: isoTime(facts.startedAt),
    uptime_seconds: Math.round((clock.now() - facts.startedAt) / 1000),
    version: facts.version,
    config_hash: config.hash,
    ...describeConfiguration(facts.configuration()),
    state: facts.isDraining() ? 'draining' : 'serving',
    provider: { name: provider.preset.name, title: provider.preset.title, base_url: provider.baseUrl },
    models: { ...config.tiers },
    key: provider.key.source,
    client_token: config.clientToken !== undefined,
    circuit: destination.breaker.state,
    strategy: config.strategy,
    providers: describeProviders(services),
    queue: { running: destination.gate.inside, waiting: destination.gate.waiting },
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
      cache_creation: tokens.cacheCreation,
      output: tokens.output,
    },
    last_success_at: isoTime(lastSuccessAt),
    last_error: lastError === undefined ? null : { ...lastError, at: isoTime(lastError.at) },
    log: {
      path: log.path,
      written: log.written,
      dropped: log.dropped,
      healthy: log.healthy,
      ...(log.lastError === undefined ? {} : { last_error: log.lastError }),
    },
    usage: {
      written: usage.written,
      dropped: usage.dropped,
      healthy: usage.healthy,
      ...(usage.lastError === undefined ? {} : { last_error: usage.lastError }),
    },
    memory_bytes: facts.memoryBytes(),
  };
}
