import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Config } from '../../../../src/config/config.ts';
import { endpointOf } from '../../../../src/config/modelRef.ts';
import { formatDuration } from '../../../../src/core/text.ts';
import { type Finding, ok, warn } from '../finding.ts';

const CHECK = 'clock';
const TIMEOUT_MS = 5_000;
/** Certificates and dates of usage go wrong beyond it; less is the way of the answer and the header’s whole seconds. */
const TOLERANCE_MS = 60_000;

/** Whether this machine's clock agrees with those of the providers. A request without key or body, which costs nothing. */
export async function checkClock(configs: readonly Config[]): Promise<Finding[]> {
  const origins = new Set(configs.flatMap((config) => originOf(config) ?? []));
  const offsets = (await Promise.all([...origins].map(measureOffset))).filter((offset) => offset !== undefined);
  const [smallest] = offsets.sort((a, b) => Math.abs(a) - Math.abs(b));
  return smallest === undefined ? [] : [judgeClock(smallest)];
}

/** @param offset how far our clock goes before the provider's, in ms */
export function judgeClock(offset: number): Finding {
  if (Math.abs(offset) <= TOLERANCE_MS) return ok(CHECK, 'agrees with the providers’');
  const side = offset > 0 ? 'ahead of' : 'behind';
  return warn(CHECK, `is ${formatDuration(Math.abs(offset))} ${side} the providers’`, {
    remedy: 'set the clock of this machine, for instance: timedatectl set-ntp true',
  });
}

/** Where a connection of our own makes no sense there is none. */
function originOf(config: Config): string | undefined {
  const { provider } = endpointOf(config, config.tiers.small);
  if (provider.preset.protocol === 'demo') return undefined;
  const { origin, protocol } = new URL(provider.baseUrl);
  const { httpProxy, httpsProxy } = config.networkProxy;
  return (protocol === 'https:' ? httpsProxy : httpProxy) === undefined ? origin : undefined;
}

/** How far our clock goes before a server's, in ms; undefined when it does not say. */
function measureOffset(origin: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const sentAt = Date.now();
    const send = origin.startsWith('https:') ? httpsRequest : httpRequest;
    const request = send(origin, { method: 'HEAD', agent: false, timeout: TIMEOUT_MS });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(undefined));
    request.once('close', () => resolve(undefined));
    request.once('response', (response) => {
      response.resume();
      const time = Date.parse(response.headers.date ?? '');
      resolve(Number.isNaN(time) ? undefined : (sentAt + Date.now()) / 2 - time);
      request.destroy();
    });
    request.end();
  });
}
