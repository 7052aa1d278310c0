import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'dotenv';
import { buildConfig, type ConfigResult } from '../../src/config/buildConfig.ts';
import type { Config } from '../../src/config/config.ts';
import { configFromText } from '../../src/config/envFile.ts';

export interface ConfigOptions {
  readonly file?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory?: string;
  /** Text of a models file beside the env file. */
  readonly models?: string;
}

/** What an env file with these lines gives. */
export function readLines(lines: readonly string[], options: ConfigOptions = {}): ConfigResult {
  const { file = 'envs/work.env', environment = {}, directory = '/project', models } = options;
  if (models !== undefined) {
    const readSecretFile = (path: string) => readFileSync(resolve(directory, path), 'utf8');
    const findModelsFile = () => ({ file: 'envs/models.yaml', text: models });
    const text = lines.join('\n');
    return buildConfig({ file, text, parse, environment, readSecretFile, findModelsFile, directory });
  }
  return configFromText(file, lines.join('\n'), environment, directory);
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
