import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigResult } from '../../src/config/buildConfig.ts';
import { configFromText } from '../../src/config/load.ts';

const root = join(import.meta.dirname, '../fixtures/earlier');

/** Env files of the earlier systems' examples, relative to their folder. */
export const earlierEnvFiles: readonly string[] = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => /(?:\.env|\/\.env-[\w-]+|^\.env-[\w-]+)$/.test(name))
  .sort();

/** What an example has where the user's key belongs, also behind `Bearer`. */
const PLACEHOLDER = /(?:sk-)?\b(?:your[-_][\w-]*(?:key|here))\b|(?:sk-)?\*{3}/g;

/** The text of an example. */
export function earlierText(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

/** What an env file of the examples gives, as it stands. */
export function readEarlier(
  file: string,
  environment: Readonly<Record<string, string>> = {},
  text = earlierText(file),
): ConfigResult {
  return configFromText(file, text, environment, root);
}

/** The same after the user has put in keys; every one is another. */
export function readEarlierWithKeys(file: string, environment: Readonly<Record<string, string>> = {}): ConfigResult {
  let count = 0;
  const text = earlierText(file).replaceAll(PLACEHOLDER, () => `key-of-mine-000${++count}`);
  return readEarlier(file, environment, text);
}
