import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
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
 * @throws the system's error when sockets are not allowed here
 */
export function holdName(name: string, answer: () => string): Promise<HeldName | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.on('error', () => {}).end(answer()));
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(`\0${PREFIX}${name}`, () => resolve({ release: () => void server.close() }));
    server.unref();
  });
}

/** What the holder of a name answers; undefined when there is none, or it says nothing in time. */
export function askName(name: string, timeoutMs: number): Promise<string | undefined> {
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
    socket.on('data', (part: string) => {
      text += part;
    });
    socket.once('end', () => finish(text));
    socket.once('error', () => finish(undefined));
  });
}

/** All names that are held now. */
export async function heldNames(): Promise<string[]> {
  if (!hasNamedSockets) return [];
  const list = await readFile('/proc/net/unix', 'utf8').catch(() => '');
  const names = list.split('\n').flatMap((line) => {
    const at = line.indexOf(LISTED);
    return at < 0 ? [] : line.slice(at + LISTED.length);
  });
  return [...new Set(names)];
}

/**
 * The processes that run with the same env file are the parts of one instance. Each holds a number of its own, by which its log is
 * called, and tells there how it fares, which the port, shared by all of them, tells only of one.
 */

/** The place of this process among those of its env file. */
export interface Part {
  /** From 1 on. */
  readonly number: number;
  /** Whether the number is held, so that no other process has it. */
  readonly isHeld: boolean;
  /** Makes the part answer from now on. */
  answerWith(describe: () => object): void;
}

const ANSWER_TIMEOUT_MS = 2000;
const LOCK_PAUSE_MS = 10;
/** Its holder looks at the port and listens, which takes a few milliseconds. */
const LOCK_TIMEOUT_MS = 5000;

/** Tells the instances of this machine apart: the same name may stand in several projects. */
function originOf(file: string): string {
  return createHash('sha256').update(file).digest('hex').slice(0, 16);
}

function partName(file: string, number: number): string {
  return `part/${originOf(file)}/${number}`;
}

/**
 * Takes the lowest free number of an env file, until the end of this process. Elsewhere than on Linux there is one process for
 * each file, which its port sees to.
 * @param file absolute path
 */
export async function takePart(file: string): Promise<Part> {
  let answer: () => object = () => ({});
  const answerWith = (describe: () => object) => {
    answer = describe;
  };
  if (!hasNamedSockets) return { number: 1, isHeld: false, answerWith };
  try {
    let number = 1;
    while ((await holdName(partName(file, number), () => JSON.stringify(answer()))) === undefined) number += 1;
    return { number, isHeld: true, answerWith };
  } catch {
    return { number: 1, isHeld: false, answerWith };
  }
}

/** The numbers that the processes of each env file hold now. */
export async function partNumbers(): Promise<(file: string) => number[]> {
  const names = await heldNames();
  return (file) => {
    const prefix = partName(file, 0).slice(0, -1);
    return names
      .filter((name) => name.startsWith(prefix))
      .map((name) => Number(name.slice(prefix.length)))
      .sort((a, b) => a - b);
  };
}

/** What a part says of itself; undefined when there is none or it does not answer. */
export function askPart(file: string, number: number): Promise<string | undefined> {
  return askName(partName(file, number), ANSWER_TIMEOUT_MS);
}

/**
 * Does something while no other instance of this machine looks at this port in order to listen there: who shares a port is not kept
 * from it by the kernel.
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
    if (performance.now() > deadline) throw new Error('another instance is about to take the port');
    await pause(LOCK_PAUSE_MS);
  }
}
