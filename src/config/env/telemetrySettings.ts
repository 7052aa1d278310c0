import {
  baseUrl,
  choice,
  describePostgres,
  duration,
  integer,
  logLevel,
  number,
  pairs,
  postgresAddress,
  secretPairs,
  size,
  text,
  yesOrNo,
} from '../parsers.ts';
import { setting } from './setting.ts';

/** The settings of what an instance writes about its work: logs, usage, metrics and traces. A part of the table of all settings. */
export const telemetrySettings = {
  LOG_LEVEL: setting(logLevel, {
    fallback: 'info',
    about: 'How much is logged: debug, info, warn or error. Bodies and keys never are.',
    aliases: ['CLAUDE_PROXY_LOG_LEVEL'],
    field: 'logs.level',
  }),
  LOG_DIR: setting(text, {
    fallback: 'logs',
    about:
      'Folder of the logs, in which each instance has one of its own; relative to the folder in which it is started (under PM2 the project).',
    field: 'logs.directory',
    isFolder: true,
    needsRestart: true,
  }),
  STATE_DIR: setting(text, {
    fallback: 'state',
    about:
      'Folder of what instances have learned, such as token counts per model, and of their usage; relative to the folder in which it is started (under PM2 the project). Losing it loses accuracy and statistics only.',
    field: 'stateDirectory',
    isFolder: true,
    needsRestart: true,
    shown: { line: 'state' },
  }),
  USAGE_RETENTION_DAYS: setting(integer(0, 36_500), {
    fallback: '400',
    about: 'How many days the usage of each request is kept for `./manage usage`; 0 keeps it for ever. Never text.',
    field: 'usageRetentionDays',
    needsRestart: true,
    shown: { line: 'usage', words: (days) => `kept ${days === 0 ? 'for ever' : `${days} days`}` },
  }),
  USAGE_PROJECTS: setting(choice('hash', 'names', 'off'), {
    fallback: 'hash',
    about:
      'How the folder that Claude Code works in is kept for `./manage usage --by project`: as a short hash, by its name, or not at all. A hash hides the name from who reads the file, not from who guesses it.',
    field: 'usageProjects',
    shown: { line: 'projects' },
  }),
  USAGE_POSTGRES_URL: setting(postgresAddress, {
    about:
      'PostgreSQL database that gets a copy of the usage of each request, from all instances that name it (docs/OBSERVABILITY.md), as postgres://USER:PASSWORD@HOST:5432/DATABASE. Beyond this machine by TLS with a certificate that is checked; ?sslmode=require does not check it, ?sslmode=disable goes without.',
    secret: true,
    field: 'usageDatabase',
    needsRestart: true,
    shown: { line: 'usage database', words: describePostgres },
  }),
  LOG_MAX_SIZE: setting(size(4096), {
    fallback: '20M',
    about: 'Size at which a log file is rotated; it is rotated daily in any case.',
    field: 'logs.maxSizeBytes',
    needsRestart: true,
  }),
  LOG_RETENTION_DAYS: setting(duration('days', 0.001, 3650), {
    fallback: '3',
    about: 'Age at which a log file is deleted, in days.',
    field: 'logs.retentionMs',
    needsRestart: true,
  }),
  LOG_MAX_TOTAL: setting(size(4096), {
    fallback: '200M',
    about: 'Most that the logs of an instance may take together; the oldest are deleted first.',
    field: 'logs.maxTotalBytes',
    needsRestart: true,
  }),
  OTEL_EXPORTER_OTLP_ENDPOINT: setting(baseUrl, {
    about:
      'Address of an OpenTelemetry collector that gets traces and metrics by HTTP and JSON (docs/OBSERVABILITY.md), like http://127.0.0.1:4318; `/v1/traces` and `/v1/metrics` are appended. The settings OTEL_* are those of every program with OpenTelemetry.',
    field: 'otlp.endpoint',
    needsRestart: true,
  }),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: setting(baseUrl, {
    about: 'Address for traces alone, in full.',
    field: 'otlp.tracesEndpoint',
    needsRestart: true,
  }),
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: setting(baseUrl, {
    about: 'Address for metrics alone, in full.',
    field: 'otlp.metricsEndpoint',
    needsRestart: true,
  }),
  OTEL_EXPORTER_OTLP_HEADERS: setting(secretPairs, {
    about: 'Headers for the collector, such as its key: `name=value,name=value`, in which a blank is written %20.',
    secret: true,
    field: 'otlp.headers',
    needsRestart: true,
  }),
  OTEL_EXPORTER_OTLP_TIMEOUT: setting(integer(1, 600_000), {
    fallback: '10000',
    about: 'How long the collector may take for an answer, in milliseconds.',
    field: 'otlp.timeoutMs',
    needsRestart: true,
  }),
  OTEL_SERVICE_NAME: setting(text, {
    fallback: 'claude-code-proxy',
    about: 'Name under which traces and metrics stand in the collector; the instance is `service.instance.id`.',
    field: 'otlp.serviceName',
    needsRestart: true,
  }),
  OTEL_RESOURCE_ATTRIBUTES: setting(pairs, {
    otherwise: 'none',
    about: 'Further attributes of the whole process: `name=value,name=value`.',
    field: 'otlp.resourceAttributes',
    needsRestart: true,
  }),
  OTEL_TRACES_SAMPLER: setting(
    choice(
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
      'always_on',
      'always_off',
      'traceidratio',
    ),
    {
      fallback: 'parentbased_always_on',
      about: 'Which traces are kept: `parentbased_…` leaves it to a client that names a trace.',
      field: 'otlp.sampler',
      needsRestart: true,
    },
  ),
  OTEL_TRACES_SAMPLER_ARG: setting(number(0, 1), {
    fallback: '1',
    about: 'Share of the traces that `traceidratio` keeps.',
    field: 'otlp.samplerRatio',
    needsRestart: true,
  }),
  OTEL_SDK_DISABLED: setting(yesOrNo, {
    fallback: 'false',
    about: 'Switches traces and metrics off, whatever else is set.',
    field: 'otlp.disabled',
    needsRestart: true,
  }),
} as const;
