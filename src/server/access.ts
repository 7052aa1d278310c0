import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { ClientToken } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { ApiError } from '../core/errors.ts';
import type { Secret } from '../core/secret.ts';
import type { Logger } from '../telemetry/logger.ts';

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** The credentials a client presents: `x-api-key` and the bearer token, one or both. */
function readCredentials(headers: IncomingHttpHeaders): string[] {
  const credentials: string[] = [];
  const key = headers['x-api-key'];
  if (typeof key === 'string' && key !== '') credentials.push(key);
  const bearer = /^Bearer\s+(\S+)\s*$/i.exec(headers.authorization ?? '')?.[1];
  if (bearer !== undefined && !credentials.includes(bearer)) credentials.push(bearer);
  return credentials;
}

export interface Authenticator {
  /** Whether the instance has a token at all. */
  readonly isRequired: boolean;
  /** Whether there is any credential that could be the instance's token. */
  hasCredentials(headers: IncomingHttpHeaders): boolean;
  /**
   * Gives the client whose token one of the credentials is; undefined for the instance's own.
   * @throws ApiError (unauthenticated) where there is neither
   */
  check(headers: IncomingHttpHeaders): ClientToken | undefined;
  /** The client's own provider key, for an instance that has none: a credential that is not the instance's token. */
  providerKey(headers: IncomingHttpHeaders): string | undefined;
  /** The headers that carry credentials, as they came, without those that carry the instance's token. */
  credentials(headers: IncomingHttpHeaders): Record<string, string>;
}

/** Compares hashes in constant time, so that neither length nor content of a token can be measured, nor whose it is. */
export function createAuthenticator(token: Secret | undefined, clients: readonly ClientToken[] = []): Authenticator {
  const expected = token === undefined ? undefined : digest(token.reveal());
  const known = clients.map((client) => ({ client, hash: Buffer.from(client.sha256, 'hex') }));
  const isOwn = (hash: Buffer) => expected !== undefined && timingSafeEqual(hash, expected);
  const clientOf = (hash: Buffer) => known.filter((one) => timingSafeEqual(hash, one.hash))[0]?.client;
  const isToken = (credential: string) => {
    const hash = digest(credential);
    return isOwn(hash) || clientOf(hash) !== undefined;
  };
  return {
    isRequired: expected !== undefined,
    hasCredentials: (headers) => readCredentials(headers).length > 0,
    check(headers) {
      if (expected === undefined) return undefined;
      const credentials = readCredentials(headers);
      const hashes = credentials.map(digest);
      if (hashes.some(isOwn)) return undefined;
      const client = known.length === 0 ? undefined : hashes.map(clientOf).find((one) => one !== undefined);
      if (client !== undefined) return client;
      throw new ApiError(
        'unauthenticated',
        credentials.length === 0
          ? 'this instance needs a token: set ANTHROPIC_AUTH_TOKEN to the ANTHROPIC_API_KEY of its env file'
          : `the token is not the ANTHROPIC_API_KEY of this instance’s env file${known.length === 0 ? '' : ', nor that of a client, or it was revoked'}`,
      );
    },
    providerKey: (headers) => readCredentials(headers).find((credential) => !isToken(credential)),
    credentials: (headers) => {
      const { 'x-api-key': key, authorization } = headers;
      return {
        ...(typeof key === 'string' && key !== '' && !isToken(key) ? { 'x-api-key': key } : {}),
        ...(authorization === undefined || readCredentials({ authorization }).some(isToken) ? {} : { authorization }),
      };
    },
  };
}

/** What concerns all clients, or holds the token of the instance, is for its owner alone. */
const OWNER_ROUTES = new Set(['/env', '/metrics', '/v1/stats', '/test-connection']);

/**
 * Refuses a client whose token has expired, or whose request is not for it.
 * @param today YYYY-MM-DD
 * @throws ApiError (unauthenticated, owner_only)
 */
export function checkClient({ name, expires }: ClientToken, route: string | undefined, today: string): void {
  if (expires !== undefined && today > expires)
    throw new ApiError(
      'unauthenticated',
      `the token of ${name} was valid until ${expires}; ask the owner of this instance for a new one`,
    );
  if (OWNER_ROUTES.has(route ?? ''))
    throw new ApiError(
      'owner_only',
      `the token of ${name} is for requests to models; this endpoint takes the ANTHROPIC_API_KEY of the instance only`,
    );
}

const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]', '::1'];

/** A name or an address of IPv4, or one of IPv6 in brackets, and a port of digits. */
const HOST = /^(\[[0-9a-f:.]*\]|[^:@/?#\\\s]*)(?::\d{1,5})?$/;

function countHeader(rawHeaders: readonly string[], name: string): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const raw = rawHeaders[index] ?? '';
    if (raw.length === name.length && raw.toLowerCase() === name) count += 1;
  }
  return count;
}

