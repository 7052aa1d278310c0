import { customId, withoutContextSuffix } from '../core/models.ts';
import { nearestName } from '../core/text.ts';
import { customAnthropic } from '../providers/generic.ts';
import { defaultPreset, findPreset, findSibling, guessPreset, presets } from '../providers/index.ts';
import { type Preset, protocolOf, type Server } from '../providers/preset.ts';
import type { ProviderConfig, VisionModel } from './config.ts';
import { type Diagnostics, type SourcedValue, type SourceLocation, showValue } from './diagnostics.ts';
import type { SettingValues } from './env/settings.ts';
import { type Choices, secretFileName, type Variables } from './env/variables.ts';
import type { ReadText } from './files/companion.ts';
import { readCustomHeaders, readQuirks } from './overrides.ts';
import { isLoopback, namedEndpoint } from './parsers.ts';
import {
  type FindNamedKey,
  type FoundSecret,
  findProviderKey,
  isLoopbackAddress,
  isPlaceholder,
  ownKey,
  providerKey,
} from './secrets.ts';

/** What the env file's own provider is found by. */
export interface OwnSources {
  readonly choices: Choices;
  readonly variables: Variables;
  readonly models: readonly AddressedModel[];
  /** Names of variables that other files ask for. */
  readonly used: ReadonlySet<string>;
  readonly findNamedKey: FindNamedKey;
  readonly readText: ReadText;
}

/** The env file's own provider, before its values are checked. */
export interface OwnProvider {
  /** As written, or with an address inferred from the models file. */
  readonly choices: Choices;
  /** Undefined when it cannot be known, which is reported. */
  readonly preset: Preset | undefined;
  readonly key: FoundSecret | undefined;
}

/** Finds the env file's own provider and its key. */
export function findOwnProvider(sources: OwnSources, diagnostics: Diagnostics): OwnProvider {
  const { variables, models, used, findNamedKey, readText } = sources;
  const { choices, entry } = inferBaseUrl(sources.choices, models, variables, used);
  const preset = choosePreset(choices, variables, used, diagnostics);
  const keyName = entry?.values.api_key_name;
  const key =
    keyName === undefined
      ? preset && findProviderKey(preset, variables, used, readText, diagnostics)
      : findNamedKey(keyName);
  return { choices, preset, key };
}

/** The settings of the env file's own provider; undefined when it is not known. */
export function ownProvider(
  { choices, preset, key }: OwnProvider,
  values: SettingValues,
  variables: Variables,
  diagnostics: Diagnostics,
): ProviderConfig | undefined {
  const headers = readCustomHeaders(variables, diagnostics);
  const overrides = readQuirks(variables, diagnostics);
  if (preset === undefined) return undefined;
  const wishes = {
    address: choices.get('OPENAI_BASE_URL'),
    baseUrl: values.OPENAI_BASE_URL,
    region: choices.get('REGION'),
    location: { name: 'OPENAI_BASE_URL' },
  };
  const baseUrl = chooseBaseUrl(wishes, preset, diagnostics);
  return {
    preset,
    baseUrl,
    ...chooseEndpoints(baseUrl, preset, choices.get('API_VERSION'), choices.get('PROTOCOL'), diagnostics),
    keyHeader: preset.keyHeader ?? 'authorization',
    key: providerKey(preset, key),
    headers,
    overrides,
  };
}

/** The preset of an instance: its provider's, in the protocol that PROTOCOL names where it has more than one. */
function choosePreset(
  choices: Choices,
  variables: Variables,
  used: ReadonlySet<string>,
  diagnostics: Diagnostics,
): Preset | undefined {
  const preset = chooseProvider(choices, variables, used, diagnostics);
  return preset && inProtocol(preset, choices.get('PROTOCOL'), diagnostics);
}

/** The one that PROVIDER names, else by the address, else by the keys that are given. */
function chooseProvider(
  choices: Choices,
  variables: Variables,
  used: ReadonlySet<string>,
  diagnostics: Diagnostics,
): Preset | undefined {
  const named = choices.get('PROVIDER');
  if (named !== undefined) return presetNamed(named, diagnostics);
  const address = choices.get('OPENAI_BASE_URL');
  if (address !== undefined) return guessPreset(address.value);
  const keyed = inferPresetFromKeys(variables, used);
  if (keyed !== undefined) return keyed;
  diagnostics.error({ name: 'PROVIDER' }, 'nothing', `Set one of ${names.join(', ')}.`);
  return undefined;
}

