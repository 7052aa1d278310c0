import { customId } from '../../core/modelName.ts';
import { guessPreset } from '../../providers/index.ts';
import type { Preset } from '../../providers/preset.ts';
import { completeAddress } from '../chooseBaseUrl.ts';
import { chooseEndpoint } from '../chooseEndpoint.ts';
import type { CustomModel, ProviderConfig, ProviderKey } from '../config.ts';
import { readHeaderMapping } from '../document/mappings.ts';
import { modelSettings } from '../modelSettings.ts';
import type { FindNamedKey } from '../namedKeys.ts';
import { needsNoKey, providerKey } from '../providerKey.ts';
import type { Report } from '../report.ts';
import { entryPrices } from './entryPrices.ts';
import { entrySettings } from './entrySettings.ts';
import type { ModelEntry } from './readEntries.ts';

function origin(address: string): string | undefined {
  return URL.parse(address)?.origin;
}

/** Where an entry's model is served, seen from the instance. */
interface Place {
  readonly baseUrl: string;
  readonly preset: Preset;
  /** Whether it is the instance's own server, to which the instance's own key belongs. */
  readonly own: boolean;
}

function findPlace(entry: ModelEntry, home: ProviderConfig, report: Report): Place | undefined {
  const address = entry.values.api_base;
  if (address === undefined || address === home.baseUrl) {
    if (home.baseUrl !== '' || home.preset.protocol === 'demo')
      return { baseUrl: home.baseUrl, preset: home.preset, own: true };
    report.error(entry.place('api_base'), 'nothing', 'Set the address of the model’s API.');
    return undefined;
  }
  const own = origin(address) === origin(home.baseUrl);
  const guessed = guessPreset(address);
  const preset = own && guessed.hosts.length === 0 ? home.preset : guessed;
  return { baseUrl: completeAddress(address, preset), preset, own };
}

/**
 * The key for an entry's server; undefined when there is none, which is told. The instance's own key goes nowhere but to its
 * own server, unless the entry names its variable.
 */
function findKey(
  entry: ModelEntry,
  place: Place,
  home: ProviderConfig,
  findNamedKey: FindNamedKey,
  report: Report,
): ProviderKey | undefined {
  const name = entry.values.api_key_name;
  if (name !== undefined) {
    const found = findNamedKey(name);
    if (found !== undefined) return providerKey(place.preset, found);
    // Where the instance passes on what the client sends, a model at the same server is no worse off than the instance.
    const passesOn = place.own && home.key.source === 'client';
    report.warning(
      entry.place('api_key_name'),
      `${name}, which holds no key in the env file or the environment`,
      `Set ${name} in the env file; until then ${passesOn ? 'the client’s own key is passed on' : 'the model is left out'}.`,
    );
    return passesOn ? home.key : undefined;
  }
  if (place.own) return home.key;
  if (needsNoKey(place.preset, place.baseUrl)) return { source: 'none', variable: '' };
  const host = URL.parse(place.baseUrl)?.hostname ?? '';
  report.error(
    entry.place('api_key_name'),
    'nothing',
    `Name the variable that holds the key for ${host}. The instance’s own key is sent to another server only where OPENAI_API_KEY is named here.`,
  );
  return undefined;
}

function customModel(
  entry: ModelEntry,
  home: ProviderConfig,
  findNamedKey: FindNamedKey,
  report: Report,
): CustomModel | undefined {
  const place = findPlace(entry, home, report);
  const key = place && findKey(entry, place, home, findNamedKey, report);
  const headers = readHeaderMapping(entry.values.extra_headers, (name) => entry.place('extra_headers', name), report);
  const prices = entryPrices(entry, report);
  if (place === undefined || key === undefined) return undefined;
  const { baseUrl, preset, own } = place;
  const model = entry.values.model_name ?? entry.id;
  const overrides = own ? home.overrides : {};
  const settings = entrySettings(entry, modelSettings({ preset, overrides }, model), report);
  return {
    id: entry.id,
    name: `custom/${entry.id}`,
    model,
    provider: {
      preset,
      baseUrl,
      endpoint: baseUrl === home.baseUrl ? home.endpoint : chooseEndpoint(baseUrl, preset, undefined, report),
      keyHeader: preset.keyHeader ?? 'authorization',
      key,
      headers: { ...(own ? home.headers : {}), ...headers },
      overrides: { ...overrides, ...settings },
    },
    ...(prices === undefined ? {} : { prices }),
  };
}

/** The usable models of the entries, by `customId`; what keeps one from being used is told at its line. */
export function customModels(
  entries: readonly ModelEntry[],
  home: ProviderConfig,
  findNamedKey: FindNamedKey,
  report: Report,
): ReadonlyMap<string, CustomModel> {
  const models = new Map<string, CustomModel>();
  for (const entry of entries) {
    const model = entry.incomplete ? undefined : customModel(entry, home, findNamedKey, report);
    if (model !== undefined) models.set(customId(entry.id), model);
  }
  return models;
}
