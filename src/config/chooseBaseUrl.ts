import type { Preset } from '../providers/preset.ts';
import type { Choices } from './chooseValues.ts';
import { namesEndpoint } from './parsers.ts';
import type { Report } from './report.ts';
import type { Values } from './schema.ts';

/** The provider's address: the user's own, else that of the region, else the preset's. Empty when there is none. */
export function chooseBaseUrl(values: Values, choices: Choices, preset: Preset, report: Report): string {
  const address = choices.get('OPENAI_BASE_URL');
  const region = choices.get('REGION');
  if (address !== undefined) {
    if (namesEndpoint(address.value))
      report.warning(
        address,
        'an address that ends in /chat/completions, which is appended anyway',
        'Leave that part out.',
      );
    if (region !== undefined)
      report.warning(region, 'a region beside OPENAI_BASE_URL', 'The address is used; remove REGION.');
    return values.OPENAI_BASE_URL ?? '';
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
    report.error(
      { key: 'OPENAI_BASE_URL' },
      'nothing',
      'Set the address of the server, like http://127.0.0.1:11434/v1.',
    );
  }
  return preset.baseUrl;
}
