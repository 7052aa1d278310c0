import type { Preset, Tiers } from '../../providers/preset.ts';
import type { NamedProvider } from '../config.ts';
import { warnOfMissing } from '../document/expandTexts.ts';
import { readHeaderMapping, readQuirkMapping } from '../document/mappings.ts';
import type { Place, Report } from '../report.ts';
import { findServer } from './findServer.ts';
import { findKeys, type KeySources } from './providerKeys.ts';
import type { ProviderEntry } from './readProviders.ts';
import type { ProvidersFile } from './readProvidersFile.ts';

type Models = NamedProvider['models'];

/** The providers of a file that can be used, and the names of the others. */
export interface FileProviders {
  /** By priority; the models by the provider's own names for them. */
  readonly providers: readonly NamedProvider[];
  readonly unusable: readonly string[];
}

function findModels({ values, place }: ProviderEntry, preset: Preset, report: Report): Models | undefined {
  const given = (tier: keyof Tiers) => {
    const models = values.models?.[tier];
    return models?.length === 0 ? undefined : models;
  };
  const own = (tier: keyof Tiers) => (preset.tiers === undefined ? undefined : [preset.tiers[tier]]);
  const big = given('big') ?? own('big') ?? given('middle') ?? given('small');
  if (big === undefined) {
    report.error(
      place('models'),
      'nothing',
      `Name its models: "models": {"big": ["MODEL"]}. The preset ${preset.name} has none of its own.`,
    );
    return undefined;
  }
  const middle = given('middle') ?? given('big') ?? own('middle') ?? big;
  return { big, middle, small: given('small') ?? own('small') ?? middle };
}

function fileProvider(entry: ProviderEntry, sources: KeySources, requestTimeoutMs: number): NamedProvider | undefined {
  const { name, values, place, missing } = entry;
  const { report } = sources;
  for (const one of missing) warnOfMissing(one, 'the provider', report);
  if (missing.length > 0) return undefined;
  const headers = readHeaderMapping(values.custom_headers, (header) => place('custom_headers', header), report);
  const overrides = readQuirkMapping(values.quirks, (quirk) => place('quirks', quirk), report);
  const server = findServer(entry, report);
  const models = server && findModels(entry, server.preset, report);
  const keys = server && findKeys(entry, server, sources);
  if (server === undefined || models === undefined || keys === undefined) return undefined;
  const [key, ...moreKeys] = keys;
  const keyHeader = server.preset.keyHeader ?? 'authorization';
  return {
    name,
    provider: { ...server, keyHeader, key, headers, overrides, ...(moreKeys.length > 0 ? { moreKeys } : {}) },
    priority: values.priority ?? 1,
    weight: values.weight ?? 1,
    models,
    requestTimeoutMs: values.timeout ?? requestTimeoutMs,
    maxRetries: values.max_retries,
  };
}

/**
 * Everything usable in the file.
 * @param ownName of the env file's own provider, which goes before one of that name
 * @param requestTimeoutMs of the providers that have none of their own
 */
export function fileProviders(
  { file, entries, openMode, report }: ProvidersFile,
  sources: Pick<KeySources, 'findNamedKey' | 'lookUp'>,
  ownName: string | undefined,
  requestTimeoutMs: number,
): FileProviders {
  const literals: Place[] = [];
  const providers: NamedProvider[] = [];
  const unusable: string[] = [];
  for (const entry of entries) {
    if (entry.name.toLowerCase() === ownName) {
      const found = 'the name of the env file’s own provider, which is used in place of this one';
      report.warning(entry.place('name'), found, 'Give it another name, or remove PROVIDER from the env file.');
      continue;
    }
    const all = { ...sources, onLiteral: (place: Place) => literals.push(place), report };
    const provider = entry.values.enabled === false ? undefined : fileProvider(entry, all, requestTimeoutMs);
    if (provider === undefined) unusable.push(entry.name);
    else providers.push(provider);
  }
  const [literal] = literals;
  if (literal !== undefined && openMode !== undefined)
    report.warning(literal, `a key in a file that other users may read (mode ${openMode})`, `Run: chmod 600 ${file}`);
  return { providers: providers.toSorted((a, b) => a.priority - b.priority), unusable };
}
