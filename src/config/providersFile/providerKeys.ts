import { isObject, type Json } from '../../core/json.ts';
import { Secret } from '../../core/secret.ts';
import type { ProviderConfig, ProviderKey } from '../config.ts';
import { expandTexts, warnOfMissing } from '../document/expandTexts.ts';
import type { FindNamedKey } from '../namedKeys.ts';
import { secret } from '../parsers.ts';
import { isPlaceholder, isTrivialToken } from '../placeholder.ts';
import { needsNoKey } from '../providerKey.ts';
import type { Place, Report } from '../report.ts';
import type { LookUp } from '../variables.ts';
import type { ProviderEntry } from './readProviders.ts';

/** What is needed to find the keys of a file's providers. */
export interface KeySources {
  readonly findNamedKey: FindNamedKey;
  readonly lookUp: LookUp;
  /** Called with the place of each key that stands in the file itself. */
  readonly onLiteral: (place: Place) => void;
  readonly report: Report;
}

const REFERENCE_ALONE = /^\$\{([A-Za-z_]\w*)\}$/;

/** The texts of `api_key` and `api_keys`, as they are written. */
function writtenKeys({ values, place }: ProviderEntry): readonly { readonly value: Json; readonly place: Place }[] {
  const { api_key: one, api_keys: several } = values;
  const list = Array.isArray(several)
    ? several.map((value, index) => ({ value, place: place('api_keys', index) }))
    : [{ value: several ?? null, place: place('api_keys') }];
  return [{ value: one ?? null, place: place('api_key') }, ...list].filter(
    ({ value }) => value !== null && value !== '',
  );
}

/** `none`: what an example had in its place, which counts as no key; undefined: no key for now. Both are told. */
type Read = ProviderKey | 'none' | undefined;

function keyNamed(name: string, place: Place, { findNamedKey, lookUp, report }: KeySources): Read {
  const found = findNamedKey(name);
  if (found !== undefined)
    return { source: found.source, variable: found.variable.key, secret: new Secret(found.value) };
  // A placeholder has been told at its own line.
  if (isPlaceholder(lookUp(name) ?? '')) return 'none';
  report.warning(
    place,
    `\${${name}}, which holds no key in the env file or the environment`,
    `Set ${name} in the env file; without a key the provider is left out.`,
  );
  return undefined;
}

function readKey(written: Json, place: Place, sources: KeySources): Read {
  const { lookUp, onLiteral, report } = sources;
  if (isObject(written) || Array.isArray(written)) {
    report.error(place, 'several values', 'Write one key, or a list of keys under api_keys.');
    return undefined;
  }
  const text = String(written).trim();
  const [, name] = REFERENCE_ALONE.exec(text) ?? [];
  if (name !== undefined) return keyNamed(name, place, sources);
  const expanded = expandTexts(text, lookUp, place, report);
  for (const one of expanded.missing) warnOfMissing(one, 'the provider', report);
  if (expanded.missing.length > 0) return undefined;
  const value = String(expanded.value);
  if (isPlaceholder(value)) {
    report.warning(place, 'a placeholder, which counts as no key', 'Put your key here.');
    return 'none';
  }
  if (secret.parse(value) === undefined) {
    report.error(place, `a value of ${value.length} characters (not shown)`, `Set ${secret.form}.`);
    return undefined;
  }
  if (value === text && !isTrivialToken(value)) onLiteral(place);
  return { source: 'providers file', variable: place.key, secret: new Secret(value) };
}

function withoutDoubles(keys: readonly ProviderKey[]): readonly ProviderKey[] {
  return [...new Map(keys.map((key) => [key.secret?.reveal(), key])).values()];
}

/**
 * The keys for an entry's server, each once; undefined when there are none, which is told. As in an env file, the client's own is
 * passed on in place of one that was left as an example had it.
 */
export function findKeys(
  entry: ProviderEntry,
  { preset, baseUrl }: Pick<ProviderConfig, 'preset' | 'baseUrl'>,
  sources: KeySources,
): readonly [ProviderKey, ...ProviderKey[]] | undefined {
  const read = writtenKeys(entry).map(({ value, place }) => readKey(value, place, sources));
  const [first, ...others] = withoutDoubles(read.filter((key) => typeof key === 'object'));
  if (first !== undefined) return [first, ...others];
  if (needsNoKey(preset, baseUrl) && !read.includes(undefined)) return [{ source: 'none', variable: '' }];
  if (read.includes('none')) return [{ source: 'client', variable: entry.place('api_key').key }];
  if (read.length === 0)
    sources.report.error(
      entry.place('api_key'),
      'nothing',
      `Set its key: "api_key": "\${${preset.keyNames[0] ?? 'MY_API_KEY'}}", and the variable in the env file.`,
    );
  return undefined;
}
