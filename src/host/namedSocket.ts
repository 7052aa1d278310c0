import { readFile } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';

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
