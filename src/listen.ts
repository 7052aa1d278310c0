import { once } from 'node:events';
import { createServer } from 'node:net';
import type { FastifyInstance, FastifyListenOptions } from 'fastify';
import type { Config } from './config/config.ts';
import { asNumber, parseObject } from './core/json.ts';
import { findPortHolder } from './host/ports.ts';
import { askPart, type Part, partNumbers, withPortLock } from './host/workers.ts';

export interface OpenPortOptions {
  readonly config: Config;
  readonly part: Part;
  /** Whether other processes with the same env file may listen there, too. */
  readonly isShared: boolean;
  /** Called as soon as connections come in; no other part looks at the port before. */
  readonly onListening: () => void;
}

/** Opens the port. Gives what is wrong and how to repair it when that cannot be; undefined when it is open. */
export async function listen(app: FastifyInstance, options: OpenPortOptions): Promise<string | undefined> {
  const { config, isShared, onListening } = options;
  try {
    if (isShared) {
      await listenWithOthers(app, options);
    } else {
      await app.listen({ host: config.host, port: config.port });
      onListening();
    }
    return undefined;
  } catch (error) {
    return describeFailure(error as NodeJS.ErrnoException, config);
  }
}

async function describeFailure({ code, message }: NodeJS.ErrnoException, config: Config): Promise<string> {
  const { host, port, file } = config;
  if (code !== 'EADDRINUSE') return `cannot listen on ${host}:${port}: ${message}; check HOST and PORT in ${file}`;
  const holder = await findPortHolder(port);
  const by = holder === undefined ? '' : ` by ${holder.program} (pid ${holder.pid})`;
  return `port ${port} is taken${by}; set another PORT in ${file} or stop the other`;
}

/**
 * With a shared port the kernel no longer refuses strangers, as long as they share it, too. So one looks first, and only one at a
 * time: whoever listens there already must be a part of the same instance (P10).
 */
async function listenWithOthers(app: FastifyInstance, { config, part, onListening }: OpenPortOptions): Promise<void> {
  const { host, port, file } = config;
  await withPortLock(port, async () => {
    const refusal = await tryAlone(host, port);
    if (refusal !== undefined && !(await isOurs(file, part.number, port))) throw refusal;
    const shared: FastifyListenOptions & { reusePort: true } = { host, port, reusePort: true }; // which Fastify's own type lacks
    await app.listen(shared);
    onListening();
  });
}

/** Whether the kernel lets somebody listen there who does not share; its refusal if not. */
async function tryAlone(host: string, port: number): Promise<Error | undefined> {
  const probe = createServer().listen({ host, port });
  try {
    await once(probe, 'listening');
  } catch (error) {
    return error as Error;
  }
  probe.close();
  await once(probe, 'close');
  return undefined;
}

/** Whether another part of the instance says that it listens on the port and shares it. */
async function isOurs(file: string, own: number, port: number): Promise<boolean> {
  const numbers = (await partNumbers())(file).filter((number) => number !== own);
  const answers = await Promise.all(numbers.map((number) => askPart(file, number)));
  return answers.some((answer) => {
    const health = answer === undefined ? undefined : parseObject(answer);
    return health?.['shares_port'] === true && health['state'] === 'serving' && asNumber(health['port']) === port;
  });
}
