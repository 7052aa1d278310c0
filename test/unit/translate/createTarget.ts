import type { ChatRequest } from '../../../src/protocol/openai/types.ts';
import { composeRepairs } from '../../../src/quirks/compose.ts';
import { mergeSettings, type QuirkSettings, responsesSettings } from '../../../src/quirks/settings.ts';
import type { ResolvedModel } from '../../../src/translate/request/context.ts';
import { translateRequest } from '../../../src/translate/request/request.ts';

/** A model of a provider that differs from the defaults only in what a test says. */
export function createTarget(quirks: Partial<QuirkSettings> = {}, parts: Partial<ResolvedModel> = {}): ResolvedModel {
  const settings = mergeSettings(quirks);
  return {
    provider: 'test',
    name: 'test-model',
    protocol: 'chat',
    settings,
    repairs: composeRepairs(settings),
    ...parts,
  };
}

/** The same for one that is asked by the Responses API. */
export function createResponsesTarget(
  quirks: Partial<QuirkSettings> = {},
  parts: Partial<ResolvedModel> = {},
): ResolvedModel {
  return createTarget({ ...responsesSettings, ...quirks }, { protocol: 'responses', ...parts });
}

/** The same as `translateRequest`, for targets of chat completions. */
export function translateToChat(...parameters: Parameters<typeof translateRequest>) {
  const translated = translateRequest(...parameters);
  return { ...translated, body: translated.body as ChatRequest };
}
