import { resolve } from 'node:path';
import { Secret } from '../core/secret.ts';
import type { ConfigSource } from './buildConfig.ts';
import { chooseNetworkProxy } from './chooseNetworkProxy.ts';
import type { Config, ProviderConfig } from './config.ts';
import { secretsInHeaders } from './customHeaders.ts';
import { deepFreeze } from './deepFreeze.ts';
import { fingerprint } from './fingerprint.ts';
import { instanceName } from './instanceName.ts';
import { secretsInProxy } from './proxySecrets.ts';
import type { Values } from './schema.ts';

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
  | 'healthCheck'
  | 'breaker'
  | 'modelsFile'
  | 'customModels'
  | 'modelPrefixes'
  | 'prices'
  | 'pricesFile'
  | 'hooks'
  | 'files'
>;

/** The settings without what cannot be compared as data. */
function presetByName(provider: ProviderConfig) {
  return { ...provider, preset: provider.preset.name };
}

function secretsOf({ key, moreKeys = [], headers }: ProviderConfig): readonly Secret[] {
  return [
    ...[key, ...moreKeys].flatMap(({ secret }) => (secret === undefined ? [] : [secret])),
    ...secretsInHeaders(headers).map((value) => new Secret(value)),
  ];
}

/** Puts the configuration together out of what has been checked. */
export function assembleConfig(
  source: Pick<ConfigSource, 'file' | 'directory'>,
  values: Values,
  models: Models,
): Config {
  const { provider, tiers } = models;
  const clientToken = values.ANTHROPIC_API_KEY === undefined ? undefined : new Secret(values.ANTHROPIC_API_KEY);
  const settings = {
    instance: instanceName(source.file),
    host: values.HOST,
    port: values.PORT ?? provider.preset.port ?? DEFAULT_PORT,
    allowedHosts: values.ALLOWED_HOSTS,
    clientToken,
    provider,
    tiers,
    networkProxy: chooseNetworkProxy(values),
    limits: {
      maxTokens: values.MAX_TOKENS_LIMIT,
      minTokens: values.MIN_TOKENS_LIMIT,
      maxBodyBytes: values.MAX_BODY_BYTES,
    },
    requestTimeoutMs: values.REQUEST_TIMEOUT,
    maxRetries: values.MAX_RETRIES,
    longContextThreshold: values.LONG_CONTEXT_THRESHOLD,
    budget: { attempts: values.MAX_ATTEMPTS, timeMs: values.FALLBACK_SECONDS },
    concurrency: { places: values.MAX_CONCURRENT, queueLength: values.MAX_QUEUE },
    logs: {
      level: values.LOG_LEVEL,
      directory: resolve(source.directory, values.LOG_DIR),
      maxSizeBytes: values.LOG_MAX_SIZE,
      retentionMs: values.LOG_RETENTION_DAYS,
      maxTotalBytes: values.LOG_MAX_TOTAL,
    },
    stateDirectory: resolve(source.directory, values.STATE_DIR),
    usageRetentionDays: values.USAGE_RETENTION_DAYS,
    permissionModel: values.PERMISSION_MODEL,
    drainMs: values.DRAIN_SECONDS,
  };
  const custom = [...models.customModels.values()];
  const networkSecrets = secretsInProxy(settings.networkProxy).map((value) => new Secret(value));
  return deepFreeze({
    ...settings,
    ...models,
    file: resolve(source.directory, source.file),
    hash: fingerprint({
      ...settings,
      provider: presetByName(provider),
      providers: models.providers.map((one) => ({ ...one, provider: presetByName(one.provider) })),
      routing: [models.strategy, models.router, models.breaker, models.healthCheck],
      customModels: custom.map((model) => ({ ...model, provider: presetByName(model.provider) })),
      prices: [...models.prices],
      hooks: models.hooks,
    }),
    secrets: [
      ...[...models.providers, ...custom].flatMap((one) => secretsOf(one.provider)),
      ...(clientToken === undefined ? [] : [clientToken]),
      ...networkSecrets,
    ],
  });
}
