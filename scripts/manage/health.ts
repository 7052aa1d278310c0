import { createConnection } from 'node:net';
import { clientAddress, reachableHost } from '../../src/config/clientEnvironment.ts';
import { asNumber, asString, isObject, type JsonObject, parseObject } from '../../src/core/json.ts';

/** What an instance says of itself at GET /health. */
export interface Health {
  readonly instance: string;
  readonly pid: number;
  readonly state: 'serving' | 'draining';
  readonly configHash: string | undefined;
  /** Whether another process of the instance may listen beside it. */
  readonly sharesPort: boolean;
  /** The whole answer, which holds no secret. */
  readonly body: JsonObject;
}

/** Who answers at a port: `silent` is nobody, `mute` somebody who takes the connection and says nothing. */
export type PortAnswer =
  | { readonly kind: 'instance'; readonly health: Health }
  | { readonly kind: 'stranger' }
  | { readonly kind: 'mute' }
  | { readonly kind: 'silent' };

const ANSWER_TIMEOUT_MS = 2000;
const MAX_ANSWER_LENGTH = 100_000;
/** Errors of a connection to a port where nobody listens. */
const NOBODY = ['ECONNREFUSED', 'ETIMEDOUT', 'EADDRNOTAVAIL', 'ENOTFOUND'];

/** Reads a health answer; undefined when it is not one of a proxy of this kind. */
export function parseHealth(text: string): Health | undefined {
  const body = parseObject(text);
  const instance = asString(body?.['instance']);
  const pid = asNumber(body?.['pid']);
  if (body?.['service'] !== 'claude-code-proxy' || instance === undefined || pid === undefined) return undefined;
  const state = body['state'] === 'draining' ? 'draining' : 'serving';
  const sharesPort = body['shares_port'] === true;
  return { instance, pid, state, configHash: asString(body['config_hash']), sharesPort, body };
}

/**
 * Asks a port who it is. Never fails: what is no answer is an answer too. A signal ends it early, with an answer of no meaning.
 * Written by hand, because `node:http` loads all that Node has for the web, which takes longer than the rest of `status`.
 */
export function askPort(host: string, port: number, signal?: AbortSignal): Promise<PortAnswer> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: reachableHost(host), port });
    let text = '';
    const finish = (answer: PortAnswer) => {
      clearTimeout(deadline);
      signal?.removeEventListener('abort', giveUp);
      socket.destroy();
      resolve(answer);
    };
    const giveUp = () => finish({ kind: 'mute' });
    const deadline = setTimeout(giveUp, ANSWER_TIMEOUT_MS);
    signal?.addEventListener('abort', giveUp);
    socket.on('error', ({ code = '' }: NodeJS.ErrnoException) => {
      finish({ kind: NOBODY.includes(code) ? 'silent' : 'stranger' });
    });
    // Version 1.0, so that the body comes as it is, and ends with the connection.
    socket.write(`GET /health HTTP/1.0\r\nHost: ${clientAddress({ host, port })}\r\n\r\n`);
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      if (text.length > MAX_ANSWER_LENGTH) finish({ kind: 'stranger' });
    });
    socket.once('close', () => {
      const body = /^HTTP\/1\.\d .*?\r\n\r\n(?<body>.*)$/s.exec(text)?.groups?.['body'] ?? '';
      const health = parseHealth(body);
      finish(health === undefined ? { kind: 'stranger' } : { kind: 'instance', health });
    });
  });
}

/** A member of an object inside a health answer, like `models.big`; undefined when it is not there. */
export function healthField(health: Health, outer: string, inner: string): unknown {
  const part = health.body[outer];
  return isObject(part) ? part[inner] : undefined;
}
