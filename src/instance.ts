import { Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Config } from './config/config.ts';
import { modelSettings } from './config/modelSettings.ts';
import type { Clock } from './core/clock.ts';
import { ApiError } from './core/errors.ts';
import { createRedactor } from './core/secret.ts';
import { Destinations } from './gateway/destinations.ts';
import type { ProcessFacts } from './gateway/health.ts';
import { InFlight } from './gateway/inFlight.ts';
import type { Services } from './gateway/services.ts';
import { Targets } from './gateway/targets.ts';
import { findPortHolder } from './host/portHolder.ts';
import { Breaker } from './resilience/breaker.ts';
import { Gate } from './resilience/gate.ts';
import { createApp } from './server/app.ts';
import { boundConsoleFile } from './telemetry/consoleFile.ts';
import { createLogger, type Logger } from './telemetry/logger.ts';
import { openRotatingLog, type RotatingLog } from './telemetry/rotatingLog.ts';
import { openStateFile } from './telemetry/stateFile.ts';
import { RequestStats } from './telemetry/stats.ts';
import { usageFilePath } from './telemetry/usageFile.ts';
import { DAYS_SHOWN, UsageMeter } from './telemetry/usageMeter.ts';
import { UsageStore } from './telemetry/usageStore.ts';
import { createCalibration } from './translate/calibration.ts';
import { createUpstream } from './upstream/createUpstream.ts';
import { VERSION } from './version.ts';

const EXIT_FAILED = 1;
const EXIT_CONFIGURATION = 78;

/** How long open but idle connections may still bring a request after the listener has closed (design section 6). */
const IDLE_GRACE_MS = 1500;
/** How long the last words to clients and the log may take after everything is over. */
const FLUSH_MS = 1000;

const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

function createDestinations(config: Config): Destinations {
  return new Destinations((provider) => ({
    provider,
    upstream: createUpstream(provider, {
      userAgent: `claude-code-proxy/${VERSION}`,
      connectTimeoutMs: modelSettings(provider, config.tiers.big).connectTimeoutMs,
      headersTimeoutMs: config.requestTimeoutMs,
      networkProxy: config.networkProxy,
    }),
    breaker: new Breaker(clock),
    gate: new Gate(config.concurrency.places, config.concurrency.queueLength),
  }));
}

/** Resolves with the first stop signal; a second one makes `onImpatience` run. */
function stopSignal(onImpatience: () => void): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (asked) onImpatience();
        asked = true;
        resolve(signal);
      });
    }
  });
}

/** Faults outside of any request end the process cleanly, and the process manager starts it again (R414). */
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

/** Takes no new connections from here on. http's own close would also cut those on which a request is just arriving (measured: 1,471 failures). */
function closeListener(app: FastifyInstance): void {
  Server.prototype.close.call(app.server);
}

/**
 * Ends what is under way without breaking an answer (R512), after the listener has closed: answers may end within `drainMs`,
 * what is left gets an error event, then the connections close.
 */
async function drain(app: FastifyInstance, services: Services): Promise<void> {
  const { inFlight, config } = services;
  const connections = await new Promise<number>((resolve) => {
    app.server.getConnections((_error, count) => resolve(count ?? 0));
  });
  if (connections > 0) await sleep(Math.min(IDLE_GRACE_MS, config.drainMs));
  const deadline = new AbortController();
  await Promise.race([
    inFlight.whenEmpty(),
    sleep(config.drainMs, undefined, { signal: deadline.signal }).catch(() => {}),
  ]);
  deadline.abort();
  inFlight.cutAll(new ApiError('draining', `[${config.instance}] the instance is stopping`));
  await Promise.race([inFlight.whenEmpty(), sleep(FLUSH_MS)]);
  app.server.closeIdleConnections();
}

async function listen(app: FastifyInstance, config: Config, logger: Logger): Promise<number | undefined> {
  try {
    await app.listen({ host: config.host, port: config.port });
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const address = `${config.host}:${config.port}`;
    if (code === 'EADDRINUSE') {
      const holder = await findPortHolder(config.port);
      const by = holder === undefined ? '' : ` by ${holder.program} (pid ${holder.pid})`;
      logger.error(`port ${config.port} is taken${by}; set another PORT in ${config.file} or stop the other`);
    } else {
      logger.error(`cannot listen on ${address}: ${message}; check HOST and PORT in ${config.file}`);
    }
    return EXIT_CONFIGURATION;
  }
}

/**
 * Runs one instance until it is told to stop; resolves with the exit status.
 * @param consolePath file into which the process manager writes stdout, if it does
 */
export async function runInstance(config: Config, consolePath: string | undefined): Promise<number> {
  const redact = createRedactor(config.secrets);
  const log = openRotatingLog({
    directory: `${config.logs.directory}/${config.instance}`,
    instance: config.instance,
    maxSizeBytes: config.logs.maxSizeBytes,
    retentionMs: config.logs.retentionMs,
    maxTotalBytes: config.logs.maxTotalBytes,
    clock,
    onTrouble: (trouble) => logger.trouble(trouble),
  });
  const logger = createLogger({
    instance: config.instance,
    level: config.logs.level,
    log,
    redact,
    stdout: process.stdout,
    clock,
  });
  logFatalErrors(logger, log);

  const consoleFile = consolePath === undefined ? undefined : boundConsoleFile(consolePath);
  const calibration = createCalibration();
  const calibrationFile = openStateFile(`${config.stateDirectory}/${config.instance}.calibration.json`, calibration);
  const usageStore = new UsageStore({
    path: usageFilePath(config.stateDirectory, config.instance),
    retentionDays: config.usageRetentionDays,
    clock,
    logger,
  });
  const usage = new UsageMeter({ clock, keep: (row) => usageStore.add(row) });
  const services: Services = {
    config,
    clock,
    destinations: createDestinations(config),
    targets: new Targets(config),
    stats: new RequestStats(clock, redact),
    usage,
    calibration,
    inFlight: new InFlight(),
    logger,
    redact,
  };
  let draining = false;
  const facts: ProcessFacts = {
    version: VERSION,
    pid: process.pid,
    startedAt: clock.now(),
    isDraining: () => draining,
    logStatus: () => log.status(),
    usageStatus: () => usageStore.status(),
    memoryBytes: () => process.memoryUsage.rss(),
  };

  const app = createApp(services, facts);
  const failure = await listen(app, config, logger);
  if (failure !== undefined) {
    await log.close();
    return failure;
  }
  logger.lifecycle(`listening on http://${config.host}:${config.port}`, {
    provider: config.provider.preset.name,
    big: config.tiers.big,
    middle: config.tiers.middle,
    small: config.tiers.small,
    version: VERSION,
  });
  process.send?.('ready');
  usageStore.start(DAYS_SHOWN).then((sums) => usage.restoreDays(sums));

  const signal = await stopSignal(() => services.inFlight.cutAll(new ApiError('draining', 'the instance is stopping')));
  draining = true;
  closeListener(app);
  logger.lifecycle(`stopping on ${signal}`, { in_flight: services.inFlight.size });
  await drain(app, services);
  calibrationFile.close();
  usageStore.close();
  consoleFile?.close();
  logger.lifecycle('stopped');
  await Promise.race([Promise.all([log.close(), services.destinations.close()]), sleep(FLUSH_MS)]);
  return 0;
}