const names = presets.map((preset) => preset.name);

/** The preset of the same provider for the protocol that is asked for; undefined when it has none, which is reported. */
export function inProtocol(
  preset: Preset,
  protocol: SourcedValue | undefined,
  diagnostics: Diagnostics,
): Preset | undefined {
  const word = protocol?.value.toLowerCase();
  // Both of OpenAI's APIs are spoken at the same addresses.
  const wanted = word === 'responses' ? 'chat' : word;
  const { chatTiers: tiers } = preset;
  if (word === 'chat' && tiers !== undefined) return { ...preset, tiers };
  if (protocol === undefined || wanted === preset.protocol) return preset;
  // Any other word is reported as a wrong value.
  if (wanted !== 'anthropic' && wanted !== 'chat') return preset;
  const sibling = findSibling(preset, wanted);
  if (sibling === undefined)
    diagnostics.error(protocol, showValue(protocol.value), `Remove it: ${preset.name} speaks ${preset.protocol} only.`);
  return sibling;
}

/** The preset of this name; undefined when there is none, which is reported. */
export function presetNamed(name: SourcedValue, diagnostics: Diagnostics): Preset | undefined {
  const preset = findPreset(name.value);
  if (preset === undefined) {
    const nearest = nearestName(name.value, names);
    // All names are a wall of words; they help only where none is near.
    const fix =
      nearest === undefined
        ? `Set one of ${names.join(', ')}.`
        : `Did you mean ${nearest}? docs/PROVIDERS.md has all names.`;
    diagnostics.error(name, showValue(name.value), fix);
  }
  return preset;
}

/**
 * The preset that an env file implies by its API keys, as in the earlier systems: that of the one provider whose own key is there, else
 * OpenAI's where OPENAI_API_KEY is.
 * @param used names of variables that other files ask for, which imply nothing
 */
function inferPresetFromKeys(variables: Variables, used: ReadonlySet<string>): Preset | undefined {
  const isSet = (name: string) =>
    !used.has(name) && [name, secretFileName(name)].some((one) => (variables.get(one)?.value ?? '') !== '');
  const isOwn = (name: string) => isSet(name) && !isPlaceholder(variables.get(name)?.value ?? '');
  const owners = presets.filter((preset) => preset.protocol === 'chat' && preset.keyNames.some(isOwn));
  if (owners.length === 1) return owners[0];
  return isSet('OPENAI_API_KEY') ? defaultPreset : undefined;
}

/** Reports a model that cannot serve by chat completions, for what is known of it; the reason is part of its preset. */
export function refuseUnusableModel(
  model: string,
  server: Server,
  location: SourceLocation,
  diagnostics: Diagnostics,
): void {
  const { preset, protocol } = server;
  const reason = preset.models[model]?.unusable;
  if (reason === undefined || protocolOf(server, model) !== 'chat') return;
  const { tiers } = preset;
  const others =
    tiers === undefined
      ? []
      : [...new Set([tiers.big, tiers.middle, tiers.small])].filter(
          (name) => preset.models[name]?.unusable === undefined,
        );
  const other = others.length === 0 ? 'ame another model' : `ame another model: ${others.join(', ')}`;
  const fix = protocol === 'chat' ? `Set PROTOCOL=responses, or n${other}.` : `N${other}.`;
  diagnostics.error(location, `${showValue(model)}, which ${reason}`, fix);
}

/** What an entry of the models file says of its server. */
interface AddressedModel {
  /** Without `custom/`. */
  readonly id: string;
  readonly values: { readonly api_base?: string; readonly api_key_name?: string };
}

/** The choices with the address that was inferred, and the entry of the models file that it comes from. */
interface InferredBaseUrl {
  readonly choices: Choices;
  readonly entry?: AddressedModel;
}

/** Whether nothing in the env file says where the provider is. */
function lacksAddress(choices: Choices, variables: Variables, used: ReadonlySet<string>): boolean {
  if (choices.has('OPENAI_BASE_URL')) return false;
  const named = choices.get('PROVIDER');
  if (named === undefined) return inferPresetFromKeys(variables, used) === undefined;
  const preset = findPreset(named.value);
  return preset?.baseUrl === '' && preset.protocol !== 'demo';
}

