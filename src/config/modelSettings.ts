import type { ModelFacts } from '../providers/preset.ts';
import { mergeSettings, type QuirkSettings } from '../quirks/settings.ts';
import type { ProviderConfig } from './config.ts';

function settingsOfFacts(facts: ModelFacts): Partial<QuirkSettings> {
  return {
    ...(facts.contextWindow === undefined ? {} : { contextWindow: facts.contextWindow }),
    ...(facts.maxOutput === undefined ? {} : { maxOutput: facts.maxOutput }),
    ...(facts.vision === undefined ? {} : { vision: facts.vision }),
    ...facts.quirks,
  };
}

/** The settings that hold for one model of a provider: defaults, preset, model facts, the user's overrides. */
export function modelSettings(
  { preset, overrides }: Pick<ProviderConfig, 'preset' | 'overrides'>,
  model: string,
): QuirkSettings {
  const facts = preset.models[model];
  return mergeSettings(preset.quirks, facts === undefined ? {} : settingsOfFacts(facts), overrides);
}
