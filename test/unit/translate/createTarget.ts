import { composeRepairs } from '../../../src/quirks/compose.ts';
import { mergeSettings, type QuirkSettings } from '../../../src/quirks/settings.ts';
import type { ResolvedModel } from '../../../src/translate/request/context.ts';

/** A model of a provider that differs from the defaults only in what a test says. */
export function createTarget(quirks: Partial<QuirkSettings> = {}, parts: Partial<ResolvedModel> = {}): ResolvedModel {
  const settings = mergeSettings(quirks);
  return { provider: 'test', name: 'test-model', settings, repairs: composeRepairs(settings), ...parts };
}
