import type { NetworkProxy } from './config.ts';
import { withThisMachine } from './noProxyList.ts';
import type { Values } from './schema.ts';

/**
 * The network proxy of an instance. A shell whose exceptions make no difference gives the same configuration: without a proxy all of
 * them, with one this machine, which is always excepted.
 */
export function chooseNetworkProxy({ HTTP_PROXY, HTTPS_PROXY, NO_PROXY }: Values): NetworkProxy {
  const hasProxy = HTTP_PROXY !== undefined || HTTPS_PROXY !== undefined;
  return {
    httpProxy: HTTP_PROXY,
    httpsProxy: HTTPS_PROXY,
    noProxy: hasProxy ? withThisMachine(NO_PROXY ?? '') : undefined,
  };
}