/** What asks whether an instance lives, such as a kubelet or a load balancer, calls it by any name; the answer holds no secret. */
const HEALTH_ROUTES = new Set(['/health', '/healthz']);

/**
 * Refuses what a web page in the user's browser could send: requests with an Origin, from another site, for another
 * Host (DNS rebinding), and every preflight. No CORS header is ever answered. An instance that listens for other machines, which
 * needs a token, is also called by its addresses, which no page can turn elsewhere, and health checks may call it as they like.
 * @param listensOn HOST
 * @param names further names of the instance
 */
export function createOriginCheck(
  listensOn: string,
  names: readonly string[],
): (request: IncomingMessage, route: string | undefined) => void {
  const allowed = new Set([...LOOPBACK_NAMES, ...[listensOn, ...names].map((name) => name.toLowerCase())]);
  const isPublic = !LOOPBACK_NAMES.includes(listensOn.toLowerCase()) && !isLoopback(listensOn);
  const isAllowed = (name: string, route: string | undefined) =>
    allowed.has(name) ||
    (isPublic && (isIP(name.startsWith('[') ? name.slice(1, -1) : name) !== 0 || HEALTH_ROUTES.has(route ?? '')));
  return (request, route) => {
    const { headers } = request;
    if (countHeader(request.rawHeaders, 'host') > 1 || request.url?.startsWith('/') !== true) {
      throw new ApiError('invalid_request', 'the request must have one Host header and a path that begins with /');
    }
    const coding = headers['transfer-encoding'];
    if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
      throw new ApiError(
        'invalid_request',
        'the only transfer-encoding is chunked; a compressed body has a content-encoding',
      );
    }
    if (headers.origin !== undefined || request.method === 'OPTIONS') {
      throw new ApiError('foreign_origin', 'requests from web pages are refused');
    }
    const site = headers['sec-fetch-site'];
    if (site === 'cross-site' || site === 'same-site') {
      throw new ApiError('foreign_origin', 'requests from other sites are refused');
    }
    const host = (headers.host ?? '').toLowerCase();
    // What no browser and no client would write so stands as it is, which is then no name of this instance.
    const name = HOST.exec(host)?.[1] ?? host;
    if (!isAllowed(name, route)) {
      throw new ApiError(
        'foreign_origin',
        `the Host ${JSON.stringify(name.slice(0, 100))} is not this instance; add it to ALLOWED_HOSTS if it should be`,
      );
    }
  };
}

/** The address as Node gives it, which may be one of IPv4 in the form of IPv6. */
function isLoopback(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./.test(address);
}

function passes(check: () => void): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}

/** Enough for all clients of a machine that still have the token of yesterday. */
const MOST_FAILURES = 20;
const WINDOW_MS = 60_000;
/** Beyond so many addresses, the one that failed first is forgotten. */
const MOST_ADDRESSES = 1000;

interface Failures {
  count: number;
  /** When counting begins anew, by the monotonic clock. */
  readonly until: number;
}

/**
 * Keeps guessing slow: after many wrong tokens from one address, none from there is looked at for the rest of a minute, so
 * that a right one among them looks like the others. From this machine itself the right one passes always: any local user could keep
 * the owner out otherwise, and a token is far too long to be guessed. A request without a token is no guess.
 */
export class LoginThrottle {
  readonly #clock: Clock;
  readonly #logger: Pick<Logger, 'warn'>;
  readonly #failures = new Map<string, Failures>();

  constructor(clock: Clock, logger: Pick<Logger, 'warn'>) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Lets the token of a request be checked; throws what that throws, or `too_many_attempts` without doing it. */
  check(address: string, hasToken: boolean, checkToken: () => void): void {
    const failures = this.#current(address);
    if (failures !== undefined && failures.count >= MOST_FAILURES && hasToken) {
      if (isLoopback(address) && passes(checkToken)) return;
      const seconds = Math.ceil((failures.until - this.#clock.monotonic()) / 1000);
      throw new ApiError(
        'too_many_attempts',
        `too many wrong tokens came from this address; none is looked at for ${seconds} s`,
        { retryAfterSeconds: seconds },
      );
    }
    try {
      checkToken();
    } catch (error) {
      if (hasToken) this.#count(address, failures);
      throw error;
    }
  }

  #current(address: string): Failures | undefined {
    const failures = this.#failures.get(address);
    if (failures === undefined || failures.until > this.#clock.monotonic()) return failures;
    this.#failures.delete(address);
    return undefined;
  }

  #count(address: string, failures: Failures | undefined): void {
    const counted = failures ?? { count: 0, until: this.#clock.monotonic() + WINDOW_MS };
    counted.count += 1;
    this.#failures.set(address, counted);
    if (counted.count === MOST_FAILURES) {
      this.#logger.warn('tokens from an address are not looked at for a while, as too many were wrong', { address });
    }
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > MOST_ADDRESSES && oldest !== undefined) this.#failures.delete(oldest);
  }
}
