import { setTimeout as sleep } from 'node:timers/promises';
import { ClientAccounts } from './clients/clientAccounts.ts';
import type { ConfigResult } from './config/buildConfig.ts';
import type { Config } from './config/config.ts';
import { describeConfig } from './config/describe.ts';
import { otlpTargets } from './config/exporters.ts';
import { createTrust } from './config/load.ts';
import { describePostgres } from './config/parsers.ts';
import type { Clock } from './core/clock.ts';
import { ApiError } from './core/errors.ts';
import { ReloadableRedactor } from './core/secret.ts';
import { ActiveServices, createServices, type LastingServices, renewServices } from './gateway/configSwap.ts';
import { startHealthChecks } from './gateway/healthChecks.ts';
import { describeHealth, type ProcessFacts } from './gateway/introspection.ts';
import { JsonBodyCodec } from './gateway/requestBody.ts';
import { InFlight } from './gateway/services.ts';
import { tuneHeapGrowth } from './host/heap.ts';
import { claimWorkerNumber } from './host/workers.ts';
import { closeListener, drain, listen } from './listener.ts';
import type { OtlpTelemetry } from './otlp/telemetry.ts';
import { describePermissionModel, dropPortInspection } from './permissions/sandbox.ts';
import { protocolOf } from './providers/preset.ts';
import { Reloader, watchFiles } from './reload/configReloader.ts';
import { LoadBalancer } from './routing/loadBalancer.ts';
import { createApp } from './server/app.ts';
import { collectWhenIdle } from './server/memoryGuard.ts';
import type { ClientUsageReader, UsageSink } from './sink/usageSink.ts';
import { createTerminalView } from './telemetry/console/view.ts';
import { openRotatingLog, type RotatingLog } from './telemetry/log/rotatingLog.ts';
import { createLogger, type Logger } from './telemetry/logger.ts';
import { RequestCounters } from './telemetry/requestCounters.ts';
import { boundConsoleFile, openStateFile } from './telemetry/stateFiles.ts';
import { DAYS_SHOWN, UsageAggregator } from './telemetry/usage/aggregator.ts';
import { usageFilePath } from './telemetry/usage/file.ts';
import { UsageStore } from './telemetry/usage/store.ts';
import type { UsageRow } from './telemetry/usage/totals.ts';
import { createTokenCalibration } from './translate/tokenCalibration.ts';
import { VERSION } from './version.ts';
import { DescriptionCache, descriptionsPath } from './vision/descriptionCache.ts';
import { SideModelDescriber } from './vision/pictureDescriber.ts';

const EXIT_FAILED = 1;
const EXIT_CONFIGURATION = 78;

/** How long the last words to the log may take after everything is over. */
const FLUSH_MS = 1000;

/** How long the last rows of usage may take to the database, which gets them after the next start otherwise. */
const LAST_ROWS_MS = 2000;

/** How long after it listens an instance opens its file of usage: the first request shall not wait for that. Rows are kept until then. */
const HISTORY_DELAY_MS = 100;

const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

const USER_AGENT = `claude-code-proxy/${VERSION}`;

/** Resolves with the first stop signal; a second one makes `onSecondSignal` run. */
function stopSignal(onSecondSignal: () => void): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (asked) onSecondSignal();
        asked = true;
        resolve(signal);
      });
    }
  });
}

/** Faults outside of any request end the process cleanly, and the process manager starts it again. */
function logFatalErrors(logger: Logger, log: RotatingLog): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (reason: unknown) => {
      logger.fatal('the process ends after a fault of its own', {
        event,
        reason: reason instanceof Error ? (reason.stack ?? reason.message) : String(reason),
      });
      log.flushSync();
      process.exit(EXIT_FAILED);
    });
  }
}

/** By what the models of the tiers are asked: one word, or one for each where they differ. */
function spokenProtocols({ tiers, modelRefs }: Config): string {
  const spoken = [tiers.big, tiers.middle, tiers.small].map((name) => {
    const { provider, model } = modelRefs.of(name);
    return protocolOf(provider, model);
  });
  return new Set(spoken).size === 1 ? String(spoken[0]) : spoken.join(', ');
}

