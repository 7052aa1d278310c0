import { resolve } from 'node:path';
import { Secret } from '../core/secret.ts';
import type { Preset } from '../providers/preset.ts';
import {
  type Config,
  fingerprint,
  instanceName,
  type NetworkProxy,
  type Problem,
  type ProviderConfig,
} from './config.ts';
import { createDiagnostics, type Diagnostics, showValue } from './diagnostics.ts';
import { type ParseAssignments, parseEnvText } from './env/parse.ts';
import type { SettingRow } from './env/setting.ts';
import { type SettingFields, type SettingName, type SettingValues, settingNames, settingRow } from './env/settings.ts';
import {
  type Choices,
  chooseValues,
  collectVariables,
  createLookUp,
  type Environment,
  expandVariables,
  reportUnknownNames,
  type Variable,
  warnOfUnusedSettings,
  withThisMachine,
} from './env/variables.ts';
import { telemetryServers } from './exporters.ts';
import { readKeptCatalogue, refreshPreset } from './files/catalogue.ts';
import { readClientTokensFile } from './files/clientTokensFile.ts';
import { createCompanionFiles, findHooksFile, type ReadFile, readCertificates } from './files/companion.ts';
import { readModelsFile } from './files/modelsFile.ts';
import { readPricesFile } from './files/pricesFile.ts';
import { fileProviders } from './files/providers.ts';
import { fileSettings, readProvidersFile, reportNoProvider } from './files/providersFile.ts';
import { asNamedProvider, chooseModels } from './models.ts';
import { secretsInFields, secretsInHeaders } from './overrides.ts';
import { findOwnProvider, ownProvider, refuseMetadataAddresses, visionServer } from './provider.ts';
import { checkClientToken, createNamedKeys, type FoundSecret, findSecrets, warnOfForeignKeys } from './secrets.ts';
import { chooseWebSearch, withHostedSearch } from './webSearch.ts';

type Texts = Partial<Record<SettingName, string>>;

/** A setting whose text is wrong, and the form it should have. */
interface WrongValue {
  readonly name: SettingName;
  readonly form: string;
}

/** Texts to values, with the defaults filled in; a setting whose text is wrong has its default. */
function parseValues(texts: Texts): { readonly values: SettingValues; readonly wrong: readonly WrongValue[] } {
  const values: Partial<Record<SettingName, unknown>> = {};
  const wrong: WrongValue[] = [];
  for (const name of settingNames) {
    const { form, fallback }: SettingRow<unknown> = settingRow(name);
    const text = texts[name];
    let value = text === undefined ? undefined : form.parse(text);
    if (text !== undefined && value === undefined) wrong.push({ name, form: form.form });
    if (value === undefined && fallback !== undefined) value = form.parse(fallback);
    if (value !== undefined) values[name] = value;
  }
  return { values: values as SettingValues, wrong };
}

/** The checked values; a wrong one is reported and has its default, so that the checks after this can go on. */
export function readValues(
  choices: Choices,
  secrets: Partial<Record<SettingName, FoundSecret | undefined>>,
  diagnostics: Diagnostics,
): SettingValues {
  const texts: Texts = {};
  const locations: Partial<Record<SettingName, Variable>> = {};
  for (const [name, variable] of choices) [texts[name], locations[name]] = [variable.value, variable];
  for (const [name, found] of Object.entries(secrets) as [SettingName, FoundSecret | undefined][]) {
    if (found !== undefined) [texts[name], locations[name]] = [found.value, found.variable];
  }
  const { values, wrong } = parseValues(texts);
  for (const { name, form } of wrong) {
    const found = showValue(texts[name] ?? '', settingRow(name).secret === true);
    diagnostics.error(locations[name] ?? { name }, found, `Set ${form}.`);
  }
  return values;
}

/** A setting that the configuration takes over as it is, and where. */
export interface SettingField {
  readonly name: SettingName;
  readonly row: SettingRow<unknown>;
  /** Names of members, from the configuration inwards. */
  readonly path: readonly [string] | readonly [string, string];
}

/** The settings that the configuration takes over as they are, in the order of their table. */
export const settingFields: readonly SettingField[] = settingNames.flatMap((name) => {
  const row = settingRow(name);
  if (row.field === undefined) return [];
  const [outer = '', inner] = row.field.split('.');
  return [{ name, row, path: inner === undefined ? [outer] : [outer, inner] }];
});

type Members = Readonly<Record<string, unknown>>;

function withMember(members: Members, [outer, inner]: SettingField['path'], value: unknown): Members {
  return { ...members, [outer]: inner === undefined ? value : { ...(members[outer] as Members), [inner]: value } };
}

