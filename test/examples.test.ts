import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ConfigResult } from '../src/config/buildConfig.ts';
import { configFromText } from '../src/config/load.ts';
import { findPreset } from '../src/providers/index.ts';
import { readLines } from './helpers/configText.ts';

const directory = join(import.meta.dirname, '..');
const names = readdirSync(join(directory, 'envs'))
  .filter((file) => file.endsWith('.env.example'))
  .map((file) => file.replace('.env.example', ''))
  .sort();

const textOf = (name: string) => readFileSync(join(directory, 'envs', `${name}.env.example`), 'utf8');
const read = (name: string, text: string): ConfigResult => configFromText(`envs/${name}.env`, text, {}, directory);

test('there is one for each provider of the mission and the demo', () => {
  expect(names).toEqual(['demo', 'gemini', 'glm', 'kimi', 'minimax']);
});

test('their ports differ', () => {
  const ports = names.map((name) => read(name, textOf(name)).config?.port);
  expect(new Set(ports).size).toBe(names.length);
  expect(ports).not.toContain(undefined);
});

test('envs/providers.json.example works with the keys that it asks for', () => {
  const providers = readFileSync(join(directory, 'envs/providers.json.example'), 'utf8');
  const keys = ['KIMI_API_KEY', 'GLM_API_KEY', 'GLM_SECOND_API_KEY'].map((name) => `${name}=key-of-${name}`);
  const { config, problems } = readLines(keys, { providers });
  expect(problems).toEqual([]);
  expect(config?.providers).toMatchObject([
    { name: 'kimi', provider: { preset: { name: 'kimi' } } },
    { name: 'glm', provider: { preset: { name: 'glm' }, moreKeys: [{ variable: 'GLM_SECOND_API_KEY' }] } },
  ]);
  const enabled = providers.replace('"enabled": false', '"enabled": true');
  expect(readLines(keys, { providers: enabled }).config?.providers).toHaveLength(3);
});

describe.each(names)('envs/%s.env.example', (name) => {
  const text = textOf(name);
  const uncommented = text.replaceAll(/^#(?=[A-Z0-9_]+=)/gm, '');

  test('works as it is', () => {
    const { config, problems } = read(name, text);
    expect(problems).toEqual([]);
    expect(config).toMatchObject({ instance: name, provider: { preset: { name } } });
  });

  test('shows the defaults: nothing changes when every line is switched on', () => {
    expect(uncommented).not.toBe(text);
    const { config, problems } = read(name, uncommented);
    expect(problems).toEqual([]);
    expect(config?.hash).toBe(read(name, text).config?.hash);
  });

  test('is short, and says where all settings are', () => {
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(25);
    expect(text).toContain('docs/ENVIRONMENT.md');
    expect(existsSync(join(directory, 'docs/ENVIRONMENT.md'))).toBe(true);
  });

  test('holds no key, and a line for it under the provider’s own name', () => {
    const keyName = findPreset(name)?.keyNames[0];
    expect(keyName === undefined).toBe(name === 'demo');
    if (keyName !== undefined) expect(text).toMatch(new RegExp(`^${keyName}=$`, 'm'));
  });

  test('names its port wherever it says an address', () => {
    const ports = [...text.matchAll(/127\.0\.0\.1:(\d+)/g)].map((match) => match[1]);
    expect(new Set(ports)).toEqual(new Set([String(read(name, text).config?.port)]));
  });
});