/** Whether what clients may do depends on what they have used. */
function limitsOf({ clients: tokens }: Config): ReturnType<ClientUsageReader['limits']> {
  const clients = tokens?.clients ?? [];
  return {
    tokens: clients.some(({ tokensPerDay }) => tokensPerDay !== undefined),
    cost: clients.some(({ costPerMonth }) => costPerMonth !== undefined),
  };
}

/** What copies usage into the database; nothing of it is loaded where there is none. */
async function createSink(config: Config, logger: Logger, clients: ClientUsageReader): Promise<UsageSink | undefined> {
  const { usageDatabase: address, instance, stateDirectory, usageRetentionDays: retentionDays } = config;
  if (address === undefined) return undefined;
  const { UsageSink } = await import('./sink/usageSink.ts');
  const path = usageFilePath(stateDirectory, instance);
  return new UsageSink({
    address,
    server: describePostgres(address),
    trust: createTrust(config.authorities),
    path,
    instance,
    retentionDays,
    clock,
    logger,
    clients,
  });
}

/** What sends traces and metrics; nothing of it is loaded where there is no collector. */
async function createTelemetry(config: Config, redact: (text: string) => string): Promise<OtlpTelemetry | undefined> {
  const targets = otlpTargets(config);
  if (targets === undefined) return undefined;
  const { OtlpTelemetry } = await import('./otlp/telemetry.ts');
  return new OtlpTelemetry({
    config,
    targets,
    trust: createTrust(config.authorities),
    version: VERSION,
    clock,
    redact,
  });
}

/** What an instance runs with. */
export interface InstanceOptions {
  /** The configuration that was read at the start. */
  readonly started: ConfigResult & { readonly config: Config };
  /** Reads it anew. */
  readonly load: () => ConfigResult;
  /** File into which the process manager writes stdout, if it does. */
  readonly consolePath: string | undefined;
  /** Whether other processes with the same env file may serve the same port, where the system can do that. */
  readonly sharesPort: boolean;
}

