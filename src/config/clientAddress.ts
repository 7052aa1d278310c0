import type { Config } from './config.ts';

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
