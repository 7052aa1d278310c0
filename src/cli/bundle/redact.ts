import { readFileSync } from 'node:fs';
import { homedir, hostname, userInfo } from 'node:os';
import { isObject, type Json, type JsonObject } from '../../core/json.ts';
import { Secret } from '../../core/secret.ts';
import { envFile, type Instance } from '../supervisor/instances.ts';

/** A shorter name is part of too many words. */
const LEAST_LENGTH = 3;

const COMMON_NAMES = new Set(['root', 'localhost']);

/** The text without the home directory, the name of the user and that of the machine. */
export function redactPerson(text: string): string {
  const home = homedir();
  const withoutHome = home.length > 1 ? text.replaceAll(home, '~') : text;
  return [
    [userInfo().username, 'USER'],
    [hostname(), 'HOST'],
  ].reduce(
    (clean, [name = '', stand = '']) =>
      name.length < LEAST_LENGTH || COMMON_NAMES.has(name) ? clean : clean.replaceAll(name, stand),
    withoutHome,
  );
}

/** The same object with each text in it, keys included, put through a function. */
export function mapTexts(value: JsonObject, change: (text: string) => string): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, inner = null]) => [change(key), mapValue(inner, change)]));
}

function mapValue(value: Json, change: (text: string) => string): Json {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapValue(item, change));
  return isObject(value) ? mapTexts(value, change) : value;
}

const SECRET_LINE = /^\s*(?:export\s+)?[\w-]*(?:KEY|TOKEN|SECRET|PASSWORD|AUTH|HEADER)[\w-]*\s*[=:]\s*(?<value>.+)$/gim;

/** Everything of an instance that must stay secret; of a file that is wrong, the values of all lines that may hold such. */
export function secretsOf(instance: Instance): readonly Secret[] {
  if (instance.config !== undefined) return instance.config.secrets;
  try {
    const lines = readFileSync(envFile(instance), 'utf8').matchAll(SECRET_LINE);
    return [...lines].flatMap(({ groups }) => {
      const written = (groups?.['value'] ?? '').trim();
      return [written, written.replace(/^(["'`])(.*)\1.*$/, '$2'), written.replace(/\s+#.*$/, '')].map(
        (value) => new Secret(value),
      );
    });
  } catch {
    return [];
  }
}
