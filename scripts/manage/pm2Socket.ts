import { createConnection } from 'node:net';
import { parseObject } from '../../src/core/json.ts';

/**
 * PM2's own protocol between its command line and its daemon, for reading alone: a message is a byte with version and number of parts,
 * then each part with its length; the parts are a call as JSON and an id, which the answer repeats. Asked so, the list comes in 5 ms;
 * the command line needs 140 (measured).
 */
const VERSION = 1;
const LENGTH_BYTES = 4;
const ID = 's:manage:0';

function encode(parts: readonly string[]): Buffer {
  const pieces = [Buffer.from([(VERSION << 4) | parts.length])];
  for (const part of parts) {
    const bytes = Buffer.from(part);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(bytes.length);
    pieces.push(length, bytes);
  }
  return Buffer.concat(pieces);
}

/** The parts of a message; undefined as long as it is not complete. Throws when it is none of this protocol. */
function decode(message: Buffer): readonly string[] | undefined {
  const head = message[0];
  if (head === undefined) return undefined;
  if (head >> 4 !== VERSION) throw new Error('it speaks another protocol');
  const parts: string[] = [];
  let at = 1;
  for (let count = head & 0x0f; count > 0; count -= 1) {
    if (message.length < at + LENGTH_BYTES) return undefined;
    const end = at + LENGTH_BYTES + message.readUInt32BE(at);
    if (message.length < end) return undefined;
    parts.push(message.toString('utf8', at + LENGTH_BYTES, end));
    at = end;
  }
  return parts;
}

function resultOf(parts: readonly string[]): unknown {
  const [answer = '', id] = parts;
  const { args, error } = (answer.startsWith('j:') ? parseObject(answer.slice(2)) : undefined) ?? {};
  if (id !== ID || !Array.isArray(args))
    throw new Error(typeof error === 'string' ? error : 'it answered something else');
  return args[0];
}

/** What of a daemon: nobody listens on its socket, or what it answered. */
export type DaemonAnswer = { readonly alive: false } | { readonly alive: true; readonly result: unknown };

/** Calls a method of PM2's daemon without arguments. Rejects when there is a daemon that does not answer as it should. */
export function callDaemon(socketPath: string, method: string, timeoutMs: number): Promise<DaemonAnswer> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(socketPath);
    let received = Buffer.alloc(0);
    let connected = false;
    const fail = (error: Error) => {
      socket.destroy();
      if (connected) reject(error);
      else resolve({ alive: false });
    };
    socket.setTimeout(timeoutMs, () => fail(new Error(`it did not answer within ${timeoutMs} ms`)));
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('it closed the connection')));
    socket.on('connect', () => {
      connected = true;
      socket.write(encode([`j:${JSON.stringify({ type: 'call', method, args: [{}] })}`, ID]));
    });
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      try {
        const parts = decode(received);
        if (parts === undefined) return;
        const result = resultOf(parts);
        socket.destroy();
        resolve({ alive: true, result });
      } catch (error) {
        fail(error as Error);
      }
    });
  });
}
