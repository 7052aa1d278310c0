import type { ProviderConfig } from './config.ts';
import type { Place, Report } from './report.ts';

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