/**
 * An instance without an address of its own whose big model stands in the models file takes that model's address: in the earlier
 * systems PREFERRED_PROVIDER=custom and BIG_MODEL, or ROUTER_DEFAULT, were all that a file needed.
 */
function inferBaseUrl(
  choices: Choices,
  entries: readonly AddressedModel[],
  variables: Variables,
  used: ReadonlySet<string>,
): InferredBaseUrl {
  const big = choices.get('BIG_MODEL') ?? choices.get('ROUTER_DEFAULT');
  if (big === undefined || !lacksAddress(choices, variables, used)) return { choices };
  const entry = entries.find(({ id }) => customId(id) === customId(withoutContextSuffix(big.value)));
  const address = entry?.values.api_base;
  if (entry === undefined || address === undefined) return { choices };
  const borrowed = new Map(choices).set('OPENAI_BASE_URL', { ...big, value: address });
  borrowed.delete('PROVIDER');
  return { choices: borrowed, entry };
}

/** What the user wrote about where a provider is. */
export interface AddressWishes {
  readonly address: SourcedValue | undefined;
  /** The address when it is valid. */
  readonly baseUrl: string | undefined;
  readonly region: SourcedValue | undefined;
  /** Where a missing address is reported. */
  readonly location: SourceLocation;
}

/** The full address of the preset where the user wrote only its beginning, like the bare host; else the address as it is. */
export function completeAddress(address: string, { baseUrl, regions = {} }: Preset): string {
  return [baseUrl, ...Object.values(regions)].find((one) => address !== '' && one.startsWith(`${address}/`)) ?? address;
}

/** The provider's address: the user's own, else that of the region, else the preset's. Empty when there is none, which is reported. */
export function chooseBaseUrl(
  { address, baseUrl, region, location }: AddressWishes,
  preset: Preset,
  diagnostics: Diagnostics,
): string {
  if (address !== undefined) {
    const named = namedEndpoint(address.value);
    if (named !== undefined)
      diagnostics.warning(
        address,
        `an address that ends in ${named}, which is appended anyway`,
        'Leave that part out.',
      );
    if (region !== undefined)
      diagnostics.warning(region, `a region beside ${address.name}`, `The address is used; remove ${region.name}.`);
    return completeAddress(baseUrl ?? '', preset);
  }
  if (region !== undefined) {
    const regional = preset.regions?.[region.value.toLowerCase()];
    if (regional !== undefined) return regional;
    const known = Object.keys(preset.regions ?? {}).join(', ');
    diagnostics.error(
      region,
      showValue(region.value),
      known === ''
        ? `Remove it: ${preset.name} has one address.`
        : `Set ${known}, or remove it for the international address.`,
    );
  } else if (preset.baseUrl === '' && preset.protocol !== 'demo') {
    diagnostics.error(location, 'nothing', 'Set the address of the server, like http://127.0.0.1:11434/v1.');
  }
  return preset.baseUrl;
}

/** Where a server is asked, and by which of OpenAI's APIs where the user has said it. */
export type Endpoints = Pick<ProviderConfig, 'endpoint' | 'responsesEndpoint' | 'protocol'>;

/**
 * The addresses of chat completions and the Responses API or, at a native endpoint, of messages; `{model}` in them stands for the model's
 * name. A provider with paths of its own takes its address in every form that is in use: bare, or with any of these paths.
 * @param version with one, models are asked by chat completions unless `protocol` says otherwise: the Responses API has none
 * @param protocol as the user wrote it
 */
