import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'dotenv';
import { buildConfig, type ConfigResult } from '../../src/config/buildConfig.ts';
import type { Config } from '../../src/config/config.ts';
import { CATALOGUE_FILE } from '../../src/config/files/catalogue.ts';

export interface ConfigOptions {
  readonly file?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory?: string;
  /** Text of a models file beside the env file. */
  readonly models?: string;
  /** Text of a providers file beside the env file. */
  readonly providers?: string;
  /** Text of state/catalogue.json. */
  readonly catalogue?: string;
}

/** What an env file with these lines gives. */
export function readLines(lines: readonly string[], options: ConfigOptions = {}): ConfigResult {
  const { file = 'envs/work.env', environment = {}, directory = '/project', models, providers, catalogue } = options;
  const folder = dirname(file);
  const inMemory = new Map(
    [
      ...(models === undefined ? [] : [[join(folder, 'models.yaml'), models] as const]),
      ...(providers === undefined ? [] : [[join(folder, 'providers.json'), providers] as const]),
      ...(catalogue === undefined ? [] : [[CATALOGUE_FILE, catalogue] as const]),
    ].map(([path, text]) => [resolve(directory, path), text] as const),
  );
  const readFile = (path: string) => ({ text: inMemory.get(path) ?? readFileSync(path, 'utf8') });
  return buildConfig({ file, text: lines.join('\n'), parse, environment, readFile, directory });
}

/** The configuration of an env file with these lines; throws with the problems when there is none. */
export function configOf(lines: readonly string[], options: ConfigOptions = {}): Config {
  const { config, problems } = readLines(lines, options);
  if (config === undefined) throw new Error(JSON.stringify(problems));
  return config;
}

/** The problems as `severity line key`, which is what most tests ask for. */
export function problemsOf(lines: readonly string[], options: ConfigOptions = {}): readonly string[] {
  return readLines(lines, options).problems.map(
    ({ severity, line, key }) => `${severity} ${line === undefined ? '-' : line} ${key}`,
  );
}
