import type { JsonObject } from '../../core/json.ts';
import { customId } from '../../core/modelName.ts';
import { guessPreset } from '../../providers/index.ts';
import type { Preset, Prices } from '../../providers/preset.ts';
import { type QuirkSettings, settingTable } from '../../quirks/settings.ts';
import type { CustomModel, ProviderConfig, ProviderKey } from '../config.ts';
import type { Report } from '../diagnostics.ts';
import { chooseEndpoint, completeAddress } from '../endpoints.ts';
import { modelSettings } from '../modelRef.ts';
import { type FindNamedKey, needsNoKey, providerKey } from '../secrets.ts';
import { readHeaderMapping, readQuirkMapping } from './fields.ts';
import type { ModelEntry } from './modelsFile.ts';

const MILLION = 1_000_000;
const PRICE_FIELDS = [
  'input_cost_per_token',
  'input_cost_per_million_tokens',
  'output_cost_per_token',
  'output_cost_per_million_tokens',
] as const;

function price({ values, place }: ModelEntry, side: 'input' | 'output', report: Report): number | undefined {
  const perMillion = values[`${side}_cost_per_million_tokens`];
  const perToken = values[`${side}_cost_per_token`];
  // 0.00000055 times a million is not quite 0.55.
  const computed = perToken === undefined ? undefined : Number((perToken * MILLION).toPrecision(12));
  if (perMillion !== undefined && computed !== undefined && perMillion !== computed)
    report.warning(
      place(`${side}_cost_per_token`),
      'another price than that for a million tokens',
      `${side}_cost_per_million_tokens is used; remove one of them.`,
    );
  return perMillion ?? computed;
}

/** The prices of an entry in US dollars per million tokens; undefined when one of the two is missing, as half a cost is a wrong one. */
export function entryPrices(entry: ModelEntry, report: Report): Prices | undefined {
  const input = price(entry, 'input', report);
  const output = price(entry, 'output', report);
  if (input !== undefined && output !== undefined) return { input, output };
  const alone = PRICE_FIELDS.find((field) => entry.values[field] !== undefined);
  if (alone !== undefined)
    report.warning(
      entry.place(alone),
      'one price of two',
      'Set the prices of input and of output; until then costs are unknown.',
    );
  return undefined;
}

const STRENGTHS: readonly string[] = settingTable.defaultEffort.values;

/** The configured effort is the one where the client names none, and the most that is sent. */
function effortSettings(effort: string, base: QuirkSettings): Partial<QuirkSettings> {
  const weaker = base.efforts.filter((one) => STRENGTHS.indexOf(one) < STRENGTHS.indexOf(effort));
  return {
    efforts: [...weaker, effort],
    defaultEffort: effort as QuirkSettings['defaultEffort'],
    ...(base.reasoningStyle === 'none' ? { reasoningStyle: 'effort' } : {}),
  };
}

/**
 * What an entry says of its model, as settings to be laid over those of its provider.
 * @param base The settings of the provider for the model.
 */
export function entrySettings(entry: ModelEntry, base: QuirkSettings, report: Report): Partial<QuirkSettings> {
  const { values } = entry;
  const contextWindow = values.context ?? values.max_input_tokens;
  const body: JsonObject = {
    ...(values.temperature === undefined ? {} : { temperature: values.temperature }),
    ...(values.enable_thinking === false && base.reasoningStyle === 'enable_thinking'
      ? { enable_thinking: false }
      : {}),
    ...values.extra_body,
  };
  return {
    ...(values.max_tokens === undefined ? {} : { maxOutput: values.max_tokens }),
    ...(contextWindow === undefined ? {} : { contextWindow }),
    ...(values.can_stream === undefined ? {} : { upstreamStream: values.can_stream }),
    ...(values.enable_thinking === true ? { reasoningStyle: 'enable_thinking' } : {}),
    ...(values.reasoning_effort === undefined ? {} : effortSettings(values.reasoning_effort, base)),
    ...(Object.keys(body).length === 0 ? {} : { extraBody: { ...base.extraBody, ...body } }),
    ...readQuirkMapping(values.quirks, (name) => entry.place('quirks', name), report),
  };
}

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
