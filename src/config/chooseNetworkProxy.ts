import type { NetworkProxy } from './config.ts';
import type { Values } from './schema.ts';

/** The network proxy of an instance. Without one its exceptions say nothing, and a shell that has some gives the same configuration. */
export function chooseNetworkProxy({ HTTP_PROXY, HTTPS_PROXY, NO_PROXY }: Values): NetworkProxy {
  const hasProxy = HTTP_PROXY !== undefined || HTTPS_PROXY !== undefined;
  return { httpProxy: HTTP_PROXY, httpsProxy: HTTPS_PROXY, noProxy: hasProxy ? NO_PROXY : undefined };
}
