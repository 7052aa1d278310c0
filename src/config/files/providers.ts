import { isObject, type Json } from '../../core/json.ts';
import { Secret } from '../../core/secret.ts';
import { guessPreset } from '../../providers/index.ts';
import type { Preset, Tiers } from '../../providers/preset.ts';
import type { NamedProvider, ProviderConfig, ProviderKey } from '../config.ts';
import type { Diagnostics, SourcedValue, SourceLocation } from '../diagnostics.ts';
import type { LookUp } from '../env/variables.ts';
import { readHeaderMapping, readQuirkMapping } from '../overrides.ts';
import { secret } from '../parsers.ts';
import { chooseBaseUrl, chooseEndpoints, inProtocol, presetNamed, refuseUnusableModel } from '../provider.ts';
import { type FindNamedKey, isPlaceholder, isTrivialToken, needsNoKey } from '../secrets.ts';
import { expandTexts, warnOfMissing } from './document.ts';
import type { ProviderEntry, ProvidersFile } from './providersFile.ts';

/** The address of a provider, and the protocol it speaks. */
export type Server = Pick<ProviderConfig, 'preset' | 'baseUrl' | 'endpoint' | 'responsesEndpoint' | 'protocol'>;

function findPreset({ values, locationOf, has }: ProviderEntry, diagnostics: Diagnostics): Preset | undefined {
  if (values.preset !== undefined) return presetNamed({ ...locationOf('preset'), value: values.preset }, diagnostics);
  if (values.base_url !== undefined) return guessPreset(values.base_url);
  // A wrong address has been reported already.
  if (!has('preset') && !has('base_url'))
    diagnostics.error(
      locationOf('base_url'),
      'nothing',
      'Set the address of its API, or a preset (docs/PROVIDERS.md).',
    );
  return undefined;
}

/** Where an entry's provider is; undefined when that cannot be known, which is reported. */
function findServer(entry: ProviderEntry, diagnostics: Diagnostics): Server | undefined {
  const { values, locationOf } = entry;
  const written = (field: 'base_url' | 'protocol' | 'region' | 'api_version'): SourcedValue | undefined => {
    const value = values[field];
    return value === undefined ? undefined : { ...locationOf(field), value };
  };
  const own = findPreset(entry, diagnostics);
  const preset = own && inProtocol(own, written('protocol'), diagnostics);
  if (preset === undefined) return undefined;
  const address = written('base_url');
  const wishes = { address, baseUrl: address?.value, region: written('region'), location: locationOf('base_url') };
  const baseUrl = chooseBaseUrl(wishes, preset, diagnostics);
  return {
    preset,
    baseUrl,
    ...chooseEndpoints(baseUrl, preset, written('api_version'), written('protocol'), diagnostics),
  };
}

/** What is needed to find the keys of a file's providers. */
interface KeySources {
  readonly findNamedKey: FindNamedKey;
  readonly lookUp: LookUp;
  /** Called with the location of each key that stands in the file itself. */
  readonly onLiteral: (location: SourceLocation) => void;
  readonly diagnostics: Diagnostics;
}

const REFERENCE_ALONE = /^\$\{([A-Za-z_]\w*)\}$/;

/** The texts of `api_key` and `api_keys`, as they are written. */
function writtenKeys({
  values,
  locationOf,
}: ProviderEntry): readonly { readonly value: Json; readonly location: SourceLocation }[] {
  const { api_key: one, api_keys: several } = values;
  const list = Array.isArray(several)
    ? several.map((value, index) => ({ value, location: locationOf('api_keys', index) }))
    : [{ value: several ?? null, location: locationOf('api_keys') }];
  return [{ value: one ?? null, location: locationOf('api_key') }, ...list].filter(
    ({ value }) => value !== null && value !== '',
  );
}

/** `none`: what an example had in its place, which counts as no key; undefined: no key for now. Both are reported. */
type Read = ProviderKey | 'none' | undefined;

function keyNamed(name: string, location: SourceLocation, { findNamedKey, lookUp, diagnostics }: KeySources): Read {
  const found = findNamedKey(name);
  if (found !== undefined)
    return { source: found.source, variable: found.variable.name, secret: new Secret(found.value) };
  // A placeholder has been reported at its own line.
  if (isPlaceholder(lookUp(name) ?? '')) return 'none';
  diagnostics.warning(
    location,
    `\${${name}}, which holds no key in the env file or the environment`,
    `Set ${name} in the env file; without a key the provider is left out.`,
  );
  return undefined;
}

function readKey(written: Json, location: SourceLocation, sources: KeySources): Read {
  const { lookUp, onLiteral, diagnostics } = sources;
  if (isObject(written) || Array.isArray(written)) {
    diagnostics.error(location, 'several values', 'Write one key, or a list of keys under api_keys.');
    return undefined;
  }
  const text = String(written).trim();
  const [, name] = REFERENCE_ALONE.exec(text) ?? [];
  if (name !== undefined) return keyNamed(name, location, sources);
  const expanded = expandTexts(text, lookUp, location, diagnostics);
  for (const one of expanded.missing) warnOfMissing(one, 'the provider', diagnostics);
  if (expanded.missing.length > 0) return undefined;
  const value = String(expanded.value);
  if (isPlaceholder(value)) {
    diagnostics.warning(location, 'a placeholder, which counts as no key', 'Put your key here.');
    return 'none';
  }
  if (secret.parse(value) === undefined) {
    diagnostics.error(location, `a value of ${value.length} characters (not shown)`, `Set ${secret.form}.`);
    return undefined;
  }
  if (value === text && !isTrivialToken(value)) onLiteral(location);
  return { source: 'providers file', variable: location.name, secret: new Secret(value) };
}

