import type { Preset } from '../providers/preset.ts';
import { borrowAddress } from './borrowAddress.ts';
import { chooseBaseUrl } from './chooseBaseUrl.ts';
import { chooseEndpoint } from './chooseEndpoint.ts';
import { choosePreset } from './choosePreset.ts';
import type { Choices } from './chooseValues.ts';
import type { ProviderConfig } from './config.ts';
import { readCustomHeaders } from './customHeaders.ts';
import type { FoundSecret, ReadSecretFile } from './findSecret.ts';
import type { ModelEntry } from './modelsFile/readEntries.ts';
import type { FindNamedKey } from './namedKeys.ts';
import { findProviderKey, providerKey } from './providerKey.ts';
import { readQuirks } from './quirks.ts';
import type { Report } from './report.ts';
import type { Values } from './schema.ts';
import type { Variables } from './variables.ts';

/** Who the env file's own provider is, before its values are checked. */
export interface OwnProvider {
  /** As written, or with the address of the models file's entry that the instance lives by. */
  readonly choices: Choices;
  /** Undefined when it cannot be known, which is told. */
  readonly preset: Preset | undefined;
  readonly key: FoundSecret | undefined;
}

/** What the env file's own provider is found by. */
export interface OwnSources {
  readonly choices: Choices;
  readonly variables: Variables;
  readonly models: readonly ModelEntry[];
  /** Names of variables that other files ask for. */
  readonly used: ReadonlySet<string>;
  readonly findNamedKey: FindNamedKey;
  readonly readSecretFile: ReadSecretFile;
}

/** Finds the env file's own provider and its key. */
export function findOwnProvider(sources: OwnSources, report: Report): OwnProvider {
  const { variables, models, used, findNamedKey, readSecretFile } = sources;
  const { choices, entry } = borrowAddress(sources.choices, models, variables, used);
  const preset = choosePreset(choices, variables, used, report);
  const keyName = entry?.values.api_key_name;
  const key =
    keyName === undefined
      ? preset && findProviderKey(preset, variables, used, readSecretFile, report)
      : findNamedKey(keyName);
  return { choices, preset, key };
}

/** The settings of the env file's own provider; undefined when it is not known. */
export function ownProvider(
  { choices, preset, key }: OwnProvider,
  values: Values,
  variables: Variables,
  report: Report,
): ProviderConfig | undefined {
  const headers = readCustomHeaders(variables, report);
  const overrides = readQuirks(variables, report);
  if (preset === undefined) return undefined;
  const wishes = {
    address: choices.get('OPENAI_BASE_URL'),
    baseUrl: values.OPENAI_BASE_URL,
    region: choices.get('REGION'),
    place: { key: 'OPENAI_BASE_URL' },
  };
  const baseUrl = chooseBaseUrl(wishes, preset, report);
  return {
    preset,
    baseUrl,
    endpoint: chooseEndpoint(baseUrl, preset, choices.get('API_VERSION'), report),
    keyHeader: preset.keyHeader ?? 'authorization',
    key: providerKey(preset, key),
    headers,
    overrides,
  };
}
