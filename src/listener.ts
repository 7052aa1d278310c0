import { once } from 'node:events';
import { BoundSocket, createServer, isIPv4, type ListenOptions, Server } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyListenOptions } from 'fastify';
import type { Config } from './config/config.ts';
import { ApiError } from './core/errors.ts';
import { asNumber, parseObject } from './core/json.ts';
import type { Services } from './gateway/services.ts';
import { findPortHolder } from './host/ports.ts';
import { LockTimeoutError, listWorkerNumbers, queryWorker, type WorkerClaim, withPortLock } from './host/workers.ts';

export interface OpenPortOptions {
  readonly config: Config;
  readonly worker: WorkerClaim;
  /** Whether other processes with the same env file may listen there, too. */
  readonly isShared: boolean;
  /** Called as soon as connections come in; no other worker looks at the port before. */
  readonly onListening: () => void;
}

/** Why a port cannot be opened. */
export interface ListenFailure {
  /** What is wrong, and how to repair it. */
  readonly reason: string;
  /** Whether another start may succeed without anybody having changed the configuration. */
  readonly mayPass: boolean;
}

/** Opens the port; undefined when it is open. */
export async function listen(app: FastifyInstance, options: OpenPortOptions): Promise<ListenFailure | undefined> {
  const { config, isShared, onListening } = options;
  try {
    if (isShared) {
      await listenWithOthers(app, options);
    } else {
      await app.listen(addressFor(config, false));
      onListening();
    }
    return undefined;
  } catch (error) {
    const mayPass = error instanceof LockTimeoutError;
    return { reason: await describeFailure(error as NodeJS.ErrnoException, config, mayPass), mayPass };
  }
}

/**
 * Where to listen, for Fastify. An address of IPv4 is bound here: on its way to it Node's own `listen` asks whether it is one of IPv6,
 * and to compile the regular expression for that takes 5 ms of each start.
 * @throws the system's error when the address cannot be bound
 */
function addressFor(
  { host, port }: Pick<Config, 'host' | 'port'>,
  reusePort: boolean,
): FastifyListenOptions & ListenOptions {
  const address = { host, port, reusePort };
  return isIPv4(host) ? { ...address, handle: new BoundSocket(address) } : address;
}

async function describeFailure(
  { code, message }: NodeJS.ErrnoException,
  { host, port, file }: Config,
  mayPass: boolean,
): Promise<string> {
  if (mayPass) return `cannot listen on ${host}:${port} now: ${message}`;
  if (code !== 'EADDRINUSE') return `cannot listen on ${host}:${port}: ${message}; check HOST and PORT in ${file}`;
  const holder = await findPortHolder(port);
  const by = holder === undefined ? '' : ` by ${holder.program} (pid ${holder.pid})`;
  return `port ${port} is taken${by}; set another PORT in ${file} or stop the other`;
}

/**
 * With a shared port the kernel no longer refuses strangers, as long as they share it, too. So one looks first, and only one at a
 * time: whoever listens there already must be a worker of the same instance.
 */
async function listenWithOthers(app: FastifyInstance, { config, worker, onListening }: OpenPortOptions): Promise<void> {
  const { port, file } = config;
  await withPortLock(port, async () => {
    const refusal = await tryAlone(config);
    if (refusal !== undefined && !(await isOurs(file, worker.number, port))) throw refusal;
    await app.listen(addressFor(config, true));
    onListening();
  });
}

/** Whether the kernel lets somebody listen there who does not share; its refusal if not. */
async function tryAlone(config: Config): Promise<Error | undefined> {
  try {
    const server = createServer().listen(addressFor(config, false));
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** Whether another worker of the instance reports that it listens on the port and shares it. */
async function isOurs(file: string, own: number, port: number): Promise<boolean> {
  const numbers = (await listWorkerNumbers())(file).filter((number) => number !== own);
  const answers = await Promise.all(numbers.map((number) => queryWorker(file, number)));
  return answers.some((answer) => {
    const health = answer === undefined ? undefined : parseObject(answer);
    return health?.['shares_port'] === true && health['state'] === 'serving' && asNumber(health['port']) === port;
  });
}

/** How long open but idle connections may still bring a request after the listener has closed (decision 0019). */
const IDLE_GRACE_MS = 1500;
/** How long the last words to clients may take after everything is over. */
const FLUSH_MS = 1000;

/** A turn of the event loop shorter than this leaves hardly time for a connection to come in behind its look at the queue. */
const SHORT_TURN_MS = 0.05;
/** For how long a busy instance looks for such a turn. */
const CALM_TIMEOUT_MS = 500;

/**
 * Takes no new connections from here on. http's own close would also cut those on which a request is just arriving (measured: 1,471
 * failures). The kernel resets what still waits in the queue of a listener that closes, even when others share its port. Each turn of
 * the event loop takes one connection out of the queue, so that the end of a short turn without any is the moment to close.
 */
export async function closeListener({ server }: FastifyInstance): Promise<void> {
  let accepted = 0;
  server.on('connection', () => {
    accepted += 1;
  });
  const deadline = performance.now() + CALM_TIMEOUT_MS;
  for (;;) {
    const before = accepted;
    const startedAt = performance.now();
    await nextTurn();
    const now = performance.now();
    if ((accepted === before && now - startedAt < SHORT_TURN_MS) || now > deadline) break;
  }
  Server.prototype.close.call(server);
}

/**
 * Ends what is under way without breaking an answer, after the listener has closed: answers may end within `drainMs`,
 * what is left gets an error event, then the connections close.
 */
export async function drain(app: FastifyInstance, services: Services): Promise<void> {
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
  inFlight.abortAll(new ApiError('draining', `[${config.instance}] the instance is stopping`));
  await Promise.race([inFlight.whenEmpty(), sleep(FLUSH_MS)]);
  app.server.closeIdleConnections();
}
