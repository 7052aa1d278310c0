import type { Config, NetworkProxy, ProviderConfig } from '../../../src/config/config.ts';
import { endpointOf } from '../../../src/config/modelRef.ts';
import { localDay } from '../../../src/telemetry/days.ts';
import { findPrices } from '../../../src/telemetry/usage/cost.ts';
import { ask, type Door } from './ask.ts';
import { checkNetwork, skipNetwork } from './network.ts';
import { type Row, row } from './row.ts';
import { NOTHING_SPENT, type Spending, spend } from './spending.ts';
import { planSteps } from './steps.ts';
import { skipped } from './verdict.ts';

export interface ProbeOptions {
  readonly config: Config;
  readonly door: Door;
  readonly full: boolean;
  /** Where the key comes from, in words. */
  readonly key: string;
  /** Called before each check. */
  readonly onCheck: (check: string) => void;
}

export interface ProbeResult {
  readonly rows: readonly Row[];
  readonly spending: Spending;
}

/** Whether the way to a provider is open; what makes no sense to ask is skipped. */
export async function checkRoute(
  provider: ProviderConfig,
  networkProxy: NetworkProxy,
  timeoutMs: number,
): Promise<Row[]> {
  if (provider.preset.protocol === 'demo') return skipNetwork('built in');
  const endpoint = provider.endpoint.replace('{model}', 'model');
  const { httpProxy, httpsProxy } = networkProxy;
  const isProxied = (endpoint.startsWith('https:') ? httpsProxy : httpProxy) !== undefined;
  return isProxied ? skipNetwork('a network proxy stands between') : checkNetwork(endpoint, timeoutMs);
}

/** Why what follows makes no sense; undefined when it does. */
function obstacle(rows: readonly Row[]): string | undefined {
  const failed = rows.filter(({ result }) => result === 'fail').map(({ check }) => check);
  if (failed.includes('key')) return 'the key is not accepted';
  return failed.some((check) => ['DNS', 'TCP', 'TLS'].includes(check)) ? 'the provider is not reached' : undefined;
}

/** Tests an instance that runs. One check at a time, as a provider may take no more, and times are told. */
export async function runProbe({ config, door, full, key, onCheck }: ProbeOptions): Promise<ProbeResult> {
  const { provider } = endpointOf(config, config.tiers.big);
  let spending = NOTHING_SPENT;
  const steps = planSteps(config, key, full, async (model, fields) => {
    const answer = await ask(door, { model, ...fields });
    spending = spend(spending, answer.usage, findPrices(config, model, localDay(Date.now())));
    return answer;
  });
  onCheck('network');
  const rows = await checkRoute(provider, config.networkProxy, door.timeoutMs);
  for (const { check, run } of steps) {
    const reason = obstacle(rows);
    if (reason === undefined) onCheck(check);
    rows.push(reason === undefined ? await run() : row(check, skipped(reason)));
  }
  // A request to a native endpoint goes through as it is, so that no quirk could change it.
  const isNative = provider.preset.protocol === 'anthropic';
  return { rows: isNative ? rows.map((made) => ({ ...made, quirks: [] })) : rows, spending };
}
