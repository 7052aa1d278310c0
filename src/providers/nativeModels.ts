import type { QuirkSettings } from '../quirks/settings.ts';
import type { ModelFacts, Preset } from './preset.ts';

/**
 * A provider's models at its native endpoint: limits and prices are those of its chat preset, the quirks of chat completions stay
 * behind.
 * @param quirks those of the native endpoint, by model
 */
export function nativeModels(
  { models }: Preset,
  quirks: Readonly<Record<string, Partial<QuirkSettings>>> = {},
): Readonly<Record<string, ModelFacts>> {
  return Object.fromEntries(
    Object.entries(models).map(([name, { quirks: _chat, ...facts }]) => {
      const own = quirks[name];
      return [name, own === undefined ? facts : { ...facts, quirks: own }];
    }),
  );
}
