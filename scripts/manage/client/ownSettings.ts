import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isObject, type JsonObject } from '../../../src/core/json.ts';
import { exitCodes, Failure } from '../exitCodes.ts';
import type { ClientSettings } from './clientSettings.ts';

/** The user's words for claude, and the settings that they bring. */
export interface ClientWords {
  readonly words: readonly string[];
  readonly settings: JsonObject;
}

const OPTION = '--settings';

/**
 * Takes `--settings` out of the words for claude: the client heeds only the last, so that two have to become one.
 * @throws Failure (usage) when it is neither JSON nor a file with JSON.
 */
export function takeOwnSettings(words: readonly string[], directory: string): ClientWords {
  const index = words.findIndex((word) => word === OPTION || word.startsWith(`${OPTION}=`));
  const word = words[index];
  if (word === undefined) return { words, settings: {} };
  const isJoined = word !== OPTION;
  const given = isJoined ? word.slice(OPTION.length + 1) : words[index + 1];
  const rest = takeOwnSettings([...words.slice(0, index), ...words.slice(index + (isJoined ? 1 : 2))], directory);
  return { words: rest.words, settings: { ...readSettings(given ?? '', directory), ...rest.settings } };
}

function readSettings(given: string, directory: string): JsonObject {
  const isText = given.trimStart().startsWith('{');
  const what = isText ? 'its text' : given;
  try {
    const settings: unknown = JSON.parse(isText ? given : readFileSync(resolve(directory, given), 'utf8'));
    if (isObject(settings)) return settings;
  } catch (error) {
    throw new Failure(`${OPTION}: ${what} cannot be read: ${(error as Error).message}`, exitCodes.usage);
  }
  throw new Failure(`${OPTION}: ${what} is not a JSON object`, exitCodes.usage);
}

/** The user's settings for this run with the instance's over them; a status line of the user's stays. */
export function mergeSettings(own: JsonObject, settings: ClientSettings): JsonObject {
  const env = isObject(own['env']) ? own['env'] : {};
  return {
    ...settings,
    ...own,
    ...(settings.apiKeyHelper === undefined ? {} : { apiKeyHelper: settings.apiKeyHelper }),
    env: { ...env, ...settings.env },
  };
}
