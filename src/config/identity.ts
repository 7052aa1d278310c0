import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { Secret } from '../core/secret.ts';
import type { Config } from './config.ts';

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The value as plain data whose JSON text does not depend on the order of fields; secrets as their hash. */
function canonical(value: unknown): unknown {
  if (value instanceof Secret) return sha256(value.reveal());
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([name, field]) => [name, canonical(field)]));
}

/** First 12 hexadecimal digits of SHA-256 over settings: equal for equal settings, without giving a secret away. */
export function fingerprint(settings: object): string {
  return sha256(JSON.stringify(canonical(settings))).slice(0, 12);
}

function clean(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replaceAll(/-{2,}/g, '-')
    .replaceAll(/^[.-]+|[.-]+$/g, '');
}

/**
 * Name of the instance of an env file: `work.env`, `.env-work` and `.env.work` -> work; `.env` -> its folder.
 * Lower-case letters, digits and `._-`, never two dashes in a row, which part instance and model in the model list.
 */
export function instanceName(file: string): string {
  const name = basename(file);
  const own = clean(name.replace(/^\.?env\b/i, '').replace(/\.env$/i, ''));
  return own || clean(basename(dirname(file))) || 'default';
}

/** The address at which a server that listens on `host` can be reached from this machine. */
export function reachableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

/** `127.0.0.1:8081`: where a client on this machine finds the instance. */
export function clientAddress(config: Pick<Config, 'host' | 'port'>): string {
  const host = reachableHost(config.host);
  return `${host.includes(':') ? `[${host}]` : host}:${config.port}`;
}

/** The same as a URL. */
export function clientBaseUrl(config: Pick<Config, 'host' | 'port'>): string {
  return `http://${clientAddress(config)}`;
}

/** The client gives up a request whose answer has not begun by then. The proxy begins it long before, so it only needs to be large. */
export const CLIENT_TIMEOUT_MS = 3_000_000;
