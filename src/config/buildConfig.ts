import { assembleConfig } from './assembleConfig.ts';
import { chooseModels } from './chooseModels.ts';
import { type Choices, chooseValues } from './chooseValues.ts';
import { checkClientToken } from './clientToken.ts';
import type { Config, Problem } from './config.ts';
import { expandVariables } from './expand.ts';
import { createFiles, type ReadFile } from './files.ts';
import { findSecret } from './findSecret.ts';
import { findHooksFile } from './hooksFile.ts';
import { warnOfIdleKeys } from './idleKeys.ts';
import { asNamedProvider } from './instanceProviders.ts';
import { directNames } from './keyGroups.ts';
import { refuseLinkLocal } from './linkLocal.ts';
import { readModelsFile } from './modelsFile/readModelsFile.ts';
import { createNamedKeys } from './namedKeys.ts';
import { findOwnProvider, ownProvider } from './ownProvider.ts';
import { type ParseAssignments, parseEnvText } from './parseEnvText.ts';
import { readPricesFile } from './pricesFile.ts';
import { fileProviders } from './providersFile/fileProviders.ts';
import { fileSettings } from './providersFile/fileSettings.ts';
import { readProvidersFile } from './providersFile/readProvidersFile.ts';
import { reportNoProvider } from './providersFile/reportNoProvider.ts';
import { readValues } from './readValues.ts';
import { createReport, type Report } from './report.ts';
import type { Values } from './schema.ts';
import { warnOfUnknownKeys } from './unknownKeys.ts';
import { collectVariables, createLookUp, type Environment } from './variables.ts';

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
  readonly problems: readonly Problem[];
  /** Absolute paths of all files that were looked for, also of those that are not there: a change of one may change the result. */
  readonly files: readonly string[];
}

function checkTokenLimits(values: Values, choices: Choices, report: Report): void {
  const { MIN_TOKENS_LIMIT: minTokens, MAX_TOKENS_LIMIT: maxTokens } = values;
  if (minTokens === undefined || maxTokens === undefined || minTokens <= maxTokens) return;
  report.error(
    choices.get('MIN_TOKENS_LIMIT') ?? { key: 'MIN_TOKENS_LIMIT' },
    `${minTokens}, which is more than MAX_TOKENS_LIMIT (${maxTokens})`,
    'Lower it, or raise MAX_TOKENS_LIMIT.',
  );
}

/** From the text of an env file to the configuration of its instance, or to everything that is wrong with it at once. */
export function buildConfig(source: ConfigSource): ConfigResult {
  const { environment } = source;
  const report = createReport(source.file);
  const files = createFiles(source.file, source.directory, source.readFile);
  const readSecretFile = (path: string) => files.read(path).text;
  const entries = parseEnvText(source.text, source.parse, report);
  const variables = expandVariables(collectVariables(entries, environment), environment, report);
  const lookUp = createLookUp(variables, environment);
  const written = chooseValues(variables, report);
  const modelsFile = readModelsFile(files, written, lookUp, report);
  const providersFile = readProvidersFile(files, written, lookUp, report);
  const pricesFile = readPricesFile(written.get('PRICES_FILE'), readSecretFile, report);
  const hooks = findHooksFile(written.get('HOOKS_FILE'), source.directory, readSecretFile, report);
  const used = new Set([...modelsFile.names, ...providersFile.names]);
  warnOfUnknownKeys(entries, used, report);

  const findNamedKey = createNamedKeys(variables, environment, readSecretFile, report);
  // Beside a providers file the env file has a provider of its own only where it says so: a key alone is one that the file asks for.
  const hasOwn = written.has('PROVIDER') || (providersFile.file === undefined && !written.has('PROVIDERS_FILE'));
  const sources = { choices: written, variables, models: modelsFile.entries, used, findNamedKey, readSecretFile };
  const own = hasOwn ? findOwnProvider(sources, report) : undefined;
  if (!hasOwn) warnOfIdleKeys(variables, used, report);
  const choices = own?.choices ?? written;
  const token = findSecret(directNames('ANTHROPIC_API_KEY'), variables, readSecretFile, report);
  const values = readValues(choices, { OPENAI_API_KEY: own?.key, ANTHROPIC_API_KEY: token }, report);
  checkTokenLimits(values, choices, report);

  const ownConfig = own && ownProvider(own, values, variables, report);
  const ownNamed = ownConfig && asNamedProvider(ownConfig, values.REQUEST_TIMEOUT);
  const { providers: others, unusable } = fileProviders(
    providersFile,
    { findNamedKey, lookUp },
    ownNamed?.name,
    values.REQUEST_TIMEOUT,
  );
  if (!hasOwn && others.length === 0) reportNoProvider(providersFile);
  const providers = hasOwn ? (ownNamed === undefined ? [] : [ownNamed, ...others]) : others;
  const host = { name: values.HOST, place: choices.get('HOST') ?? { key: 'HOST' } };
  const passesKeyOn = providers.some(({ provider }) => provider.key.source === 'client');
  checkClientToken(token, host, passesKeyOn, report);
  const models = chooseModels({ providers, unusable, hasOwn, modelsFile, choices, findNamedKey }, report);

  const customServers = [...(models?.customModels.values() ?? [])];
  refuseLinkLocal(
    [
      ...(ownConfig
        ? [{ provider: ownConfig, place: choices.get('OPENAI_BASE_URL') ?? { key: 'OPENAI_BASE_URL' } }]
        : []),
      ...others.map(({ name, provider }) => ({ provider, place: { key: `PROVIDERS_FILE (${name})` } })),
      ...customServers.map(({ name, provider }) => ({ provider, place: { key: `MODELS_FILE (${name})` } })),
    ],
    values.ALLOW_LINK_LOCAL === 'on',
    report,
  );

  const problems = [report, modelsFile.report, providersFile.report, pricesFile.report].flatMap((one) =>
    one.problems.toSorted((a, b) => (a.line ?? Number.MAX_SAFE_INTEGER) - (b.line ?? Number.MAX_SAFE_INTEGER)),
  );
  const asked = files.asked();
  if (problems.some(({ severity }) => severity === 'error') || !models) return { problems, files: asked };
  const parts = {
    ...models,
    ...fileSettings(providersFile, values, choices),
    providersFile: providersFile.file,
    prices: pricesFile.prices,
    pricesFile: written.get('PRICES_FILE')?.value,
    hooks,
    files: asked,
  };
  return { config: assembleConfig(source, values, parts), problems, files: asked };
}
