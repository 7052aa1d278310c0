import type { Preset } from '../providers/preset.ts';
import type { ProviderConfig } from './config.ts';
import type { Diagnostics, SourcedValue, SourceLocation } from './diagnostics.ts';
import { namesEndpoint } from './parsers.ts';

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
    if (namesEndpoint(address.value))
      diagnostics.warning(
        address,
        'an address that ends in /chat/completions, which is appended anyway',
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
      JSON.stringify(region.value),
      known === ''
        ? `Remove it: ${preset.name} has one address.`
        : `Set ${known}, or remove it for the international address.`,
    );
  } else if (preset.baseUrl === '' && preset.protocol !== 'demo') {
    diagnostics.error(location, 'nothing', 'Set the address of the server, like http://127.0.0.1:11434/v1.');
  }
  return preset.baseUrl;
}

/**
 * Full address of chat completions or, at a native endpoint, of messages; `{model}` in it stands for the model's name. A provider
 * with paths of its own takes its address in every form that is in use: bare, or with any of these paths.
 */
export function chooseEndpoint(
  baseUrl: string,
  preset: Preset | undefined,
  version: SourcedValue | undefined,
  diagnostics: Diagnostics,
): string {
  const endpoints = preset?.endpoints;
  if (version !== undefined && preset !== undefined && endpoints === undefined)
    diagnostics.warning(version, `a version, of which ${preset.name} has none`, 'Remove it.');
  if (preset?.protocol === 'anthropic') return `${baseUrl.replace(/\/v1(?:\/messages)?$/, '')}/v1/messages`;
  if (endpoints === undefined) return `${baseUrl}/chat/completions`;
  const path =
    version === undefined
      ? endpoints.plain
      : endpoints.versioned.replace('{version}', encodeURIComponent(version.value));
  const url = URL.parse(baseUrl);
  const before = url?.pathname.split(endpoints.root)[0]?.replace(/\/$/, '') ?? '';
  return `${url?.origin ?? ''}${before}${path}`;
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
    const found = `${provider.baseUrl}, where a cloud tells its machines their credentials, and no provider is`;
    diagnostics.error(
      location,
      found,
      'Set the address of the provider, or ALLOW_LINK_LOCAL=on if it is really there.',
    );
  }
}
