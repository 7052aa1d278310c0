import { Secret } from '../core/secret.ts';
import { type SearchApi, searchApiOf, searchApis } from '../providers/searchApis.ts';
import type { ProviderConfig, WebSearchConfig } from './config.ts';
import { type Diagnostics, type SourceLocation, showValue } from './diagnostics.ts';
import type { SettingName, SettingValues } from './env/settings.ts';
import type { Choices } from './env/variables.ts';
import { type FoundSecret, isPlaceholder } from './secrets.ts';

/** What WEB_SEARCH comes to. */
export interface WebSearchChoice {
  /** The back end that this proxy asks itself; undefined where it asks none. */
  readonly search: WebSearchConfig | undefined;
  /** In place of the provider's QUIRK_WEB_SEARCH: whether it searches by itself; undefined leaves that as it is. */
  readonly hosted: 'provider' | 'off' | undefined;
  /** Where the search is asked, for the rules that hold for every address. */
  readonly servers: readonly { readonly provider: { readonly baseUrl: string }; readonly location: SourceLocation }[];
}

const NONE: WebSearchChoice = { search: undefined, hosted: undefined, servers: [] };

/** What the settings of the search are read from. */
export interface WebSearchSources {
  readonly values: SettingValues;
  readonly choices: Choices;
  /** Of SEARCH_API_KEY and SEARCH_URL. */
  readonly key: FoundSecret | undefined;
  readonly url: FoundSecret | undefined;
  /** The first provider of the instance; undefined where its settings are wrong. */
  readonly provider: ProviderConfig | undefined;
  /** Whether the env file itself has it, so that its quirks may be set from here. */
  readonly isOwn: boolean;
}

/** From WEB_SEARCH, SEARCH_API_KEY, SEARCH_URL and SEARCH_COST to who searches the web, or to what is wrong with them. */
export function chooseWebSearch(sources: WebSearchSources, diagnostics: Diagnostics): WebSearchChoice {
  const { values, choices, key, url, provider } = sources;
  const chosen = values.WEB_SEARCH;
  const location = choices.get('WEB_SEARCH') ?? { name: 'WEB_SEARCH' };
  if (chosen === undefined || chosen === 'off') {
    warnOfUnused(sources, diagnostics);
    return chosen === 'off' ? { ...NONE, hosted: 'off' } : NONE;
  }
  if (chosen !== 'provider') {
    const api = searchApis.find(({ name }) => name === chosen);
    return api === undefined ? NONE : searchBy(api, sources, location, diagnostics);
  }
  if (provider === undefined) return NONE;
  const { preset } = provider;
  if (preset.hostedSearch === 'responses') return hostedByProvider(sources, location, diagnostics);
  const api = preset.hostedSearch === undefined ? searchApiOf(preset.name) : undefined;
  if (api !== undefined) return searchBy(api, sources, location, diagnostics);
  // A provider with a Messages API gets the client's search as it is.
  if (preset.protocol !== 'anthropic') {
    const others = searchApis.map(({ name }) => name).join(', ');
    const found = `"provider", but ${preset.title} has no search that is known here`;
    diagnostics.error(location, found, `Set one of ${others}, with SEARCH_API_KEY or SEARCH_URL.`);
  } else if (key !== undefined || url !== undefined) warnOfUnused(sources, diagnostics);
  return NONE;
}

function hostedByProvider(
  sources: WebSearchSources,
  location: SourceLocation,
  diagnostics: Diagnostics,
): WebSearchChoice {
  warnOfUnused(sources, diagnostics);
  if (sources.isOwn) return { ...NONE, hosted: 'provider' };
  diagnostics.error(
    location,
    '"provider", of a provider that stands in the providers file',
    'Remove it, and write "web_search": "provider" into the quirks of that provider.',
  );
  return NONE;
}

/** The provider as WEB_SEARCH has it search: it goes before QUIRK_WEB_SEARCH, which is the older name. */
export function withHostedSearch(provider: ProviderConfig, hosted: WebSearchChoice['hosted']): ProviderConfig {
  // Off is what holds without the quirk.
  if (hosted === undefined || (hosted === 'off' && provider.overrides.webSearch === undefined)) return provider;
  return { ...provider, overrides: { ...provider.overrides, webSearch: hosted } };
}

const DEPENDENT = ['SEARCH_API_KEY', 'SEARCH_URL', 'SEARCH_COST'] as const satisfies readonly SettingName[];

function warnOfUnused({ choices, key, url }: WebSearchSources, diagnostics: Diagnostics): void {
  const variables = {
    SEARCH_API_KEY: key?.variable,
    SEARCH_URL: url?.variable,
    SEARCH_COST: choices.get('SEARCH_COST'),
  };
  for (const name of DEPENDENT) {
    const variable = variables[name];
    if (variable !== undefined)
      diagnostics.warning(variable, 'a setting that has no effect', 'Set WEB_SEARCH to a search API, or remove it.');
  }
}

function searchBy(
  api: SearchApi,
  { values, key, url, provider }: WebSearchSources,
  location: SourceLocation,
  diagnostics: Diagnostics,
): WebSearchChoice {
  // The provider's own key and address serve its search, too, unless the user gives others.
  const isSameVendor = provider !== undefined && api.presets.includes(provider.preset.name);
  const ownKey = key === undefined && isSameVendor ? provider.key.secret : undefined;
  const given = values.SEARCH_API_KEY;
  const secret = given === undefined ? ownKey : new Secret(given);
  if (given !== undefined && isPlaceholder(given)) {
    diagnostics.error(
      key?.variable ?? { name: 'SEARCH_API_KEY' },
      'a placeholder',
      `Put your key of ${api.title} here.`,
    );
    return NONE;
  }
  if (api.keyHeader !== undefined && secret === undefined) {
    const where = api.links.keys === undefined ? '' : ` (${api.links.keys})`;
    const found = `${showValue(api.name)}, without a key for it`;
    diagnostics.error(location, found, `Set SEARCH_API_KEY to a key of ${api.title}${where}, or SEARCH_API_KEY_FILE.`);
    return NONE;
  }
  const origin = isSameVendor && ownKey !== undefined ? (URL.parse(provider.baseUrl)?.origin ?? '') : api.origin;
  const address = values.SEARCH_URL ?? origin;
  if (address === '') {
    // A wrong address has been reported already.
    if (url === undefined)
      diagnostics.error(
        { name: 'SEARCH_URL' },
        `nothing, and ${api.title} runs at an address of your own`,
        'Set its address, like http://127.0.0.1:8888.',
      );
    return NONE;
  }
  const search: WebSearchConfig = {
    api,
    endpoint: endpointOf(address, api),
    key: secret,
    keySource: given === undefined ? (ownKey === undefined ? 'none' : 'provider') : (key?.source ?? 'file'),
    price: values.SEARCH_COST ?? api.price,
  };
  const written = url?.variable ?? { name: 'SEARCH_URL' };
  return { ...NONE, search, servers: [{ provider: { baseUrl: search.endpoint }, location: written }] };
}

/** A bare address is completed by the path of the API; one with a path of its own is taken as it is, but for a folder of the server. */
function endpointOf(address: string, { path, origin }: SearchApi): string {
  const { pathname = '/' } = URL.parse(address) ?? {};
  if (pathname.endsWith(path)) return address;
  return pathname === '/' || origin === '' ? `${address.replace(/\/+$/, '')}${path}` : address;
}