/** The value of a field in a configuration. */
export function readField(config: SettingFields, { path: [outer, inner] }: SettingField): unknown {
  const member = (config as unknown as Members)[outer];
  return inner === undefined ? member : (member as Members)[inner];
}

/** A configuration with some of its fields as they are in another. */
export function takeFields<C extends SettingFields>(config: C, other: C, fields: readonly SettingField[]): C {
  const members = config as unknown as Members;
  return fields.reduce((all, field) => withMember(all, field.path, readField(other, field)), members) as unknown as C;
}

/**
 * Puts each value into its field of the configuration.
 * @param directory absolute; what relative folders start from
 */
export function placeValues(values: SettingValues, directory: string): SettingFields {
  return settingFields.reduce<Members>((members, { name, row, path }) => {
    const value = values[name];
    return withMember(members, path, row.isFolder === true ? resolve(directory, String(value)) : value);
  }, {}) as unknown as SettingFields;
}

export interface ConfigSource {
  /** Path of the env file as the user gave it; problems show it so. */
  readonly file: string;
  readonly text: string;
  readonly parse: ParseAssignments;
  readonly environment: Environment;
  readonly readFile: ReadFile;
  /** Absolute; what relative paths start from. */
  readonly directory: string;
}

export interface ConfigResult {
  /** Present when no problem is an error. */
  readonly config?: Config;
  /** Where the instance listens, also when another setting is wrong; missing when there is no such file. */
  readonly address?: Pick<Config, 'host' | 'port'>;
  readonly problems: readonly Problem[];
  /** Absolute paths of all files that were looked for, also of those that are not there: a change of one may change the result. */
  readonly files: readonly string[];
}

