import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Names that at most one process of this machine holds, and at which it answers: Linux's abstract sockets. The kernel takes a name
 * back the moment its holder is gone, however it went, so that none is ever stale.
 */

const PREFIX = 'claude-code-proxy/';
/** How the kernel's list writes the zero byte with which such a name begins. */
const LISTED = `@${PREFIX}`;

/** Whether this system has such names. */
export const hasNamedSockets = process.platform === 'linux';

export interface HeldName {
  release(): void;
}

/**
 * Takes a name and answers whoever connects there with a text, as it is at that moment; undefined when somebody else holds the name.
 * @param answer where it throws, the answer is empty: any program of this machine may ask, and none may end the process by it
 * @throws the system's error when sockets are not allowed here
 */
export function holdName(name: string, answer: () => string): Promise<HeldName | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.on('error', () => {}).end(textOf(answer)));
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(`\0${PREFIX}${name}`, () => resolve({ release: () => void server.close() }));
    server.unref();
  });
}

function textOf(answer: () => string): string {
  try {
    return answer();
  } catch {
    return '';
  }
}

/** An answer has a few thousand letters; anything longer is not one of ours. */
const MAX_ANSWER_LENGTH = 100_000;

/** What the holder of a name answers; undefined when there is none, or it does not answer in time. */
export function queryName(name: string, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection(`\0${PREFIX}${name}`);
    const deadline = setTimeout(() => finish(undefined), timeoutMs);
    let text = '';
    const finish = (answer: string | undefined) => {
      clearTimeout(deadline);
      socket.destroy();
      resolve(answer);
    };
    socket.setEncoding('utf8');
    socket.on('data', (piece: string) => {
      text += piece;
      if (text.length > MAX_ANSWER_LENGTH) finish(undefined);
    });
    socket.once('end', () => finish(text));
    socket.once('error', () => finish(undefined));
  });
}

/** All names that are held now. */
export async function listHeldNames(): Promise<string[]> {
  if (!hasNamedSockets) return [];
  const list = await readFile('/proc/net/unix', 'utf8').catch(() => '');
  const names = list.split('\n').flatMap((line) => {
    const at = line.indexOf(LISTED);
    return at < 0 ? [] : line.slice(at + LISTED.length);
  });
  return [...new Set(names)];
}

/**
 * The processes that run with the same env file are the workers of one instance. Each holds a number of its own, which is part of
 * the name of its log, and answers there with its health report: on the port, which all share, any one of them may answer.
 */

/** Where the executable of the repository at `root` stands, which every worker runs. */
export function executablePath(root: string): string {
  return join(root, 'dist', process.platform === 'win32' ? 'claude-code-proxy.exe' : 'claude-code-proxy');
}

/** The number of this process among the workers of its env file. */
export interface WorkerClaim {
  /** From 1 on. */
  readonly number: number;
  /** Whether the number is held, so that no other process has it. */
  readonly isHeld: boolean;
  /** Makes the worker answer queries from now on. */
  answerWith(describe: () => object): void;
}

const ANSWER_TIMEOUT_MS = 2000;
const LOCK_PAUSE_MS = 10;
/** Its holder checks the port and listens, which takes a few milliseconds. */
const LOCK_TIMEOUT_MS = 5000;

/** Stands for an env file: the same name may occur in several projects of this machine. */
function digestOf(file: string): string {
  return createHash('sha256').update(file).digest('hex').slice(0, 16);
}

/** Begins with "part", as in all builds so far: workers and managers of different builds find each other by it. */
function workerName(file: string, number: number): string {
  return `part/${digestOf(file)}/${number}`;
}

/**
 * Claims the lowest free number of an env file, until the end of this process. Elsewhere than on Linux there is one process for
 * each file, as only one can listen on its port.
 * @param file absolute path
 */
export async function claimWorkerNumber(file: string): Promise<WorkerClaim> {
  let answer: () => object = () => ({});
  const answerWith = (describe: () => object) => {
    answer = describe;
  };
  if (!hasNamedSockets) return { number: 1, isHeld: false, answerWith };
  try {
    let number = 1;
    while ((await holdName(workerName(file, number), () => JSON.stringify(answer()))) === undefined) number += 1;
    return { number, isHeld: true, answerWith };
  } catch {
    return { number: 1, isHeld: false, answerWith };
  }
}

/** The numbers that the workers of each env file hold now. */
export async function listWorkerNumbers(): Promise<(file: string) => number[]> {
  const names = await listHeldNames();
  return (file) => {
    const prefix = workerName(file, 0).slice(0, -1);
    return names
      .filter((name) => name.startsWith(prefix))
      .map((name) => Number(name.slice(prefix.length)))
      .sort((a, b) => a - b);
  };
}

/** What a worker answers; undefined when there is none or it does not answer. */
export function queryWorker(file: string, number: number): Promise<string | undefined> {
  return queryName(workerName(file, number), ANSWER_TIMEOUT_MS);
}

/** Somebody else has held a port's lock for too long. */
export class LockTimeoutError extends Error {}

/**
 * Does something while no other instance of this machine does the same for this port: the kernel does not keep those that share a
 * port from listening at the same time.
 * @throws LockTimeoutError after 5 s, as any program of this machine may take the name
 */
export async function withPortLock<T>(port: number, work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + LOCK_TIMEOUT_MS;
  for (;;) {
    const held = await holdName(`port/${port}`, () => '');
    if (held !== undefined) {
      try {
        return await work();
      } finally {
        held.release();
      }
    }
    if (performance.now() > deadline) {
      const lock = `${PREFIX}port/${port}`;
      throw new LockTimeoutError(
        `another program has held the name ${lock} for ${LOCK_TIMEOUT_MS / 1000} s; find it with: ss -xlp | grep ${lock}`,
      );
    }
    await pause(LOCK_PAUSE_MS);
  }
}
