import { findPreset } from '../../src/providers/index.ts';
import type { Preset, SpokenProtocol } from '../../src/providers/preset.ts';
import { modelSettings } from '../../src/providers/preset.ts';
import type { QuirkSettings } from '../../src/quirks/settings.ts';

export function presetNamed(name: string): Preset {
  const preset = findPreset(name);
  if (preset === undefined) throw new Error(`no preset is called ${name}`);
  return preset;
}

/** The settings of one model of a preset, as an instance without overrides has them. */
export function presetSettings(
  name: string,
  model: string,
  overrides: Partial<QuirkSettings> | undefined = {},
  protocol?: SpokenProtocol,
): QuirkSettings {
  return modelSettings({ preset: presetNamed(name), overrides }, model, protocol);
}
