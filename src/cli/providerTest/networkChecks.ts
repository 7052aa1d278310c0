import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectTls, type SecureContext } from 'node:tls';
import type { Config, ProviderConfig } from '../../config/config.ts';
import { createTrust } from '../../config/load.ts';
import { tlsHint } from '../../core/errors.ts';
import { fail, ok, skipped, type TestResult, type TestRow, testRow } from './testResult.ts';

/** The checks of the way to a provider, in their order. */
export const NETWORK_CHECKS = ['DNS', 'TCP', 'TLS'] as const;

/** Whether the way to a provider is open; skipped where a connection of our own would prove nothing. */
export async function checkRoute(
  provider: ProviderConfig,
  { networkProxy, authorities }: Pick<Config, 'networkProxy' | 'authorities'>,
  timeoutMs: number,
): Promise<TestRow[]> {
  const skip = (reason: string) => NETWORK_CHECKS.map((check) => testRow(check, skipped(reason)));
  if (provider.preset.protocol === 'demo') return skip('built in');
  const endpoint = provider.endpoint.replace('{model}', 'model');
  const { httpProxy, httpsProxy } = networkProxy;
  const isProxied = (endpoint.startsWith('https:') ? httpsProxy : httpProxy) !== undefined;
  return isProxied
    ? skip('a network proxy stands between')
    : checkNetwork(endpoint, timeoutMs, {
        trust: createTrust(authorities),
        isOwnAddress: provider.baseUrl !== provider.preset.baseUrl,
      });
}

/**
 * Whether the provider's host is found, takes a connection, and proves who it is; after a failure nothing more is asked.
 * @param trust what its certificate is checked with; undefined for Node's own list
 * @param isOwnAddress whether the user has set the address, so that it may be wrong
 */
export async function checkNetwork(
  endpoint: string,
  timeoutMs: number,
  { trust, isOwnAddress = true }: { readonly trust?: SecureContext | undefined; readonly isOwnAddress?: boolean } = {},
): Promise<TestRow[]> {
  const { hostname, port, protocol } = new URL(endpoint);
  const host = hostname.replace(/^\[|\]$/g, '');
  const isTls = protocol === 'https:';
  const notReached = testRow('TLS', skipped('not reached'));

  const dns = isIP(host)
    ? testRow('DNS', skipped('an address, not a name'))
    : await timed('DNS', timeoutMs, isOwnAddress, async () => describeAddresses(await lookup(host, { all: true })));
  if (dns.result === 'fail') return [dns, testRow('TCP', skipped('not reached')), notReached];

  const socket = connect({ host, port: Number(port) || (isTls ? 443 : 80) });
  socket.on('error', () => {});
  try {
    const tcp = await timed('TCP', timeoutMs, isOwnAddress, async () => {
      await once(socket, 'connect');
      return `${socket.remoteAddress} port ${socket.remotePort}`;
    });
    if (tcp.result === 'fail') return [dns, tcp, notReached];
    if (!isTls) return [dns, tcp, testRow('TLS', skipped('plain HTTP'))];
    return [dns, tcp, await timed('TLS', timeoutMs, isOwnAddress, () => shakeHands(socket, host, trust))];
  } finally {
    socket.destroy();
  }
}

/** Makes one check; what `work` gives is its detail. */
async function timed(
  check: string,
  timeoutMs: number,
  isOwnAddress: boolean,
  work: () => Promise<string>,
): Promise<TestRow> {
  const startedAt = performance.now();
  const finished = new AbortController();
  const late = pause(timeoutMs, undefined, { signal: finished.signal }).then(
    () => fail(`nothing within ${timeoutMs / 1000} s`),
    () => fail('given up'),
  );
  const result = await Promise.race([work().then(ok, (error) => describeNetworkError(error, isOwnAddress)), late]);
  finished.abort();
  return testRow(check, result, Math.round(performance.now() - startedAt));
}

const SHOWN_ADDRESSES = 2;

function describeAddresses(addresses: readonly { readonly address: string }[]): string {
  const shown = addresses.slice(0, SHOWN_ADDRESSES).map(({ address }) => address);
  const more = addresses.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

async function shakeHands(socket: Socket, host: string, trust: SecureContext | undefined): Promise<string> {
  const secure = connectTls({
    socket,
    ...(isIP(host) ? { host } : { servername: host }),
    ALPNProtocols: ['http/1.1'],
    ...(trust === undefined ? {} : { secureContext: trust }),
  });
  try {
    await once(secure, 'secureConnect');
    return `${secure.getProtocol()}, certificate valid until ${secure.getPeerCertificate().valid_to}`;
  } finally {
    secure.destroy();
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no host of this name: check OPENAI_BASE_URL',
  EAI_AGAIN: 'the name cannot be looked up now: check the network of this machine',
  ECONNREFUSED: 'nothing listens there: check OPENAI_BASE_URL, or start that server',
  ENETUNREACH: 'this machine has no way there: check its network',
  EHOSTUNREACH: 'this machine has no way there: check its network',
};

/** With the address of a preset, which is right, it is the network. */
const NO_WAY = 'no network, or a company proxy (docs/COMPANY-NETWORK.md)';

function describeNetworkError(error: NodeJS.ErrnoException, isOwnAddress: boolean): TestResult {
  const { code = error.name, message } = error;
  const reason = isOwnAddress || REASONS[code] === undefined ? REASONS[code] : NO_WAY;
  return fail(`${tlsHint(code) ?? reason ?? message} (${code})`);
}