/** From the text of an env file to the configuration of its instance, or to all its problems at once. */
export function buildConfig(source: ConfigSource): ConfigResult {
  const { environment } = source;
  const diagnostics = createDiagnostics(source.file);
  const files = createCompanionFiles(source.file, source.directory, source.readFile);
  const readText = (path: string) => files.read(path).text;
  const entries = parseEnvText(source.text, source.parse, diagnostics);
  const variables = expandVariables(collectVariables(entries, environment), environment, diagnostics);
  const lookUp = createLookUp(variables, environment);
  const written = chooseValues(variables, diagnostics);
  const modelsFile = readModelsFile(files, written, lookUp, diagnostics);
  const providersFile = readProvidersFile(files, written, lookUp, diagnostics);
  const pricesFile = readPricesFile(written.get('PRICES_FILE'), readText, diagnostics);
  const kept = readKeptCatalogue(files);
  const refresh = (preset: Preset) => refreshPreset(preset, kept.catalogue);
  const hooks = findHooksFile(written.get('HOOKS_FILE'), source.directory, readText, diagnostics);
  const certificates = readCertificates(written.get('CA_FILE'), readText, diagnostics);
  const used = new Set([...modelsFile.names, ...providersFile.names]);
  reportUnknownNames(entries, used, diagnostics);

  const findNamedKey = createNamedKeys(variables, environment, readText, diagnostics);
  // Beside a providers file the env file has a provider of its own only where it says so: a key alone is one that the file asks for.
  const hasOwn = written.has('PROVIDER') || (providersFile.file === undefined && !written.has('PROVIDERS_FILE'));
  const sources = { choices: written, variables, models: modelsFile.entries, used, findNamedKey, readText };
  const found = hasOwn ? findOwnProvider(sources, diagnostics) : undefined;
  const own = found && { ...found, preset: found.preset && refresh(found.preset) };
  if (!hasOwn) warnOfUnusedSettings(variables, used, diagnostics);
  const choices = own?.choices ?? written;
  // The key is found with its provider, as its name depends on it.
  const secrets = { ...findSecrets(variables, readText, diagnostics), OPENAI_API_KEY: own?.key };
  const token = secrets.ANTHROPIC_API_KEY;
  const tokensFile = written.get('CLIENT_TOKENS_FILE');
  const clientTokens = readClientTokensFile(tokensFile, token !== undefined, readText, lookUp, diagnostics);
  const values = readValues(choices, secrets, diagnostics);
  checkTokenLimits(values, choices, diagnostics);

  const ownWritten = own && ownProvider(own, values, variables, diagnostics);
  const ownNamed = ownWritten && asNamedProvider(ownWritten, values.REQUEST_TIMEOUT);
  const { providers: fromFile, unusable } = fileProviders(
    providersFile,
    { findNamedKey, lookUp },
    ownNamed?.name,
    values.REQUEST_TIMEOUT,
  );
  const others = fromFile.map((one) => ({
    ...one,
    provider: { ...one.provider, preset: refresh(one.provider.preset) },
  }));
  if (!hasOwn && others.length === 0) reportNoProvider(providersFile);
  const first = hasOwn ? ownWritten : others[0]?.provider;
  const searchSources = { key: secrets.SEARCH_API_KEY, url: secrets.SEARCH_URL, provider: first, isOwn: hasOwn };
  const search = chooseWebSearch({ values, choices: written, ...searchSources }, diagnostics);
  const ownConfig = ownWritten && withHostedSearch(ownWritten, search.hosted);
  const ownServing = ownNamed && ownConfig && { ...ownNamed, provider: ownConfig };
  const providers = hasOwn ? (ownServing === undefined ? [] : [ownServing, ...others]) : others;
  const host = { name: values.HOST, location: choices.get('HOST') ?? { name: 'HOST' } };
  const passesKeyOn = providers.some(({ provider }) => provider.key.source === 'client');
  checkClientToken(token, host, passesKeyOn, diagnostics);
  const models = chooseModels({ providers, unusable, hasOwn, modelsFile, choices, findNamedKey, refresh }, diagnostics);

  const visionAddress = choices.get('VISION_URL');
  const port = values.PORT ?? ownConfig?.preset.port ?? DEFAULT_PORT;
  const visionElsewhere =
    visionAddress &&
    visionServer(visionAddress, values, secrets.VISION_TOKEN, { host: values.HOST, port }, diagnostics);
  const customServers = [...(models?.customModels.values() ?? [])];
  const servers = [
    ...(ownConfig
      ? [{ provider: ownConfig, location: choices.get('OPENAI_BASE_URL') ?? { name: 'OPENAI_BASE_URL' } }]
      : []),
    ...others.map(({ name, provider }) => ({ provider, location: { name: `PROVIDERS_FILE (${name})` } })),
    ...customServers.map(({ name, provider }) => ({ provider, location: { name: `MODELS_FILE (${name})` } })),
    ...(visionElsewhere && visionAddress ? [{ provider: visionElsewhere.ref.provider, location: visionAddress }] : []),
  ];
  refuseMetadataAddresses(
    [...servers, ...search.servers, ...telemetryServers(values, written, secrets)],
    values.ALLOW_LINK_LOCAL === 'on',
    diagnostics,
  );
  warnOfForeignKeys(servers, variables, diagnostics);

  const ofFiles = [modelsFile, providersFile, pricesFile, clientTokens, kept].map((file) => file.diagnostics);
  const problems = [diagnostics, ...ofFiles].flatMap((one) =>
    one.problems.toSorted((a, b) => (a.line ?? Number.MAX_SAFE_INTEGER) - (b.line ?? Number.MAX_SAFE_INTEGER)),
  );
  const asked = files.asked();
  const address = { host: values.HOST, port: values.PORT ?? ownConfig?.preset.port ?? DEFAULT_PORT };
  if (problems.some(({ severity }) => severity === 'error') || !models) return { address, problems, files: asked };
  const parts = {
    ...models,
    vision: visionElsewhere ?? models.vision,
    ...fileSettings(providersFile, values, choices),
    providersFile: providersFile.file,
    prices: pricesFile.prices,
    pricesFile: written.get('PRICES_FILE')?.value,
    hooks,
    clients: clientTokens.clients,
    authorities: { file: written.get('CA_FILE')?.value, certificates, system: values.SYSTEM_CA === 'on' },
    files: asked,
    webSearch: search.search,
  };
  return { config: assembleConfig(source, values, parts), address, problems, files: asked };
}

function checkTokenLimits(values: SettingValues, choices: Choices, diagnostics: Diagnostics): void {
  const { MIN_TOKENS_LIMIT: minTokens, MAX_TOKENS_LIMIT: maxTokens } = values;
  if (minTokens === undefined || maxTokens === undefined || minTokens <= maxTokens) return;
  diagnostics.error(
    choices.get('MIN_TOKENS_LIMIT') ?? { name: 'MIN_TOKENS_LIMIT' },
    `${minTokens}, which is more than MAX_TOKENS_LIMIT (${maxTokens})`,
    'Lower it, or raise MAX_TOKENS_LIMIT.',
  );
}

/**
 * The network proxy of an instance. A shell whose exceptions make no difference gives the same configuration: without a proxy all of
 * them, with one this machine, which is always excepted.
 */
function chooseNetworkProxy({ httpProxy, httpsProxy, noProxy }: NetworkProxy): NetworkProxy {
  const hasProxy = httpProxy !== undefined || httpsProxy !== undefined;
  return { httpProxy, httpsProxy, noProxy: hasProxy ? withThisMachine(noProxy ?? '') : undefined };
}

