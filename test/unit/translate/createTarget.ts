import { composeRepairs } from '../../../src/quirks/compose.ts';
import { mergeSettings, type QuirkSettings } from '../../../src/quirks/settings.ts';
import type { Target } from '../../../src/translate/request/context.ts';

/** A model of a provider that differs from the defaults only in what a test says. */
export function createTarget(quirks: Partial<QuirkSettings> = {}, parts: Partial<Target> = {}): Target {
  const settings = mergeSettings(quirks);
  return { provider: 'test', model: 'test-model', settings, repairs: composeRepairs(settings), ...parts };
}
