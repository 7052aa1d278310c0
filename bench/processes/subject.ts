import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { smallBody } from '../bodies/smallBody.ts';
import { requestBytes } from '../http/writeMessage.ts';
import { checkMessage } from '../load/checkAnswer.ts';
import { Connection } from '../load/connection.ts';
import { RequestTemplate } from '../load/requestTemplate.ts';
import { freePort } from './freePort.ts';
import { fillPlaces, type Target } from './target.ts';

/** A target that answers. */
export interface Subject {
  readonly target: Target;
  readonly port: number;
  /** Its session, to look up what it uses; undefined for the upstream itself. */
  readonly session: number | undefined;
  /** Milliseconds from the start of the process to its first answer. */
  readonly startMs: number;
  stop(): Promise<void>;
}

/** They have sessions of their own, which no Ctrl-C reaches. */
const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 5_000;
const ONE_DELTA = { deltas: 1, everyMs: 0 };

export interface Surroundings {
  readonly upstreamPort: number;
  /** Each target gets a folder of its own below it. */
  readonly folder: string;
  /** Where programs are found. */
  readonly searchPath: string | undefined;
}

/** The bytes of a request to the target, with what it wants besides. */
export function bytesFor(target: Target, body: string, path = ''): Buffer {
  const headers = { 'anthropic-version': '2023-06-01', 'x-api-key': 'bench', ...target.headers };
  return requestBytes(`${target.path}${path}`, headers, body);
}

/** Throws an ECONNREFUSED as long as nothing listens. */
async function askOnce(target: Target, port: number): Promise<void> {
  const connection = await Connection.open(port);
  try {
    const request = new RequestTemplate(bytesFor(target, smallBody(ONE_DELTA, false)));
    checkMessage(await connection.ask(request.next(0)), { ...ONE_DELTA, promptTokens: 1 });
  } finally {
    connection.close();
  }
}

async function whenAnswering(target: Target, port: number, child: ChildProcess, log: string): Promise<void> {
  for (let start = performance.now(); ; await sleep(1)) {
    try {
      return await askOnce(target, port);
    } catch (error) {
      if (child.exitCode !== null || performance.now() - start > START_LIMIT_MS) {
        throw new Error(`${target.name} does not start: ${(error as Error).message}\n${readFileSync(log, 'utf8')}`);
      }
    }
  }
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const impatience = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await exited;
  clearTimeout(impatience);
}

/** Starts the target in a session and a folder of its own and waits for its first answer. */
export async function startSubject(
  target: Target,
  { upstreamPort, folder, searchPath }: Surroundings,
): Promise<Subject> {
  if (target.command === undefined) {
    return { target, port: upstreamPort, session: undefined, startMs: 0, stop: async () => {} };
  }
  const port = await freePort();
  const places = {
    PORT: String(port),
    UPSTREAM: `http://127.0.0.1:${upstreamPort}`,
    UPSTREAM_PORT: String(upstreamPort),
    WORK: mkdtempSync(join(folder, 'target-')),
  };
  const fill = (text: string) => fillPlaces(text, places);
  for (const [path, text] of Object.entries(target.files)) {
    mkdirSync(dirname(fill(path)), { recursive: true });
    writeFileSync(fill(path), fill(text));
  }
  const environment = Object.entries(target.environment).map(([name, text]) => [name, fill(text)]);
  const [program = '', ...parameters] = target.command.map(fill);
  const log = join(places.WORK, 'output.log');
  const output = openSync(log, 'w');
  const startedAt = performance.now();
  const child = spawn(program, parameters, {
    cwd: places.WORK,
    env: { PATH: searchPath, HOME: places.WORK, NODE_ENV: 'production', ...Object.fromEntries(environment) },
    detached: true,
    stdio: ['ignore', output, output],
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  const stop = () => stopProcess(child);
  try {
    await whenAnswering(target, port, child, log);
  } catch (error) {
    await stop();
    throw error;
  }
  return { target, port, session: child.pid, startMs: performance.now() - startedAt, stop };
}
