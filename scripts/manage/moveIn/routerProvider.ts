import { asString, isObject, type Json, type JsonObject } from '../../../src/core/json.ts';
import { guessPreset } from '../../../src/providers/index.ts';
import { readTransformers } from './transformers.ts';

/** A provider of claude-code-router as one of a providers file. */
export interface RouterProvider {
  readonly name: string;
  readonly models: readonly string[];
  /** Its entry in the providers file, without models and priority. */
  readonly entry: JsonObject;
  /** A line for the env file: its key, or the variable that is to hold it. */
  readonly variable: { readonly name: string; readonly value: string };
  /** What could not be carried over. */
  readonly left: readonly string[];
}

const CHAT = /\/+chat\/completions\/*$/;
const MESSAGES = /(?:\/+v1)?\/+messages\/*$/;

/** `$NAME` and `${NAME}`, which are the same there, as `${NAME}`. */
export function braceReferences(text: string): string {
  return text.replaceAll(
    /\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/g,
    (_reference, one = '', other = '') => `\${${one}${other}}`,
  );
}

/** Reads an entry of Providers; undefined when it has no name or no models. */
export function readRouterProvider(item: Json | undefined): RouterProvider | undefined {
  if (!isObject(item)) return undefined;
  const name = asString(item['name'])?.trim();
  const models = Array.isArray(item['models']) ? item['models'].filter((model) => typeof model === 'string') : [];
  if (!name || models.length === 0) return undefined;

  const { preset: behavesLike, isNative, maxOutput, left } = readTransformers(item['transformer']);
  const address = braceReferences(asString(item['api_base_url'])?.trim() ?? '');
  const guessed = guessPreset(address);
  const isKnown = guessed.hosts.length > 0;
  const isChat = CHAT.test(address);
  const isMessages = isNative === true || MESSAGES.test(address);
  // A known provider’s own protocol at this address is none of ours; its preset knows the right one.
  const isForeign = isKnown && !isChat && !isMessages && guessed.baseUrl !== '';
  const preset = isKnown ? guessed : behavesLike;
  const key = keyOf(name, asString(item['api_key'])?.trim() ?? '');
  return {
    name,
    models,
    entry: {
      name,
      ...(preset === undefined ? {} : { preset: preset.name }),
      ...(isMessages && preset?.protocol !== 'anthropic' ? { protocol: 'anthropic' } : {}),
      ...(isForeign ? {} : { base_url: address.replace(isMessages ? MESSAGES : CHAT, '') }),
      api_key: `\${${key.name}}`,
      ...(maxOutput === undefined ? {} : { quirks: { max_output: maxOutput } }),
    },
    variable: key,
    left,
  };
}

/** The variable that holds the key: the one that is referred to, else one of the provider’s name with the key itself. */
function keyOf(provider: string, written: string): RouterProvider['variable'] {
  const reference = /^\$\{(\w+)\}$/.exec(braceReferences(written))?.[1];
  if (reference !== undefined) return { name: reference, value: '' };
  const word = provider.toUpperCase().replaceAll(/\W+/g, '_');
  return { name: `${/^\d/.test(word) ? '_' : ''}${word}_API_KEY`, value: written };
}
