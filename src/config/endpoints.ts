import type { Preset } from '../providers/preset.ts';
import type { ProviderConfig } from './config.ts';
import type { Place, Report, Written } from './diagnostics.ts';
import { namesEndpoint } from './parsers.ts';

/** What the user says of where a provider is. */
export interface AddressWishes {
  readonly address: Written | undefined;
  /** The address when it is sound. */
  readonly baseUrl: string | undefined;
  readonly region: Written | undefined;
  /** Where the address belongs, for when it is missing. */
  readonly place: Place;
}

/** An address of the preset of which the user has written the beginning only, like the bare host, is taken in full. */
export function completeAddress(address: string, { baseUrl, regions = {} }: Preset): string {
  return [baseUrl, ...Object.values(regions)].find((one) => address !== '' && one.startsWith(`${address}/`)) ?? address;
}

/** The provider's address: the user's own, else that of the region, else the preset's. Empty when there is none, which is told. */
export function chooseBaseUrl(
  { address, baseUrl, region, place }: AddressWishes,
  preset: Preset,
  report: Report,
): string {
  if (address !== undefined) {
    if (namesEndpoint(address.value))
      report.warning(
        address,
        'an address that ends in /chat/completions, which is appended anyway',
        'Leave that part out.',
      );
    if (region !== undefined)
      report.warning(region, `a region beside ${address.key}`, `The address is used; remove ${region.key}.`);
    return completeAddress(baseUrl ?? '', preset);
  }
  if (region !== undefined) {
    const regional = preset.regions?.[region.value.toLowerCase()];
    if (regional !== undefined) return regional;
    const known = Object.keys(preset.regions ?? {}).join(', ');
    report.error(
      region,
      JSON.stringify(region.value),
      known === ''
        ? `Remove it: ${preset.name} has one address.`
        : `Set ${known}, or remove it for the international address.`,
    );
  } else if (preset.baseUrl === '' && preset.protocol !== 'demo') {
    report.error(place, 'nothing', 'Set the address of the server, like http://127.0.0.1:11434/v1.');
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
  version: Written | undefined,
  report: Report,
): string {
  const endpoints = preset?.endpoints;
  if (version !== undefined && preset !== undefined && endpoints === undefined)
    report.warning(version, `a version, of which ${preset.name} has none`, 'Remove it.');
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

/** As the URL standard writes them, whatever notation they came in. */
const LINK_LOCAL = [
  /^169\.254\.\d+\.\d+$/,
  /^\[fe[89ab][0-9a-f]:/, // fe80::/10
  /^\[::ffff:a9fe:/, // 169.254 within IPv6
  /^\[fd00:ec2::254\]$/,
  /^100\.100\.100\.200$/,
  /^metadata(?:\.google\.internal)?\.?$/,
];

/**
 * Whether an address is of the kind at which clouds tell each of their machines its credentials, which are told to whoever can
 * make the machine ask (A8). A name that only resolves to such an address is not known as one.
 */
export function isLinkLocal(address: string): boolean {
  const name = URL.parse(address)?.hostname ?? '';
  return LINK_LOCAL.some((form) => form.test(name));
}

/** Refuses such addresses of providers, unless the user allows them. */
export function refuseLinkLocal(
  servers: readonly { readonly provider: Pick<ProviderConfig, 'baseUrl'>; readonly place: Place }[],
  isAllowed: boolean,
  report: Report,
): void {
  if (isAllowed) return;
  for (const { provider, place } of servers) {
    if (!isLinkLocal(provider.baseUrl)) continue;
    const found = `${provider.baseUrl}, where a cloud tells its machines their credentials, and no provider is`;
    report.error(place, found, 'Set the address of the provider, or ALLOW_LINK_LOCAL=on if it is really there.');
  }
}
