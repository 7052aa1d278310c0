import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { ClientAccounts } from '../../src/clients/clientAccounts.ts';
import type { Config } from '../../src/config/config.ts';
import { otlpTargets } from '../../src/config/exporters.ts';
import { configFromText } from '../../src/config/load.ts';
import { createRedactor } from '../../src/core/secret.ts';
import { ActiveServices, createServices } from '../../src/gateway/configSwap.ts';
import { JsonBodyCodec } from '../../src/gateway/requestBody.ts';
import { InFlight, type Services } from '../../src/gateway/services.ts';
import { OtlpTelemetry } from '../../src/otlp/telemetry.ts';
import type { CircuitBreakerOptions } from '../../src/resilience/circuitBreaker.ts';
import { LoadBalancer } from '../../src/routing/loadBalancer.ts';
import { createApp } from '../../src/server/app.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { RequestCounters } from '../../src/telemetry/requestCounters.ts';
import { UsageAggregator } from '../../src/telemetry/usage/aggregator.ts';
import type { UsageRow } from '../../src/telemetry/usage/totals.ts';
import { createTokenCalibration } from '../../src/translate/tokenCalibration.ts';
import { DescriptionCache, descriptionsPath } from '../../src/vision/descriptionCache.ts';
import { SideModelDescriber } from '../../src/vision/pictureDescriber.ts';
import { expectNoSecret } from './secretForms.ts';
import { temporaryFolder } from './temporaryFolder.ts';

/** Settings of a test instance, as lines of its env file. */
export type Settings = Record<string, string>;

export interface TestApp {
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  /** Those of the configuration with which it was started. */
  readonly services: Services;
  readonly live: ActiveServices;
  /** The lines of the request log, parsed. */
  readonly log: Record<string, unknown>[];
  /** The rows for the usage file. */
  readonly usageRows: UsageRow[];
  /** Resolves when the next request has ended and its line is written. */
  nextRecord(): Promise<Record<string, unknown>>;
  setDraining(): void;
  close(): Promise<void>;
}

export function testConfig(settings: Settings, environment: Settings = {}): Config {
  const text = Object.entries({ PORT: '8080', OPENAI_API_KEY: 'key-of-the-provider', ...settings })
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');
  const { config, problems } = configFromText('/envs/test.env', text, environment, tmpdir());
  if (config === undefined) throw new Error(`bad test settings: ${JSON.stringify(problems)}`);
  return config;
}

/** Faults are what most tests are about: one must not hide the next. */
const NEVER_OPEN: CircuitBreakerOptions = { failures: Number.POSITIVE_INFINITY, windowMs: 30_000, openMs: 10_000 };

/** An instance inside the test process, on a free port, with the log kept in memory. */
export async function startApp(
  settings: Settings,
  breaker: CircuitBreakerOptions = NEVER_OPEN,
  environment: Settings = {},
): Promise<TestApp> {
  const config = { ...testConfig(settings, environment), breaker };
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const redact = createRedactor(config.secrets);
  const log: Record<string, unknown>[] = [];
  const waiting: ((record: Record<string, unknown>) => void)[] = [];
  const write = (line: string) => {
    const record = JSON.parse(line) as Record<string, unknown>;
    log.push(record);
    if (record['event'] === 'request') waiting.shift()?.(record);
  };
  const quiet = { write: () => true, on: () => {} } as unknown as NodeJS.WritableStream;
  const usageRows: UsageRow[] = [];
  const logger = createLogger({
    instance: config.instance,
    level: 'debug',
    log: { write },
    redact,
    stdout: quiet,
    clock,
  });
  const state = settings['STATE_DIR'] === undefined ? temporaryFolder() : undefined;
  const stateDirectory = state?.path ?? config.stateDirectory;
  const descriptions = new DescriptionCache({ path: descriptionsPath(stateDirectory, config.instance), clock, logger });
  const targets = otlpTargets(config);
  const tracer = targets && new OtlpTelemetry({ config, targets, trust: undefined, version: 'test', clock, redact });
  const clients = new ClientAccounts(clock);
  const lasting = {
    clock,
    tracer,
    stats: new RequestCounters(clock, redact),
    usage: new UsageAggregator({
      clock,
      keep: (row) => {
        clients.count(row);
        usageRows.push(row);
      },
      redact,
    }),
    clients,
    calibration: createTokenCalibration(),
    bodies: new JsonBodyCodec(),
    order: new LoadBalancer(clock),
    inFlight: new InFlight(),
    pictures: new SideModelDescriber(descriptions),
    logger,
    redact,
  };
  const services = createServices(lasting, config, 'test');
  const live = new ActiveServices(services);
  let draining = false;
  const app = createApp(live, {
    version: 'test',
    pid: process.pid,
    worker: 1,
    sharesPort: false,
    startedAt: clock.now(),
    isDraining: () => draining,
    permissionModel: 'off',
    configuration: () => ({ loadedAt: clock.now(), problems: [], restartNeeded: [] }),
    logStatus: () => ({ path: 'memory', written: log.length, dropped: 0, healthy: true }),
    sinkStatus: () => undefined,
    otlpStatus: () => tracer?.status(),
    usageStatus: () => ({ written: usageRows.length, dropped: 0, healthy: true, lastError: undefined }),
    memoryBytes: () => process.memoryUsage.rss(),
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    server: app.server,
    services,
    live,
    log,
    usageRows,
    nextRecord: () => new Promise((resolve) => waiting.push(resolve)),
    setDraining: () => {
      draining = true;
    },
    close: async () => {
      app.server.closeAllConnections();
      await app.close();
      await live.close();
      await tracer?.close();
      descriptions.close();
      state?.remove();
      // Each test of an instance is a test of this, too (S1).
      const secrets = config.secrets.map((secret) => secret.reveal());
      expectNoSecret(JSON.stringify(log) + JSON.stringify(usageRows), secrets);
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

export interface CallOptions {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer | undefined;
}

/** One HTTP request with full control over its headers, read to the end. */
export async function call(url: string, options: CallOptions = {}): Promise<Answer> {
  const response = await open(url, options);
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  return { status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(parts).toString('utf8') };
}

/** One HTTP request; resolves with the answer's head. */
export async function open(url: string, options: CallOptions = {}): Promise<IncomingMessage> {
  const request = httpRequest(url, { method: options.method ?? 'GET', headers: options.headers ?? {}, agent: false });
  request.end(options.body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

/** `POST /v1/messages` of a short conversation for the given model. */
export function message(model: string, fields: Record<string, unknown> = {}): CallOptions {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, max_tokens: 100, messages: [{ role: 'user', content: 'hello' }], ...fields }),
  };
}

/** The events of an event stream as `[type, data]`. */
export function readEvents(text: string): [string, Record<string, unknown>][] {
  return text
    .split('\n\n')
    .filter((frame) => frame !== '')
    .map((frame) => {
      const [type, data] = frame.split('\n');
      return [type?.replace('event: ', '') ?? '', JSON.parse(data?.replace('data: ', '') ?? 'null')];
    });
}