/** Runs one instance until it is asked to stop; resolves with the exit status. */
export async function runInstance({ started, load, consolePath, sharesPort }: InstanceOptions): Promise<number> {
  const { config } = started;
  const redactor = new ReloadableRedactor(config.secrets);
  const { redact } = redactor;
  const worker = await claimWorkerNumber(config.file);
  const isShared = sharesPort && worker.isHeld;
  const log = openRotatingLog({
    directory: `${config.logs.directory}/${config.instance}`,
    instance: config.instance,
    worker: worker.number,
    maxSizeBytes: config.logs.maxSizeBytes,
    retentionMs: config.logs.retentionMs,
    maxTotalBytes: config.logs.maxTotalBytes,
    clock,
    onProblem: (problem) => logger.logProblem(problem),
  });
  const view = createTerminalView(process.stdout, process.env, {
    instance: config.instance,
    providers: config.providers.map(({ name }) => name),
    redact,
  });
  const logger = createLogger({
    instance: config.instance,
    level: config.logs.level,
    log,
    redact,
    stdout: process.stdout,
    view,
    clock,
  });
  logFatalErrors(logger, log);
  const summary = view?.summary(`claude-code-proxy ${VERSION}`, describeConfig(config)) ?? [];
  for (const line of summary) process.stdout.write(`${line}\n`);

  const consoleFile = consolePath === undefined ? undefined : boundConsoleFile(consolePath);
  const calibration = createTokenCalibration();
  const calibrationFile = openStateFile(`${config.stateDirectory}/${config.instance}.calibration.json`, calibration);
  const clients = new ClientAccounts(clock);
  const sink = await createSink(config, logger, {
    limits: () => limitsOf(active.current.config),
    flush: () => usageStore.flush(),
    take: (day, sums) => clients.share(day, sums),
  });
  const telemetry = await createTelemetry(config, redact);
  const usageStore = new UsageStore({
    path: usageFilePath(config.stateDirectory, config.instance),
    retentionDays: config.usageRetentionDays,
    clock,
    logger,
    onWritten: sink && (() => sink.notify()),
  });
  const keep = (row: UsageRow) => {
    clients.count(row);
    usageStore.add(row);
  };
  const usage = new UsageAggregator({ clock, keep, redact });
  const descriptions = new DescriptionCache({
    path: descriptionsPath(config.stateDirectory, config.instance),
    clock,
    logger,
  });
  const lasting: LastingServices = {
    clock,
    stats: new RequestCounters(clock, redact),
    usage,
    calibration,
    bodies: new JsonBodyCodec(),
    order: new LoadBalancer(clock),
    clients,
    inFlight: new InFlight(),
    pictures: new SideModelDescriber(descriptions),
    tracer: telemetry,
    logger,
    redact,
  };
  const active = new ActiveServices(createServices(lasting, config, USER_AGENT));
  const reloader = new Reloader({
    started,
    load,
    apply: (next) => {
      redactor.addSecrets(next.secrets);
      logger.setLevel(next.logs.level);
      active.replace(renewServices(active.current, next, USER_AGENT));
    },
    logger,
    clock,
  });
  const permissionModel = describePermissionModel(config);
  if (permissionModel === 'unavailable')
    logger.warn('this system cannot restrict the process by the permission model; it has all rights of its user');
  let draining = false;
  const facts: ProcessFacts = {
    version: VERSION,
    pid: process.pid,
    worker: worker.number,
    sharesPort: isShared,
    startedAt: clock.now(),
    isDraining: () => draining,
    permissionModel,
    configuration: () => reloader.status,
    logStatus: () => log.status(),
    usageStatus: () => usageStore.status(),
    sinkStatus: () => sink?.status(),
    otlpStatus: () => telemetry?.status(),
    memoryBytes: () => process.memoryUsage.rss(),
  };

  const startUsage = async () => {
    const stored = await usageStore.start(DAYS_SHOWN);
    usage.restoreDays(stored.days);
    clients.restore(stored.clients);
    void sink?.start();
  };
  // Where clients have limits nobody is served before it is known what was used of them.
  if (config.clients !== undefined) await startUsage();
  const app = createApp(active, facts);
  const onListening = () => worker.answerWith(() => describeHealth(active.current, facts));
  const failure = await listen(app, { config, worker, isShared, onListening });
  if (failure !== undefined) {
    logger.error(failure.reason);
    await log.close();
    return failure.mayPass ? EXIT_FAILED : EXIT_CONFIGURATION;
  }
  dropPortInspection();
  tuneHeapGrowth(() => lasting.inFlight.size);
  collectWhenIdle(() => active.requests);
  logger.lifecycle(`listening on http://${config.host}:${config.port}`, {
    provider: config.provider.preset.name,
    protocol: spokenProtocols(config),
    big: config.tiers.big,
    middle: config.tiers.middle,
    small: config.tiers.small,
    version: VERSION,
  });
  const stopHealthChecks = startHealthChecks(active, Math.random);
  const watch = watchFiles(() => reloader.files, reloader.check);
  const hasHistory = config.clients === undefined ? sleep(HISTORY_DELAY_MS).then(startUsage) : undefined;

  const signal = await stopSignal(() =>
    lasting.inFlight.abortAll(new ApiError('draining', 'the instance is stopping')),
  );
  draining = true;
  watch.close();
  stopHealthChecks();
  await closeListener(app);
  logger.lifecycle(`stopping on ${signal}`, { in_flight: lasting.inFlight.size });
  await drain(app, active.current);
  calibrationFile.close();
  await hasHistory;
  usageStore.close();
  const sent = Promise.all([sink?.close(), telemetry?.close()]);
  descriptions.close();
  consoleFile?.close();
  logger.lifecycle('stopped');
  await Promise.race([sent, sleep(LAST_ROWS_MS)]);
  await Promise.race([Promise.all([log.close(), active.close()]), sleep(FLUSH_MS)]);
  return 0;
}
