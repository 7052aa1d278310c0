import type { Tiers } from '../providers/preset.ts';
import { environmentName } from '../quirks/settings.ts';
import type { Config, CustomModel, NamedProvider, ProviderConfig, ProviderKey } from './config.ts';

/** One line of a description: its subject, and what holds. */
export type Row = readonly [string, string];

const KEY_SOURCES: Record<ProviderKey['source'], string> = {
  file: 'in the env file',
  environment: 'from the environment',
  'secret file': 'from the file it names',
  'providers file': 'in the providers file',
  client: 'passed through from the client',
  none: 'none needed',
};

function describeKey({ source, variable, secret }: ProviderKey): string {
  return secret === undefined ? KEY_SOURCES[source] : `${variable} ${KEY_SOURCES[source]}, ${secret.masked}`;
}

/** A setting as the env file would have it. */
function describeQuirk([setting, value]: [string, unknown]): string {
  const plain = Array.isArray(value) ? value.join(',') : typeof value === 'object' ? JSON.stringify(value) : value;
  return `${environmentName(setting)}=${plain === undefined || plain === '' ? 'none' : String(plain)}`;
}

function describeQuirks({ overrides }: ProviderConfig): readonly string[] {
  return Object.entries(overrides).map(describeQuirk);
}

/** A model of the models file. */
export function describeModel({ name, model, provider }: CustomModel): Row {
  const facts = [
    `${model} at ${provider.baseUrl || provider.preset.name}`,
    `key ${describeKey(provider.key)}`,
    ...describeQuirks(provider),
  ];
  return ['model', `${name}: ${facts.join(', ')}`];
}

/** The models without the name of their provider, which stands above them. */
function describeModels({ name, models }: NamedProvider): string {
  const tiers = ['big', 'middle', 'small'] as const satisfies readonly (keyof Tiers)[];
  const bare = (model: string) => (model.startsWith(`${name},`) ? model.slice(name.length + 1) : model);
  return tiers.map((tier) => `${tier} ${models[tier].map(bare).join(' then ')}`).join(', ');
}

/** One of the providers, in the order in which they are shown. */
export function describeProvider(
  named: NamedProvider,
  { providers, strategy, requestTimeoutMs: usualTimeoutMs }: Config,
): readonly Row[] {
  const { name, provider, priority, weight, requestTimeoutMs, maxRetries } = named;
  const { preset, baseUrl, endpoint, key, moreKeys = [], headers } = provider;
  const title = name === preset.name ? name : `${name} (${preset.name})`;
  const order = strategy === 'weighted' ? `weight ${weight}` : `priority ${priority}`;
  const limits = [
    ...(requestTimeoutMs === usualTimeoutMs ? [] : [`answer within ${requestTimeoutMs / 1000} s`]),
    ...(maxRetries === undefined ? [] : [`${maxRetries} retries`]),
  ];
  return [
    ['provider', [title, baseUrl, ...(providers.length > 1 ? [order] : [])].filter((part) => part !== '').join(', ')],
    ...(baseUrl === '' || endpoint === `${baseUrl}/chat/completions` ? [] : [['endpoint', endpoint] as const]),
    ...[key, ...moreKeys].map((one): Row => ['provider key', describeKey(one)]),
    ['models', describeModels(named)],
    ...(limits.length > 0 ? [['limits', limits.join(', ')] as const] : []),
    ...(Object.keys(headers).length > 0 ? [['custom headers', Object.keys(headers).join(', ')] as const] : []),
    ...describeQuirks(provider).map((quirk): Row => ['quirk', quirk]),
  ];
}