export function chooseEndpoints(
  baseUrl: string,
  preset: Preset,
  version: SourcedValue | undefined,
  protocol: SourcedValue | undefined,
  diagnostics: Diagnostics,
): Endpoints {
  const { endpoints } = preset;
  if (version !== undefined && endpoints === undefined)
    diagnostics.warning(version, `a version, of which ${preset.name} has none`, 'Remove it.');
  if (preset.protocol === 'anthropic')
    return { endpoint: `${baseUrl.replace(/\/v1(?:\/messages)?$/, '')}/v1/messages` };
  if (preset.protocol !== 'chat') return { endpoint: `${baseUrl}/chat/completions` };
  const word = protocol?.value.toLowerCase();
  // Where nothing would be chosen, it makes no difference that chat completions are named.
  const isChosen = word === 'responses' || (word === 'chat' && preset.responses !== undefined);
  const wanted = isChosen ? word : undefined;
  if (endpoints === undefined) {
    return {
      endpoint: `${baseUrl}/chat/completions`,
      responsesEndpoint: `${baseUrl}/responses`,
      ...(wanted === undefined ? {} : { protocol: wanted }),
    };
  }
  const path =
    version === undefined
      ? endpoints.plain
      : endpoints.versioned.replace('{version}', encodeURIComponent(version.value));
  const url = URL.parse(baseUrl);
  const before = url?.pathname.split(endpoints.root)[0]?.replace(/\/$/, '') ?? '';
  const root = `${url?.origin ?? ''}${before}`;
  const chosen = wanted ?? (version === undefined ? undefined : 'chat');
  return {
    endpoint: `${root}${path}`,
    responsesEndpoint: `${root}${endpoints.responses}`,
    ...(chosen === undefined ? {} : { protocol: chosen }),
  };
}

/** The model of another instance that is asked for where VISION_MODEL names none: its small tier. */
const VISION_MODEL_ELSEWHERE = 'haiku';

/**
 * The model behind VISION_URL. Only VISION_TOKEN goes there as a key, never one that a client lends.
 * @param own where this instance listens, which must not ask itself
 */
export function visionServer(
  address: SourcedValue,
  values: Pick<SettingValues, 'VISION_URL' | 'VISION_MODEL'>,
  token: FoundSecret | undefined,
  own: { readonly host: string; readonly port: number },
  diagnostics: Diagnostics,
): VisionModel | undefined {
  const { VISION_URL: baseUrl, VISION_MODEL: written = VISION_MODEL_ELSEWHERE } = values;
  if (baseUrl === undefined) return undefined;
  const url = URL.parse(baseUrl);
  const isOwn = isLoopbackAddress(baseUrl) && isLoopback(own.host) && Number(url?.port) === own.port;
  if (isOwn) diagnostics.error(address, `${baseUrl}, which is this instance itself`, 'Set the address of another one.');
  const model = withoutContextSuffix(written);
  const provider = {
    preset: customAnthropic,
    baseUrl,
    ...chooseEndpoints(baseUrl, customAnthropic, undefined, undefined, diagnostics),
    keyHeader: customAnthropic.keyHeader,
    key: token === undefined ? ({ source: 'none', variable: 'VISION_TOKEN' } as const) : ownKey(token),
    headers: {},
    overrides: {},
  };
  const label = `${model} at ${url?.host}`;
  return { ref: { name: `${url?.host},${model}`, model, provider }, label, setting: 'VISION_URL' };
}

/** In the form to which the URL standard brings every notation of an address. */
const METADATA_HOSTS = [
  /^169\.254\.\d+\.\d+$/,
  /^\[fe[89ab][0-9a-f]:/, // fe80::/10
  /^\[::ffff:a9fe:/, // 169.254 within IPv6
  /^\[fd00:ec2::254\]$/,
  /^100\.100\.100\.200$/,
  /^metadata(?:\.google\.internal)?\.?$/,
];

/**
 * Whether an address is that of a cloud's metadata service, which hands the credentials of a machine to whoever can make the machine
 * ask. A name that only resolves to such an address is not recognised.
 */
export function isMetadataAddress(address: string): boolean {
  const name = URL.parse(address)?.hostname ?? '';
  return METADATA_HOSTS.some((form) => form.test(name));
}

/** Reports providers at such addresses, unless the user allows them: a proxy must not be talked into reading them. */
export function refuseMetadataAddresses(
  servers: readonly { readonly provider: Pick<ProviderConfig, 'baseUrl'>; readonly location: SourceLocation }[],
  isAllowed: boolean,
  diagnostics: Diagnostics,
): void {
  if (isAllowed) return;
  for (const { provider, location } of servers) {
    if (!isMetadataAddress(provider.baseUrl)) continue;
    const found = `${provider.baseUrl}, where a cloud gives its machines their credentials, and no provider is`;
    diagnostics.error(
      location,
      found,
      'Set the address of the provider, or ALLOW_LINK_LOCAL=on if it is really there.',
    );
  }
}