/** Freezes a value and everything in it. */
function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of value instanceof Map ? value.values() : Object.values(value)) deepFreeze(inner);
  }
  return value;
}

/** Passwords in the addresses of network proxies, for redaction: as written and decoded. */
function secretsInProxy({ httpProxy, httpsProxy }: NetworkProxy): readonly string[] {
  return [httpProxy, httpsProxy].flatMap((address) => {
    const password = address === undefined ? '' : (URL.parse(address)?.password ?? '');
    return password === '' ? [] : [password, decodeURIComponent(password)];
  });
}

const DEFAULT_PORT = 8080;

/** What a configuration says of providers and models. */
type Models = Pick<
  Config,
  | 'provider'
  | 'tiers'
  | 'providers'
  | 'providersFile'
  | 'strategy'
  | 'router'
  | 'vision'
  | 'healthCheck'
  | 'breaker'
  | 'modelsFile'
  | 'customModels'
  | 'modelRefs'
  | 'modelPrefixes'
  | 'prices'
  | 'pricesFile'
  | 'hooks'
  | 'clients'
  | 'authorities'
  | 'files'
  | 'webSearch'
>;

/** The provider as data that can be hashed: a preset is known by its name, and by what a catalogue has changed of it. */
function presetByName(provider: ProviderConfig) {
  const { name, models } = provider.preset;
  const refreshed = Object.entries(models).flatMap(([model, facts]) => {
    const { contextWindow, maxOutput, prices } = facts;
    return facts.refreshed === undefined ? [] : [[model, facts.refreshed, contextWindow, maxOutput, prices]];
  });
  return { ...provider, preset: refreshed.length === 0 ? name : [name, refreshed] };
}

function secretsOf({ key, moreKeys = [], headers, overrides }: ProviderConfig): readonly Secret[] {
  return [
    ...[key, ...moreKeys].flatMap(({ secret }) => (secret === undefined ? [] : [secret])),
    ...[
      ...secretsInHeaders(headers),
      ...[overrides.extraBody, overrides.streamBody, overrides.webSearchBody].flatMap(secretsInFields),
    ].map((value) => new Secret(value)),
  ];
}

/** Puts the configuration together out of what has been checked. */
function assembleConfig(
  source: Pick<ConfigSource, 'file' | 'directory' | 'environment'>,
  values: SettingValues,
  models: Models,
): Config {
  const { provider, tiers } = models;
  const clientToken = values.ANTHROPIC_API_KEY === undefined ? undefined : new Secret(values.ANTHROPIC_API_KEY);
  const fields = placeValues(values, source.directory);
  const settings = {
    ...fields,
    instance: instanceName(source.file),
    port: fields.port ?? provider.preset.port ?? DEFAULT_PORT,
    clientToken,
    provider,
    tiers,
    networkProxy: chooseNetworkProxy(fields.networkProxy),
  };
  const custom = [...models.customModels.values()];
  const networkSecrets = secretsInProxy(settings.networkProxy).map((value) => new Secret(value));
  const config = deepFreeze({
    ...settings,
    ...models,
    manager: source.environment['MANAGER_COMMAND'] || './manage',
    file: resolve(source.directory, source.file),
    secrets: [
      ...[...models.providers, ...custom].flatMap((one) => secretsOf(one.provider)),
      ...(models.vision?.setting === 'VISION_URL' ? secretsOf(models.vision.ref.provider) : []),
      ...(clientToken === undefined ? [] : [clientToken]),
      ...(models.webSearch?.key === undefined ? [] : [models.webSearch.key]),
      ...networkSecrets,
      ...(settings.usageDatabase?.password === undefined ? [] : [settings.usageDatabase.password]),
      ...Object.values(settings.otlp.headers ?? {}),
    ],
  });
  let hash: string | undefined;
  return Object.freeze({
    ...config,
    // When it is asked for: a process that executes itself again does not, and loads no cryptography then.
    get hash() {
      hash ??= fingerprint({
        ...settings,
        // Hashed with the routing below, because the providers file may set it, too.
        breaker: undefined,
        provider: presetByName(provider),
        providers: models.providers.map((one) => ({ ...one, provider: presetByName(one.provider) })),
        routing: [models.strategy, models.router, models.breaker, models.healthCheck],
        customModels: custom.map((model) => ({ ...model, provider: presetByName(model.provider) })),
        prices: [...models.prices],
        hooks: models.hooks,
        clients: models.clients,
        vision: models.vision && [models.vision.ref.name, presetByName(models.vision.ref.provider)],
        authorities: [models.authorities.certificates, models.authorities.system],
        webSearch: models.webSearch && { ...models.webSearch, api: models.webSearch.api.name },
      });
      return hash;
    },
  });
}
