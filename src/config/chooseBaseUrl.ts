import type { Preset } from '../providers/preset.ts';
import { namesEndpoint } from './parsers.ts';
import type { Place, Report, Written } from './report.ts';

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
