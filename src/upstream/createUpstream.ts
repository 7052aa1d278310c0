import type { NetworkProxy, ProviderConfig } from '../config/config.ts';
import { createHttpUpstream } from './client.ts';
import { createDemoUpstream } from './demo/demoUpstream.ts';
import type { Upstream } from './upstream.ts';

export interface ConnectionOptions {
  readonly userAgent: string;
  readonly connectTimeoutMs: number;
  /** Time until the response headers must be there, in ms. */
  readonly headersTimeoutMs: number;
  readonly networkProxy: NetworkProxy;
}

/** The way to a provider: over HTTP with a pool of connections of its own, or into the built-in demo. */
export function createUpstream(
  { preset, endpoint, keyHeader, headers }: ProviderConfig,
  options: ConnectionOptions,
): Upstream {
  if (preset.protocol === 'demo') return createDemoUpstream();
  return createHttpUpstream({ endpoint, keyHeader, headers, ...options });
}
