import { createConnection } from 'node:net';
import { clientAddress, reachableHost } from '../../config/identity.ts';
import { asNumber, asString, isObject, type Json, type JsonObject, parseObject } from '../../core/json.ts';

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

/** What is added up over the processes of an instance. */
const SUMMED = ['memory_bytes', 'in_flight', 'requests', 'tokens', 'queue'];
/** Of which the latest is that of the instance. */
const LATEST = ['last_success_at', 'last_error'];

/** What several processes of one instance say, as one: figures are summed up, everything else is as the first has it. */
export function combineHealth(first: Health, all: readonly Health[]): Health {
  const others = all.filter(({ pid }) => pid !== first.pid).map(({ body }) => body);
  const body = { ...first.body };
  for (const name of SUMMED) body[name] = others.reduce((sum, other) => add(sum, other[name]), body[name]);
  for (const name of LATEST) body[name] = others.reduce((latest, other) => later(latest, other[name]), body[name]);
  return { ...first, body };
}

function add(a: Json | undefined, b: Json | undefined): Json | undefined {
  if (!isObject(a) || !isObject(b)) return (asNumber(a) ?? 0) + (asNumber(b) ?? 0);
  return Object.fromEntries(Object.keys(a).map((name) => [name, add(a[name], b[name])])) satisfies JsonObject;
}

function later(a: Json | undefined, b: Json | undefined): Json | undefined {
  return timeOf(b) > timeOf(a) ? b : a;
}

/** When it was, as text that sorts by time; empty when it never was. */
function timeOf(value: Json | undefined): string {
  return asString(isObject(value) ? value['at'] : value) ?? '';
}

/** What keeps a provider of `GET /health` from being asked as usual, in two words; undefined when nothing does. */
function markOf(provider: Readonly<Record<string, unknown>>): string | undefined {
  const circuit = asString(provider['circuit']);
  if (circuit !== undefined && circuit !== 'closed') return `circuit ${circuit}`;
  const keys = Array.isArray(provider['keys']) ? provider['keys'].filter(isObject) : [];
  const resting = keys.filter((key) => key['state'] === 'resting').length;
  if (resting === 0) return undefined;
  return keys.length === 1 ? 'key rests' : `${resting} of ${keys.length} keys rest`;
}

/** What is wrong with the providers behind an instance, named where there are several; '' when nothing is. */
export function providerMarks(health: Health | undefined): string {
  const listed = health?.body['providers'];
  const providers = Array.isArray(listed) ? listed.filter(isObject) : [];
  const marks = providers.flatMap((provider) => {
    const mark = markOf(provider);
    if (mark === undefined) return [];
    return [providers.length === 1 ? mark : `${asString(provider['name'])} ${mark}`];
  });
  return marks.join(', ');
}

/** How many providers follow the first. */
export function spareProviders(health: Health | undefined): number {
  const listed = health?.body['providers'];
  return Array.isArray(listed) ? Math.max(0, listed.length - 1) : 0;
}