function withoutDoubles(keys: readonly ProviderKey[]): readonly ProviderKey[] {
  return [...new Map(keys.map((key) => [key.secret?.reveal(), key])).values()];
}

/**
 * The keys for an entry's server, each once; undefined when there are none, which is reported. As in an env file, the client's own is
 * passed on in place of one that was left as an example had it.
 */
function findKeys(
  entry: ProviderEntry,
  { preset, baseUrl }: Pick<ProviderConfig, 'preset' | 'baseUrl'>,
  sources: KeySources,
): readonly [ProviderKey, ...ProviderKey[]] | undefined {
  const read = writtenKeys(entry).map(({ value, location }) => readKey(value, location, sources));
  const [first, ...others] = withoutDoubles(read.filter((key) => typeof key === 'object'));
  if (first !== undefined) return [first, ...others];
  if (needsNoKey(preset, baseUrl) && !read.includes(undefined)) return [{ source: 'none', variable: '' }];
  if (read.includes('none')) return [{ source: 'client', variable: entry.locationOf('api_key').name }];
  if (read.length === 0)
    sources.diagnostics.error(
      entry.locationOf('api_key'),
      'nothing',
      `Set its key: "api_key": "\${${preset.keyNames[0] ?? 'MY_API_KEY'}}", and the variable in the env file.`,
    );
  return undefined;
}

type Models = NamedProvider['models'];

/** The providers of a file that can be used, and the names of the others. */
export interface FileProviders {
  /** By priority; the models by the provider's own names for them. */
  readonly providers: readonly NamedProvider[];
  readonly unusable: readonly string[];
}

function findModels(
  { values, locationOf }: ProviderEntry,
  server: Server,
  diagnostics: Diagnostics,
): Models | undefined {
  const { preset } = server;
  const given = (tier: keyof Tiers) => {
    const models = values.models?.[tier];
    return models?.length === 0 ? undefined : models;
  };
  for (const tier of ['big', 'middle', 'small'] as const)
    for (const [index, model] of (given(tier) ?? []).entries())
      refuseUnusableModel(model, server, locationOf('models', tier, index), diagnostics);
  const own = (tier: keyof Tiers) => (preset.tiers === undefined ? undefined : [preset.tiers[tier]]);
  const big = given('big') ?? own('big') ?? given('middle') ?? given('small');
  if (big === undefined) {
    diagnostics.error(
      locationOf('models'),
      'nothing',
      `Name its models: "models": {"big": ["MODEL"]}. The preset ${preset.name} has none of its own.`,
    );
    return undefined;
  }
  const middle = given('middle') ?? given('big') ?? own('middle') ?? big;
  return { big, middle, small: given('small') ?? own('small') ?? middle };
}

function fileProvider(entry: ProviderEntry, sources: KeySources, requestTimeoutMs: number): NamedProvider | undefined {
  const { name, values, locationOf, missing } = entry;
  const { diagnostics } = sources;
  for (const one of missing) warnOfMissing(one, 'the provider', diagnostics);
  if (missing.length > 0) return undefined;
  const headers = readHeaderMapping(
    values.custom_headers,
    (header) => locationOf('custom_headers', header),
    diagnostics,
  );
  const overrides = readQuirkMapping(values.quirks, (quirk) => locationOf('quirks', quirk), diagnostics);
  const server = findServer(entry, diagnostics);
  const models = server && findModels(entry, server, diagnostics);
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
  { file, entries, openMode, diagnostics }: ProvidersFile,
  sources: Pick<KeySources, 'findNamedKey' | 'lookUp'>,
  ownName: string | undefined,
  requestTimeoutMs: number,
): FileProviders {
  const literals: SourceLocation[] = [];
  const providers: NamedProvider[] = [];
  const unusable: string[] = [];
  for (const entry of entries) {
    if (entry.name.toLowerCase() === ownName) {
      const found = 'the name of the env file’s own provider, which is used in place of this one';
      diagnostics.warning(
        entry.locationOf('name'),
        found,
        'Give it another name, or remove PROVIDER from the env file.',
      );
      continue;
    }
    const all = { ...sources, onLiteral: (location: SourceLocation) => literals.push(location), diagnostics };
    const provider = entry.values.enabled === false ? undefined : fileProvider(entry, all, requestTimeoutMs);
    if (provider === undefined) unusable.push(entry.name);
    else providers.push(provider);
  }
  const [literal] = literals;
  if (literal !== undefined && openMode !== undefined)
    diagnostics.warning(
      literal,
      `a key in a file that other users may read (mode ${openMode})`,
      `Run: chmod 600 ${file}`,
    );
  return { providers: providers.toSorted((a, b) => a.priority - b.priority), unusable };
}
