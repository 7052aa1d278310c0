import { resolve } from 'node:path';
import { Secret } from '../core/secret.ts';
import type { Tiers } from '../providers/preset.ts';
import { chooseBaseUrl } from './chooseBaseUrl.ts';
import { chooseEndpoint } from './chooseEndpoint.ts';
import { choosePreset } from './choosePreset.ts';
import { chooseTiers } from './chooseTiers.ts';
import { chooseValues } from './chooseValues.ts';
import { checkClientToken } from './clientToken.ts';
import type { Config, Problem, ProviderConfig } from './config.ts';
import { readCustomHeaders, secretsInHeaders } from './customHeaders.ts';
import { deepFreeze } from './deepFreeze.ts';
import { expandVariables } from './expand.ts';
import { findSecret, type ReadSecretFile } from './findSecret.ts';
import { fingerprint } from './fingerprint.ts';
import { instanceName } from './instanceName.ts';
import { directNames } from './keyGroups.ts';
import { type ParseAssignments, parseEnvText } from './parseEnvText.ts';
import { findProviderKey, passesKeyThrough, providerKey } from './providerKey.ts';
import { secretsInProxy } from './proxySecrets.ts';
import { readQuirks } from './quirks.ts';
import { readValues } from './readValues.ts';
import { createReport } from './report.ts';
import type { Values } from './schema.ts';
import { warnOfUnknownKeys } from './unknownKeys.ts';
import { collectVariables, type Environment } from './variables.ts';

export interface ConfigSource {
  /** Path of the env file as the user gave it; problems show it so. */
  readonly file: string;
  readonly text: string;
  readonly parse: ParseAssignments;
  readonly environment: Environment;
  readonly readSecretFile: ReadSecretFile;
  /** Absolute; what relative paths start from. */
  readonly directory: string;
}

export interface ConfigResult {
  /** Present when no problem is an error. */
  readonly config?: Config;
  readonly problems: readonly Problem[];
}

const DEFAULT_PORT = 8080;

/** From the text of an env file to the configuration of its instance, or to everything that is wrong with it at once. */
export function buildConfig(source: ConfigSource): ConfigResult {
  const { environment, readSecretFile } = source;
  const report = createReport(source.file);
  const entries = parseEnvText(source.text, source.parse, report);
  warnOfUnknownKeys(entries, report);
  const variables = expandVariables(collectVariables(entries, environment), environment, report);
  const choices = chooseValues(variables, report);

  const preset = choosePreset(choices, variables, report);
  const key = preset && findProviderKey(preset, variables, readSecretFile, report);
  const token = findSecret(directNames('ANTHROPIC_API_KEY'), variables, readSecretFile, report);
  const values = readValues(choices, { OPENAI_API_KEY: key, ANTHROPIC_API_KEY: token }, report);
  const host = { name: values.HOST, place: choices.get('HOST') ?? { key: 'HOST' } };
  checkClientToken(token, host, preset !== undefined && passesKeyThrough(preset, key), report);
  const { MIN_TOKENS_LIMIT: minTokens, MAX_TOKENS_LIMIT: maxTokens } = values;
  if (minTokens !== undefined && maxTokens !== undefined && minTokens > maxTokens)
    report.error(
      choices.get('MIN_TOKENS_LIMIT') ?? { key: 'MIN_TOKENS_LIMIT' },
      `${minTokens}, which is more than MAX_TOKENS_LIMIT (${maxTokens})`,
      'Lower it, or raise MAX_TOKENS_LIMIT.',
    );
  const headers = readCustomHeaders(variables, report);
  const overrides = readQuirks(variables, report);
  const baseUrl = preset && chooseBaseUrl(values, choices, preset, report);
  const endpoint = chooseEndpoint(baseUrl ?? '', preset, choices.get('API_VERSION'), report);
  const tiers = preset && chooseTiers(values, preset, report);

  const sound = report.problems.every((problem) => problem.severity === 'warning');
  const problems = report.problems.toSorted(
    (a, b) => (a.line ?? Number.MAX_SAFE_INTEGER) - (b.line ?? Number.MAX_SAFE_INTEGER),
  );
  if (!sound || preset === undefined || baseUrl === undefined || tiers === undefined) return { problems };
  const keyHeader = preset.keyHeader ?? 'authorization';
  const provider = { preset, baseUrl, endpoint, keyHeader, key: providerKey(preset, key), headers, overrides };
  return { config: assembleConfig(source, values, provider, tiers), problems };
}

function assembleConfig(source: ConfigSource, values: Values, provider: ProviderConfig, tiers: Tiers): Config {
  const clientToken = values.ANTHROPIC_API_KEY === undefined ? undefined : new Secret(values.ANTHROPIC_API_KEY);
  const settings = {
    instance: instanceName(source.file),
    host: values.HOST,
    port: values.PORT ?? provider.preset.port ?? DEFAULT_PORT,
    allowedHosts: values.ALLOWED_HOSTS,
    clientToken,
    provider,
    tiers,
    networkProxy: { httpProxy: values.HTTP_PROXY, httpsProxy: values.HTTPS_PROXY, noProxy: values.NO_PROXY },
    limits: {
      maxTokens: values.MAX_TOKENS_LIMIT,
      minTokens: values.MIN_TOKENS_LIMIT,
      maxBodyBytes: values.MAX_BODY_BYTES,
    },
    requestTimeoutMs: values.REQUEST_TIMEOUT,
    maxRetries: values.MAX_RETRIES,
    logs: {
      level: values.LOG_LEVEL,
      directory: resolve(source.directory, values.LOG_DIR),
      maxSizeBytes: values.LOG_MAX_SIZE,
      retentionMs: values.LOG_RETENTION_DAYS,
      maxTotalBytes: values.LOG_MAX_TOTAL,
    },
    stateDirectory: resolve(source.directory, values.STATE_DIR),
    drainMs: values.DRAIN_SECONDS,
  };
  return deepFreeze({
    ...settings,
    file: resolve(source.directory, source.file),
    hash: fingerprint({ ...settings, provider: { ...provider, preset: provider.preset.name } }),
    secrets: [
      ...(provider.key.secret === undefined ? [] : [provider.key.secret]),
      ...(clientToken === undefined ? [] : [clientToken]),
      ...[...secretsInHeaders(provider.headers), ...secretsInProxy(settings.networkProxy)].map(
        (value) => new Secret(value),
      ),
    ],
  });
}
