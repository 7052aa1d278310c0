import type { Config } from './config.ts';
import type { SourceLocation } from './diagnostics.ts';
import type { SettingName, SettingValues } from './env/settings.ts';
import type { Choices } from './env/variables.ts';
import type { PostgresAddress } from './parsers.ts';
import type { FoundSecret } from './secrets.ts';

/** The addresses of an OpenTelemetry collector, in full. */
export interface OtlpTargets {
  readonly traces: string | undefined;
  readonly metrics: string | undefined;
}

/** Where traces and metrics go; undefined where neither is wanted. */
export function otlpTargets({ otlp }: Pick<Config, 'otlp'>): OtlpTargets | undefined {
  const { endpoint, tracesEndpoint, metricsEndpoint, disabled } = otlp;
  const below = (path: string) => endpoint && `${endpoint}${path}`;
  const targets = { traces: tracesEndpoint ?? below('/v1/traces'), metrics: metricsEndpoint ?? below('/v1/metrics') };
  return disabled || (targets.traces === undefined && targets.metrics === undefined) ? undefined : targets;
}

/** The same for people, with the names of the headers; undefined where nothing is sent. */
export function describeOtlp(config: Pick<Config, 'otlp'>): string | undefined {
  const targets = otlpTargets(config);
  if (targets === undefined) return undefined;
  const { headers = {}, timeoutMs, serviceName, resourceAttributes = {}, sampler, samplerRatio } = config.otlp;
  const ratio = sampler.endsWith('ratio') ? ` ${samplerRatio}` : '';
  return [
    ...(targets.traces === undefined ? [] : [`traces to ${targets.traces} (${sampler}${ratio})`]),
    ...(targets.metrics === undefined ? [] : [`metrics to ${targets.metrics}`]),
    `as ${serviceName}`,
    ...Object.entries(resourceAttributes).map(([name, value]) => `${name}=${value}`),
    ...Object.keys(headers).map((name) => `header ${name}`),
    `within ${timeoutMs / 1000} s`,
  ].join(', ');
}

/** A server that telemetry goes to, for the rules that hold for every address. */
export interface TelemetryServer {
  readonly provider: { readonly baseUrl: string };
  readonly location: SourceLocation;
}

/** The database as a web address, without user and password: the rules for addresses are for such ones. */
function webAddress({ host, port }: PostgresAddress): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

const COLLECTORS = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
] as const satisfies readonly SettingName[];

/** The servers that usage, traces and metrics are sent to. */
export function telemetryServers(
  values: SettingValues,
  choices: Choices,
  secrets: Partial<Record<SettingName, FoundSecret | undefined>>,
): readonly TelemetryServer[] {
  const database = values.USAGE_POSTGRES_URL;
  const location = secrets.USAGE_POSTGRES_URL?.variable ?? { name: 'USAGE_POSTGRES_URL' };
  return [
    ...(database === undefined ? [] : [{ provider: { baseUrl: webAddress(database) }, location }]),
    ...COLLECTORS.flatMap((name) => {
      const address = values[name];
      return address === undefined ? [] : [{ provider: { baseUrl: address }, location: choices.get(name) ?? { name } }];
    }),
  ];
}
