import { get } from 'node:http';
import { asNumber, asString, isObject, type JsonObject, parseObject } from '../../src/core/json.ts';

/** What an instance says of itself at GET /health. */
export interface Health {
  readonly instance: string;
  readonly pid: number;
  readonly state: 'serving' | 'draining';
  readonly configHash: string | undefined;
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
const MAX_BODY_LENGTH = 100_000;

/** Reads a health answer; undefined when it is not one of a proxy of this kind. */
export function parseHealth(text: string): Health | undefined {
  const body = parseObject(text);
  const instance = asString(body?.['instance']);
  const pid = asNumber(body?.['pid']);
  if (body?.['service'] !== 'claude-code-proxy' || instance === undefined || pid === undefined) return undefined;
  const state = body['state'] === 'draining' ? 'draining' : 'serving';
  return { instance, pid, state, configHash: asString(body['config_hash']), body };
}

/** The address at which a server that listens on `host` can be reached from this machine. */
export function reachableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

/** Asks a port who it is. Never fails: what is no answer is an answer too. */
export function askPort(host: string, port: number): Promise<PortAnswer> {
  return new Promise((resolve) => {
    const request = get({ host: reachableHost(host), port, path: '/health', agent: false, timeout: ANSWER_TIMEOUT_MS });
    const deadline = setTimeout(() => {
      resolve({ kind: 'mute' });
      request.destroy();
    }, ANSWER_TIMEOUT_MS);
    request.once('close', () => clearTimeout(deadline));
    request.once('error', (error: NodeJS.ErrnoException) => {
      const nobody = ['ECONNREFUSED', 'ETIMEDOUT', 'EADDRNOTAVAIL', 'ENOTFOUND'].includes(error.code ?? '');
      resolve({ kind: nobody ? 'silent' : 'stranger' });
    });
    request.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        if (text.length > MAX_BODY_LENGTH) request.destroy();
      });
      response.once('close', () => {
        const health = parseHealth(text);
        resolve(health ? { kind: 'instance', health } : { kind: 'stranger' });
      });
      response.once('error', () => resolve({ kind: 'stranger' }));
    });
  });
}

/** A member of an object inside a health answer, like `models.big`; undefined when it is not there. */
export function healthField(health: Health, outer: string, inner: string): unknown {
  const part = health.body[outer];
  return isObject(part) ? part[inner] : undefined;
}
