import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type Config, clientBaseUrl } from '../../config/config.ts';
import { forInstance } from '../../core/errors.ts';
import { createRedactor } from '../../core/secret.ts';
import { formatDuration } from '../../core/text.ts';
import { userMessage } from '../providerTest/fullChecks.ts';
import { sendMessage } from '../providerTest/messagesClient.ts';
import { checkRoute } from '../providerTest/networkChecks.ts';
import { keyResult } from '../providerTest/testProvider.ts';
import type { TestRow } from '../providerTest/testResult.ts';
import type { Inspection } from '../supervisor/inspect.ts';
import { deriveState, hasOlderSettings } from '../supervisor/state.ts';
import { type CheckContext, type Finding, findingsOf } from './finding.ts';

const providerCheck = findingsOf('provider');
const PROVIDER_TIMEOUT_MS = 10_000;

/** Whether the providers are reached and take their keys: the only check that costs something, one small request each. */
export async function checkProviders({ inspections }: CheckContext): Promise<Finding[]> {
  return (await Promise.all(inspections.map(checkProvider))).flat();
}

async function checkProvider(inspection: Inspection): Promise<Finding[]> {
  const { name, config } = inspection.instance;
  if (config === undefined) return [];
  const { provider } = config.modelRefs.of(config.tiers.small);
  const route = await checkRoute(provider, config, PROVIDER_TIMEOUT_MS);
  const reach = describeRoute(name, route);
  return reach.result === 'fail' ? [reach] : [reach, await checkKey(inspection, config)];
}

function describeRoute(instance: string, rows: readonly TestRow[]): Finding {
  const failed = rows.find(({ result }) => result === 'fail');
  if (failed !== undefined) {
    const remedy = 'the network of this machine, or OPENAI_BASE_URL in the env file';
    return providerCheck.fail(`${failed.check}: ${failed.detail}`, { instance, remedy });
  }
  const reached = rows.filter(({ result }) => result === 'ok');
  if (reached.length === 0) return providerCheck.ok(`not asked: ${rows[0]?.detail}`, { instance });
  const steps = reached.map(({ check, detail }) => `${check} ${detail}`).join('; ');
  return providerCheck.ok(`reached: ${steps}`, { instance });
}

const keyCheck = findingsOf('key');
const ONE_TOKEN = userMessage('Answer with one word: ready', { max_tokens: 1 });

async function checkKey(inspection: Inspection, config: Config): Promise<Finding> {
  const { instance, tiers, clientToken, secrets } = config;
  const { key } = config.modelRefs.of(tiers.small).provider;
  if (key.source === 'client') return keyCheck.ok('not asked, as the key that Claude Code sends is used', { instance });
  if (deriveState(inspection) !== 'serving' || hasOlderSettings(inspection)) {
    const remedy = `./manage restart ${instance}`;
    return keyCheck.warn('not asked, as the instance does not run with the present settings', { instance, remedy });
  }
  const credentials: Record<string, string> = clientToken === undefined ? {} : { 'x-api-key': clientToken.reveal() };
  const client = { baseUrl: clientBaseUrl(config), credentials, timeoutMs: PROVIDER_TIMEOUT_MS };
  const answer = await sendMessage(client, { model: tiers.small, ...ONE_TOKEN });
  const accepted = key.source === 'none' ? 'none needed' : `${key.variable} is accepted`;
  const { result, detail, suggestions } = keyResult(answer, accepted);
  const words = createRedactor(secrets)(detail);
  if (result === 'ok') return keyCheck.ok(words, { instance });
  const further = { instance, remedy: forInstance(suggestions, instance)[0] ?? `./manage test ${instance}` };
  return result === 'fail' ? keyCheck.fail(words, further) : keyCheck.warn(words, further);
}

const clockCheck = findingsOf('clock');
const CLOCK_TIMEOUT_MS = 5_000;
/** Certificates and dates of usage go wrong beyond it; less is the way of the answer and the header’s whole seconds. */
const TOLERANCE_MS = 60_000;

/** Whether this machine's clock agrees with those of the providers. A request without key or body, which costs nothing. */
export async function checkClock({ inspections }: CheckContext): Promise<Finding[]> {
  const configs = inspections.flatMap(({ instance: { config } }) => config ?? []);
  const origins = new Set(configs.flatMap((config) => originOf(config) ?? []));
  const offsets = (await Promise.all([...origins].map(measureOffset))).filter((offset) => offset !== undefined);
  const [smallest] = offsets.sort((a, b) => Math.abs(a) - Math.abs(b));
  return smallest === undefined ? [] : [evaluateClock(smallest)];
}

/** @param offset how far our clock goes before the provider's, in ms */
export function evaluateClock(offset: number): Finding {
  if (Math.abs(offset) <= TOLERANCE_MS) return clockCheck.ok('agrees with the providers’');
  const side = offset > 0 ? 'ahead of' : 'behind';
  return clockCheck.warn(`is ${formatDuration(Math.abs(offset))} ${side} the providers’`, {
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
