import { isObject } from '../core/json.ts';
import { createRedactor } from '../core/secret.ts';
import { ageInDays, factsDay, protocolOf, type SpokenProtocol, type Tiers } from '../providers/preset.ts';
import { maskTexts } from '../quirks/compose.ts';
import { environmentName } from '../quirks/settings.ts';
import { readField, type SettingField, settingFields } from './buildConfig.ts';
import type { Config, CustomModel, NamedProvider, ProviderConfig, ProviderKey } from './config.ts';
import { maskCredentials } from './diagnostics.ts';
import { routerSettings, type SettingName } from './env/settings.ts';
import { describeOtlp } from './exporters.ts';
import { showDuration } from './parsers.ts';

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

/** Rows of which no part can be a key that was written at the wrong place. */
const OWN_WORDS: ReadonlySet<string> = new Set(['instance', 'hash']);

/** Rows with words of the user's own that go to the provider, which may repeat a secret of the configuration. */
const REQUEST_WORDS: ReadonlySet<string> = new Set([
  'provider',
  'endpoint',
  'models',
  'model',
  'router',
  'vision',
  'quirk',
]);

/** A setting as the env file would have it; texts of fields that the user adds to requests may be credentials of any name. */
function describeQuirk([setting, value]: [string, unknown]): string {
  const plain = Array.isArray(value) ? value.join(',') : isObject(value) ? JSON.stringify(maskTexts(value)) : value;
  return `${environmentName(setting)}=${plain === undefined || plain === '' ? 'none' : String(plain)}`;
}

function describeQuirks({ overrides }: ProviderConfig): readonly string[] {
  return Object.entries(overrides).map(describeQuirk);
}

/** A model of the models file. */
function describeModel({ name, model, provider }: CustomModel): Row {
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

/** Of which day the facts about a model are that an instance asks for. */
export interface FactsInUse {
  /** The provider of the instance. */
  readonly named: NamedProvider;
  /** YYYY-MM-DD */
  readonly day: string;
  readonly source: 'preset' | 'catalogue';
}

/** The facts of the models of all tiers, the oldest first; none of the demo, and none of models that nobody knows. */
export function factsInUse({ providers, modelRefs }: Pick<Config, 'providers' | 'modelRefs'>): readonly FactsInUse[] {
  const all = providers.flatMap((named) =>
    Object.values(named.models)
      .flat()
      .flatMap((name): readonly FactsInUse[] => {
        const { provider, model, custom } = modelRefs.of(name);
        const day = factsDay(provider.preset, model);
        if (day === undefined || custom !== undefined || provider.preset.protocol === 'demo') return [];
        const isRefreshed = provider.preset.models[model]?.refreshed !== undefined;
        return [{ named, day, source: isRefreshed ? 'catalogue' : 'preset' }];
      }),
  );
  return all.toSorted((one, other) => (one.day < other.day ? -1 : 1));
}

/** `2026-11-29 (preset), 3 days old` */
export function describeFactsAge({ day, source }: Omit<FactsInUse, 'named'>, now?: number): string {
  const days = now === undefined ? undefined : ageInDays(day, now);
  return `${day} (${source})${days === undefined ? '' : `, ${days} ${days === 1 ? 'day' : 'days'} old`}`;
}

/** Of which days the prices and limits of a provider's models are. */
function factsRows(named: NamedProvider, config: Config, now: number | undefined): readonly Row[] {
  const ages = factsInUse({ ...config, providers: [named] }).map((facts) => describeFactsAge(facts, now));
  return ages.length === 0 ? [] : [['facts', `prices and limits of ${[...new Set(ages)].join(' and of ')}`]];
}

/** One of the providers, in the order in which they are shown. */
function describeProvider(named: NamedProvider, config: Config, now: number | undefined): readonly Row[] {
  const { providers, strategy, requestTimeoutMs: usualTimeoutMs } = config;
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
    ...protocolRows(named, config),
    ...factsRows(named, config, now),
    ...(limits.length > 0 ? [['limits', limits.join(', ')] as const] : []),
    ...(Object.keys(headers).length > 0 ? [['custom headers', Object.keys(headers).join(', ')] as const] : []),
    ...describeQuirks(provider).map((quirk): Row => ['quirk', quirk]),
  ];
}

