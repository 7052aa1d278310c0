import { clientBaseUrl } from '../../../../src/config/clientEnvironment.ts';
import type { Config } from '../../../../src/config/config.ts';
import { endpointOf } from '../../../../src/config/modelRef.ts';
import { createRedactor } from '../../../../src/core/secret.ts';
import type { Observation } from '../../observe.ts';
import { ask } from '../../probe/ask.ts';
import { judgeKey } from '../../probe/basicVerdicts.ts';
import { askFor } from '../../probe/fullCheck.ts';
import type { Row } from '../../probe/row.ts';
import { checkRoute } from '../../probe/runProbe.ts';
import { hasOlderSettings, judge } from '../../state.ts';
import { type Finding, fail, ok, warn } from '../finding.ts';

const TIMEOUT_MS = 10_000;
const ONE_TOKEN = askFor('Answer with one word: ready', { max_tokens: 1 });

/** Whether the provider of an instance is reached and takes its key: the only check that costs something, one small request. */
export async function checkProvider(observation: Observation): Promise<Finding[]> {
  const { name, config } = observation.instance;
  if (config === undefined) return [];
  const { provider } = endpointOf(config, config.tiers.small);
  const route = await checkRoute(provider, config.networkProxy, TIMEOUT_MS);
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
  const { key } = endpointOf(config, tiers.small).provider;
  if (key.source === 'client') return ok('key', 'not asked, as the client’s own is passed on', name);
  if (judge(observation) !== 'serving' || hasOlderSettings(observation)) {
    const remedy = `./manage restart ${name}`;
    return warn('key', 'not asked, as the instance does not run with the present settings', { instance: name, remedy });
  }
  const credentials: Record<string, string> = clientToken === undefined ? {} : { 'x-api-key': clientToken.reveal() };
  const door = { baseUrl: clientBaseUrl(config), credentials, timeoutMs: TIMEOUT_MS };
  const answer = await ask(door, { model: tiers.small, ...ONE_TOKEN });
  const accepted = key.source === 'none' ? 'none needed' : `${key.variable} is accepted`;
  const { result, detail, suggestions } = judgeKey(answer, accepted);
  const words = createRedactor(secrets)(detail);
  if (result === 'ok') return ok('key', words, name);
  const further = { instance: name, remedy: suggestions[0] ?? `./manage test ${name}` };
  return result === 'fail' ? fail('key', words, further) : warn('key', words, further);
}
