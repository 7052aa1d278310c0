import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { dirname, join } from 'node:path';
import { asString, parseObject } from '../../core/json.ts';
import { OWNER_ONLY, replaceFile } from '../envs/envFiles.ts';
import { KEY_HEADER } from './contract.ts';

/** Something that is refused, in the words of the answer. */
export class Refusal extends Error {
  readonly status: number;
  readonly remedy: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, message: string, more: { remedy?: string; retryAfterSeconds?: number } = {}) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
    this.remedy = more.remedy;
    this.retryAfterSeconds = more.retryAfterSeconds;
  }
}

/** What strangers learn: nothing but that they are refused. */
const FORBIDDEN = 'this page belongs to who has started it';
const REMEDY = 'open it with: ./manage ui';

function forbid(): never {
  throw new Refusal(403, FORBIDDEN, { remedy: REMEDY });
}

/** Long enough that nobody guesses it. */
const SECRET_BYTES = 32;

function createSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Compares hashes in constant time, so that neither length nor content of a secret can be measured. */
function isSame(given: string, expected: Buffer): boolean {
  return timingSafeEqual(digest(given), expected);
}

/** The secret of the next address, in a file that only its owner can read: who can write or read it may open the page. */
function secretFile(root: string): string {
  return join(root, 'state', 'page.secret');
}

/**
 * Makes a new secret, which opens the page once. The one before it is of no use any more.
 * @throws when the file cannot be written
 */
export function createAddressSecret(root: string): string {
  const secret = createSecret();
  const path = secretFile(root);
  mkdirSync(dirname(path), { recursive: true });
  replaceFile(path, JSON.stringify({ secret }), OWNER_ONLY);
  return secret;
}

/** A file that leads a browser to an address, which must not stand among the words of a program, where others can read it. */
export function redirectFile(root: string): string {
  return join(root, 'state', 'open-page.html');
}

/** Takes away the secret of an address, opened or not. */
export function removeAddressSecret(root: string): void {
  for (const path of [secretFile(root), redirectFile(root)]) rmSync(path, { force: true });
}

function readAddressSecret(root: string): string | undefined {
  try {
    return asString(parseObject(readFileSync(secretFile(root), 'utf8'))?.['secret']);
  } catch {
    return undefined;
  }
}

/** Wrong secrets within a minute, from whom does not matter: all come from this machine. */
const MOST_FAILURES = 20;
const WINDOW_MS = 60_000;
/** Beyond so many pages that were opened, the first one has to be opened anew. */
const MOST_SESSIONS = 32;

const SITES_OF_API = [undefined, 'same-origin'];

/**
 * Decides who may use the page: only who has the secret of an address, in a page that this server has sent. A cookie alone is not
 * enough, as browsers send it to every port of this machine.
 */
export class PageAccess {
  readonly #root: string;
  readonly #hosts: ReadonlySet<string>;
  readonly #cookieName: string;
  /** Hashes of the keys by the hashes of the cookies. */
  readonly #sessions = new Map<string, Buffer>();
  #failures = 0;
  #failuresEndAt = 0;

  /** @param port on which the page is served */
  constructor(root: string, port: number) {
    this.#root = root;
    this.#hosts = new Set(['127.0.0.1', 'localhost'].map((name) => `${name}:${port}`));
    this.#cookieName = `claude-code-proxy-page-${port}`;
  }

  /**
   * Whether a request comes from this machine's own names and, if from a page, from ours.
   * @throws Refusal
   */
  checkOrigin({ headers, rawHeaders, method, url = '' }: IncomingMessage): void {
    const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host');
    const host = headers.host?.toLowerCase() ?? '';
    if (hosts.length !== 1 || !this.#hosts.has(host) || !url.startsWith('/')) forbid();
    if (method !== 'GET' && method !== 'POST') forbid();
    if (headers.origin !== undefined && headers.origin !== `http://${host}`) forbid();
    const site = headers['sec-fetch-site'];
    // The address may be opened from anywhere, as from a file or a mail: what is shown then holds nothing yet.
    const isOpened = method === 'GET' && url === '/' && headers['sec-fetch-dest'] === 'document';
    if (!isOpened && !SITES_OF_API.includes(site as string | undefined) && site !== 'none') forbid();
  }

  /**
   * Whether a request has the cookie and the key of one session.
   * @throws Refusal
   */
  checkSession({ headers }: IncomingMessage): void {
    if (!SITES_OF_API.includes(headers['sec-fetch-site'] as string | undefined)) forbid();
    const cookie = this.#readCookie(headers.cookie);
    const key = headers[KEY_HEADER];
    const expected = cookie === undefined ? undefined : this.#sessions.get(digest(cookie).toString('hex'));
    if (expected === undefined || typeof key !== 'string' || !isSame(key, expected)) forbid();
  }

  /**
   * Exchanges the secret of an address, once, for a cookie and a key.
   * @throws Refusal for a secret that is wrong or was used, after many of them without looking at it
   */
  exchange(secret: unknown): { readonly cookie: string; readonly key: string } {
    const expected = readAddressSecret(this.#root);
    const isRight = typeof secret === 'string' && expected !== undefined && isSame(secret, digest(expected));
    // The right one always opens, so that nobody can keep the owner out.
    if (!isRight) this.#refuseWrong();
    removeAddressSecret(this.#root);
    const [cookie, key] = [createSecret(), createSecret()];
    this.#sessions.set(digest(cookie).toString('hex'), digest(key));
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > MOST_SESSIONS && oldest !== undefined) this.#sessions.delete(oldest);
    return { cookie: `${this.#cookieName}=${cookie}; HttpOnly; SameSite=Strict; Path=/`, key };
  }

  #refuseWrong(): never {
    const now = performance.now();
    if (now >= this.#failuresEndAt) {
      this.#failures = 0;
      this.#failuresEndAt = now + WINDOW_MS;
    }
    this.#failures += 1;
    if (this.#failures <= MOST_FAILURES) forbid();
    const retryAfterSeconds = Math.ceil((this.#failuresEndAt - now) / 1000);
    throw new Refusal(429, 'too many wrong secrets', { remedy: REMEDY, retryAfterSeconds });
  }

  #readCookie(header: string | undefined): string | undefined {
    const prefix = `${this.#cookieName}=`;
    const found = header
      ?.split(';')
      .map((part) => part.trim())
      .find((part) => part.startsWith(prefix));
    return found?.slice(prefix.length);
  }
}

/** Headers of every answer: nothing is kept, framed, guessed, embedded or taken from elsewhere. */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};
