import { customId } from '../core/modelName.ts';
import { assembleConfig } from './assembleConfig.ts';
import { borrowAddress } from './borrowAddress.ts';
import { chooseBaseUrl } from './chooseBaseUrl.ts';
import { chooseEndpoint } from './chooseEndpoint.ts';
import { choosePreset } from './choosePreset.ts';
import { chooseTiers } from './chooseTiers.ts';
import { chooseValues } from './chooseValues.ts';
import { checkClientToken } from './clientToken.ts';
import type { Config, Problem } from './config.ts';
import { readCustomHeaders } from './customHeaders.ts';
import { expandVariables } from './expand.ts';
import { findSecret, type ReadSecretFile } from './findSecret.ts';
import { directNames } from './keyGroups.ts';
import { modelPrefixes } from './modelPrefixes.ts';
import { customModels } from './modelsFile/customModels.ts';
import { createNamedKeys } from './modelsFile/namedKeys.ts';
import { type FindModelsFile, readModelsFile } from './modelsFile/readModelsFile.ts';
import { type ParseAssignments, parseEnvText } from './parseEnvText.ts';
import { readPricesFile } from './pricesFile.ts';
import { findProviderKey, passesKeyThrough, providerKey } from './providerKey.ts';
import { readQuirks } from './quirks.ts';
import { readValues } from './readValues.ts';
import { createReport } from './report.ts';
import { warnOfUnknownKeys } from './unknownKeys.ts';
import { collectVariables, type Environment } from './variables.ts';

export interface ConfigSource {
  /** Path of the env file as the user gave it; problems show it so. */
  readonly file: string;
  readonly text: string;
  readonly parse: ParseAssignments;
  readonly environment: Environment;
  readonly readSecretFile: ReadSecretFile;
  readonly findModelsFile: FindModelsFile;
  /** Absolute; what relative paths start from. */
  readonly directory: string;
}

export interface ConfigResult {
  /** Present when no problem is an error. */
  readonly config?: Config;
  readonly problems: readonly Problem[];
}

/** From the text of an env file to the configuration of its instance, or to everything that is wrong with it at once. */
export function buildConfig(source: ConfigSource): ConfigResult {
  const { environment, readSecretFile } = source;
  const report = createReport(source.file);
  const entries = parseEnvText(source.text, source.parse, report);
  const variables = expandVariables(collectVariables(entries, environment), environment, report);
  const written = chooseValues(variables, report);
  const models = readModelsFile(source.findModelsFile, written, variables, environment, report);
  warnOfUnknownKeys(entries, models.names, report);

  const findNamedKey = createNamedKeys(variables, environment, readSecretFile, report);
  const { choices, entry: home } = borrowAddress(written, models.entries, variables, models.names);
  const preset = choosePreset(choices, variables, models.names, report);
  const keyName = home?.values.api_key_name;
  const key =
    keyName === undefined
      ? preset && findProviderKey(preset, variables, models.names, readSecretFile, report)
      : findNamedKey(keyName);
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
  const provider = preset &&
    baseUrl !== undefined && {
      preset,
      baseUrl,
      endpoint,
      keyHeader: preset.keyHeader ?? 'authorization',
      key: providerKey(preset, key),
      headers,
      overrides,
    };
  const custom = provider && customModels(models.entries, provider, findNamedKey, models.report);
  const declared = new Set(models.entries.map(({ id }) => customId(id)));
  const prefixes = preset && modelPrefixes(preset);
  const tiers =
    custom &&
    prefixes &&
    chooseTiers(values, choices, preset, { provider: preset.name, customModels: custom, declared, prefixes }, report);

  const prices = readPricesFile(choices.get('PRICES_FILE'), readSecretFile, report);

  const problems = [report, models.report, prices.report].flatMap((one) =>
    one.problems.toSorted((a, b) => (a.line ?? Number.MAX_SAFE_INTEGER) - (b.line ?? Number.MAX_SAFE_INTEGER)),
  );
  if (problems.some(({ severity }) => severity === 'error') || !provider || !tiers) return { problems };
  const parts = {
    provider,
    tiers,
    modelsFile: models.file,
    customModels: custom,
    modelPrefixes: prefixes,
    prices: prices.prices,
  };
  return { config: assembleConfig(source, values, parts), problems };
}
