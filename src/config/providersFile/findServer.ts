import { guessPreset } from '../../providers/index.ts';
import type { Preset } from '../../providers/preset.ts';
import { chooseBaseUrl } from '../chooseBaseUrl.ts';
import { chooseEndpoint } from '../chooseEndpoint.ts';
import { inProtocol, presetNamed } from '../choosePreset.ts';
import type { ProviderConfig } from '../config.ts';
import type { Report, Written } from '../report.ts';
import type { ProviderEntry } from './readProviders.ts';

/** Where a provider is and what is spoken to it. */
export type Server = Pick<ProviderConfig, 'preset' | 'baseUrl' | 'endpoint'>;

function findPreset({ values, place, has }: ProviderEntry, report: Report): Preset | undefined {
  if (values.preset !== undefined) return presetNamed({ ...place('preset'), value: values.preset }, report);
  if (values.base_url !== undefined) return guessPreset(values.base_url);
  // A wrong address has been told.
  if (!has('preset') && !has('base_url'))
    report.error(place('base_url'), 'nothing', 'Set the address of its API, or a preset (docs/PROVIDERS.md).');
  return undefined;
}

/** Where an entry's provider is; undefined when that cannot be known, which is told. */
export function findServer(entry: ProviderEntry, report: Report): Server | undefined {
  const { values, place } = entry;
  const written = (field: 'base_url' | 'protocol' | 'region' | 'api_version'): Written | undefined => {
    const value = values[field];
    return value === undefined ? undefined : { ...place(field), value };
  };
  const own = findPreset(entry, report);
  const preset = own && inProtocol(own, written('protocol'), report);
  if (preset === undefined) return undefined;
  const address = written('base_url');
  const wishes = { address, baseUrl: address?.value, region: written('region'), place: place('base_url') };
  const baseUrl = chooseBaseUrl(wishes, preset, report);
  return { preset, baseUrl, endpoint: chooseEndpoint(baseUrl, preset, written('api_version'), report) };
}
