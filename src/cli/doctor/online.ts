import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Config } from '../../config/config.ts';
import { clientBaseUrl } from '../../config/identity.ts';
import { createRedactor } from '../../core/secret.ts';
import { formatDuration } from '../../core/text.ts';
import { ask } from '../providerTest/client.ts';
import { askFor } from '../providerTest/fullChecks.ts';
import type { Row } from '../providerTest/result.ts';
import { checkRoute, judgeKey } from '../providerTest/run.ts';
import type { Observation } from '../supervisor/observe.ts';
import { hasOlderSettings, judge } from '../supervisor/state.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

const PROVIDER_TIMEOUT_MS = 10_000;
const ONE_TOKEN = askFor('Answer with one word: ready', { max_tokens: 1 });

/** Whether the provider of an instance is reached and takes its key: the only check that costs something, one small request. */
export async function checkProvider(observation: Observation): Promise<Finding[]> {
  const { name, config } = observation.instance;
  if (config === undefined) return [];
  const { provider } = config.modelRefs.of(config.tiers.small);
  const route = await checkRoute(provider, config.networkProxy, PROVIDER_TIMEOUT_MS);
  const reach = describeRoute(name, route);
  return reach.result === 'fail' ? [reach] : [reach, await checkKey(observation, config)];
}

function describeRoute(instance: string, rows: readonly Row[]): Finding {
  const failed = rows.find(({ result }) => result === 'fail');
  if (failed !== undefined) {
    const remedy = 'the network of this machine, or OPENAI_BASE_URL in the env file';
    return fail('provider', `${failed.check}: ${failed.detail}`, { instance, remedy });
  }
  const reached = rows.filter(({ result }) => result === 'ok');
  if (reached.length === 0) return ok('provider', `not asked: ${rows[0]?.detail}`, instance);
  return ok('provider', `reached: ${reached.map(({ check, detail }) => `${check} ${detail}`).join('; ')}`, instance);
}

async function checkKey(observation: Observation, config: Config): Promise<Finding> {
  const { instance: name, tiers, clientToken, secrets } = config;
  const { key } = config.modelRefs.of(tiers.small).provider;
  if (key.source === 'client') return ok('key', 'not asked, as the client’s own is passed on', name);
  if (judge(observation) !== 'serving' || hasOlderSettings(observation)) {
    const remedy = `./manage restart ${name}`;
    return warn('key', 'not asked, as the instance does not run with the present settings', { instance: name, remedy });
  }
  const credentials: Record<string, string> = clientToken === undefined ? {} : { 'x-api-key': clientToken.reveal() };
  const door = { baseUrl: clientBaseUrl(config), credentials, timeoutMs: PROVIDER_TIMEOUT_MS };
  const answer = await ask(door, { model: tiers.small, ...ONE_TOKEN });
  const accepted = key.source === 'none' ? 'none needed' : `${key.variable} is accepted`;
  const { result, detail, suggestions } = judgeKey(answer, accepted);
  const words = createRedactor(secrets)(detail);
  if (result === 'ok') return ok('key', words, name);
  const further = { instance: name, remedy: suggestions[0] ?? `./manage test ${name}` };
  return result === 'fail' ? fail('key', words, further) : warn('key', words, further);
}

const CLOCK_CHECK = 'clock';
const CLOCK_TIMEOUT_MS = 5_000;
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
  if (Math.abs(offset) <= TOLERANCE_MS) return ok(CLOCK_CHECK, 'agrees with the providers’');
  const side = offset > 0 ? 'ahead of' : 'behind';
  return warn(CLOCK_CHECK, `is ${formatDuration(Math.abs(offset))} ${side} the providers’`, {
    remedy: 'set the clock of this machine, for instance: timedatectl set-ntp true',
  });
}

/** Where a connection of our own makes no sense there is none. */
function originOf(config: Config): string | undefined {
  const { provider } = config.modelRefs.of(config.tiers.small);
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
    const request = send(origin, { method: 'HEAD', agent: false, timeout: CLOCK_TIMEOUT_MS });
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