/** By which of OpenAI's APIs the models of a provider are asked, where it is not chat completions for all of them. */
function protocolRows({ models, provider }: NamedProvider, { modelRefs }: Config): readonly Row[] {
  const names = [...new Set(Object.values(models).flat())].map((name) => modelRefs.of(name));
  const askedBy = (protocol: SpokenProtocol) =>
    names.filter((ref) => protocolOf(ref.provider, ref.model) === protocol).map(({ model }) => model);
  const responses = askedBy('responses');
  if (responses.length === 0) return [];
  const chat = askedBy('chat');
  const rest = chat.length === 0 ? '' : `; chat completions for ${chat.join(', ')}`;
  const reason = provider.protocol === undefined ? ', chosen by the model' : '';
  return [['protocol', `Responses API for ${responses.join(', ')}${rest}${reason}`]];
}

function showField(field: SettingField, config: Config): string {
  const { form, shown } = field.row;
  const value = readField(config, field);
  return shown?.words?.(value) ?? form.show?.(value) ?? String(value);
}

/** The value of a setting that the configuration takes over, in words. */
function show(name: SettingName, config: Config): string {
  return settingFields.flatMap((field) => (field.name === name ? [showField(field, config)] : [])).join('');
}

/** The settings that have a line of their own. */
function settingRows(config: Config): readonly Row[] {
  return settingFields.flatMap((field): readonly Row[] => {
    const { shown } = field.row;
    return shown === undefined || readField(config, field) === undefined
      ? []
      : [[shown.line, showField(field, config)]];
  });
}

/** An address of a network proxy without the user and password that it may hold. */
function proxyAddress(address: string): string {
  const url = URL.parse(address);
  if (url === null) return '****';
  return `${url.protocol}//${url.username === '' && url.password === '' ? '' : '****@'}${url.host}`;
}

function networkRows({ networkProxy: { httpProxy, httpsProxy, noProxy } }: Config): readonly Row[] {
  const addresses = [
    ...(httpsProxy === undefined ? [] : [`${proxyAddress(httpsProxy)} for https`]),
    ...(httpProxy === undefined ? [] : [`${proxyAddress(httpProxy)} for http`]),
  ];
  if (addresses.length === 0) return [];
  return [['network proxy', [...addresses, ...(noProxy === undefined ? [] : [`not for ${noProxy}`])].join(', ')]];
}

function authorityRows({ authorities: { file, certificates, system } }: Config): readonly Row[] {
  const parts = [
    ...(file === undefined ? [] : [`${certificates.length} of ${file}`]),
    ...(system ? ['those of this machine'] : []),
  ];
  return parts.length === 0 ? [] : [['authorities', `the usual ones, ${parts.join(', ')}`]];
}

/** What happens on failures: retries, fallback, circuit breaker and health checks. */
function failureRows(config: Config): readonly Row[] {
  const { maxRetries, budget, breaker, healthCheck, providers, strategy } = config;
  const { intervalMs, ask } = healthCheck;
  const question = ask === 'models' ? 'for the list of models' : 'for one token of an answer';
  return [
    ...(providers.length > 1 ? [['strategy', strategy] as const] : []),
    [
      'attempts',
      `${maxRetries} retries; in all at most ${budget.attempts}, within ${show('FALLBACK_SECONDS', config)}`,
    ],
    [
      'breaker',
      `${breaker.failures} failures within ${show('BREAKER_WINDOW', config)} keep requests away for ${show('BREAKER_SECONDS', config)}`,
    ],
    ...(intervalMs === 0 ? [] : [['health check', `every ${showDuration(intervalMs)}, ${question}`] as const]),
  ];
}

function fileRows({ modelsFile, providersFile, pricesFile, hooks }: Config): readonly Row[] {
  return [
    ...(providersFile === undefined ? [] : [['providers file', providersFile] as const]),
    ...(modelsFile === undefined ? [] : [['models file', modelsFile] as const]),
    ...(pricesFile === undefined ? [] : [['prices file', pricesFile] as const]),
    ...(hooks === undefined ? [] : [['hooks file', hooks.file] as const]),
  ];
}

/** Who searches the web, where this proxy does. */
function searchRows({ webSearch }: Config): readonly Row[] {
  if (webSearch === undefined) return [];
  const { api, endpoint, key, keySource, price } = webSearch;
  const parts = [
    `${api.name} at ${endpoint}`,
    ...(key === undefined
      ? []
      : [
          `key ${keySource === 'provider' ? 'of the provider' : `SEARCH_API_KEY ${KEY_SOURCES[keySource]}`}, ${key.masked}`,
        ]),
    price === undefined ? 'of unknown price' : `${price} US dollars a search`,
  ];
  return [['web search', parts.join(', ')]];
}

/** The router's settings that are set. */
function describeRouter({ router, longContextThreshold }: Config): readonly Row[] {
  return routerSettings.flatMap(([setting, route]): readonly Row[] => {
    const name = router[route];
    if (name === undefined) return [];
    return [
      ['router', `${setting}=${name}${route === 'longContext' ? `, from ${longContextThreshold} tokens on` : ''}`],
    ];
  });
}

/** Who describes pictures to models that see none. */
function visionRows({ vision, visionTimeoutMs }: Config): readonly Row[] {
  if (vision === undefined) return [];
  const { ref, label, setting } = vision;
  const key = setting === 'VISION_URL' ? `, ${describeKey(ref.provider.key)}` : '';
  return [['vision', `${label} at ${ref.provider.baseUrl}${key}, within ${showDuration(visionTimeoutMs)}`]];
}

/** Where traces and metrics go. */
function telemetryRows(config: Config): readonly Row[] {
  const words = describeOtlp(config);
  return words === undefined ? [] : [['telemetry', words]];
}

/**
 * The effective configuration for people, one line per subject, secrets masked.
 * @param now in ms since 1970, for ages in days
 */
export function describeConfig(config: Config, now?: number): readonly string[] {
  const { limits, logs, concurrency, providers } = config;
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  const rows: readonly Row[] = [
    ['instance', `${config.instance} (${config.file})`],
    ['listens on', `http://${host}:${config.port}`],
    ['client token', config.clientToken?.masked ?? 'none'],
    ...(config.clients === undefined
      ? []
      : [['clients', `${config.clients.clients.length} with tokens of their own (${config.clients.file})`] as const]),
    ...providers.flatMap((provider) => describeProvider(provider, config, now)),
    ...[...config.customModels.values()].map(describeModel),
    ...describeRouter(config),
    ...visionRows(config),
    ...searchRows(config),
    ...fileRows(config),
    ['output tokens', `${limits.minTokens ?? 1} to ${limits.maxTokens ?? 'the model’s own limit'}`],
    ['request', `at most ${show('MAX_BODY_BYTES', config)}; answer within ${show('REQUEST_TIMEOUT', config)}`],
    ...failureRows(config),
    [
      'concurrency',
      concurrency.places === 0
        ? 'any number of requests'
        : `${concurrency.places} requests, ${concurrency.queueLength} more may wait`,
    ],
    ...networkRows(config),
    ...authorityRows(config),
    [
      'logs',
      `${logs.directory}, level ${logs.level}, rotated at ${show('LOG_MAX_SIZE', config)}, kept ${show('LOG_RETENTION_DAYS', config)}, together at most ${show('LOG_MAX_TOTAL', config)}`,
    ],
    ...settingRows(config),
    ...telemetryRows(config),
    ...(config.allowedHosts.length > 0 ? [['further hosts', config.allowedHosts.join(', ')] as const] : []),
    ['hash', config.hash],
  ];
  const redact = createRedactor(config.secrets);
  const showValue = (name: string, value: string) => {
    if (OWN_WORDS.has(name)) return value;
    return maskCredentials(REQUEST_WORDS.has(name) ? redact(value) : value);
  };
  return rows.map(([name, value]) => `${name.padEnd(15)}${showValue(name, value)}`);
}
