import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ConfigResult } from '../../../../src/config/buildConfig.ts';
import { loadConfig } from '../../../../src/config/load.ts';
import { createRedactor } from '../../../../src/core/secret.ts';
import { configOf, readLines } from '../../../helpers/configText.ts';
import { temporaryFolder } from '../../../helpers/temporaryFolder.ts';

const ACME = { name: 'acme', base_url: 'https://api.acme.example/v1', models: { big: 'large' } };
const fileOf = (fields: object) => JSON.stringify({ providers: [{ ...ACME, ...fields }] });

function keysOf(fields: object, lines: readonly string[] = []): readonly (string | undefined)[] {
  const { key, moreKeys = [] } = configOf(lines, { providers: fileOf(fields) }).provider;
  return [key, ...moreKeys].map((one) => one.secret?.reveal());
}

describe('keys', () => {
  test('one, several, and both together without doubles', () => {
    expect(keysOf({ api_key: 'key-1' })).toEqual(['key-1']);
    expect(keysOf({ api_keys: ['key-1', 'key-2'] })).toEqual(['key-1', 'key-2']);
    expect(keysOf({ api_keys: 'key-1' })).toEqual(['key-1']);
    expect(keysOf({ api_key: 'key-2', api_keys: ['key-1', 'key-2', '${MY_KEY}'] }, ['MY_KEY=key-1'])).toEqual([
      'key-2',
      'key-1',
    ]);
  });

  test('a reference is shown as its variable, a key of the file as its path', () => {
    const fields = { api_key: '${MY_KEY}', api_keys: ['key-2', 'prefix-${MY_KEY}'] };
    const { key, moreKeys } = configOf(['MY_KEY=key-1'], { providers: fileOf(fields) }).provider;
    expect(key).toMatchObject({ source: 'file', variable: 'MY_KEY' });
    expect(moreKeys).toMatchObject([
      { source: 'providers file', variable: 'providers[0].api_keys[0]' },
      { source: 'providers file', variable: 'providers[0].api_keys[1]' },
    ]);
    expect(moreKeys?.[1]?.secret?.reveal()).toBe('prefix-key-1');
  });

  test('a default, and a variable of the environment', () => {
    expect(keysOf({ api_key: '${MY_KEY:-key-of-mine}' })).toEqual(['key-of-mine']);
    const options = { providers: fileOf({ api_key: '${MY_KEY}' }), environment: { MY_KEY: 'key-1' } };
    expect(configOf([], options).provider.key).toMatchObject({ source: 'environment', variable: 'MY_KEY' });
  });

  test('one that is missing leaves its provider out, on this machine, too', () => {
    const local = { name: 'local', base_url: 'http://127.0.0.1:9/v1', models: { big: 'm' }, api_key: '${NOWHERE}' };
    const { config, problems } = readLines([], { providers: JSON.stringify([{ ...ACME, api_key: 'key-1' }, local]) });
    expect(config?.providers.map(({ name }) => name)).toEqual(['acme']);
    expect(problems).toMatchObject([{ severity: 'warning', fix: expect.stringContaining('left out') }]);
  });

  test('one that is missing leaves the others', () => {
    const { config, problems } = readLines([], { providers: fileOf({ api_keys: ['${NOWHERE}', 'key-2'] }) });
    expect(config?.provider.key.secret?.reveal()).toBe('key-2');
    expect(config?.provider.moreKeys).toBeUndefined();
    expect(problems).toMatchObject([{ key: 'providers[0].api_keys[0]', severity: 'warning' }]);
  });

  test.each([
    ['your-api-key', []],
    ['${MY_KEY}', ['MY_KEY=your-api-key']],
  ] as const)('the placeholder %s counts as none, so that the client’s own is passed on', (written, lines) => {
    const { config, problems } = readLines(lines, { providers: fileOf({ api_key: written }) });
    expect(config?.provider.key.source).toBe('client');
    expect(problems).toMatchObject([{ severity: 'warning', found: expect.stringContaining('placeholder') }]);
  });

  test('none is needed on this machine and where servers ask for none', () => {
    for (const base_url of ['http://127.0.0.1:9/v1', 'http://[::1]:9/v1', 'http://localhost:9/v1'])
      expect(configOf([], { providers: fileOf({ base_url }) }).provider.key.source).toBe('none');
    const vllm = { preset: 'vllm', base_url: 'http://gpu.lan:8000/v1' };
    expect(configOf([], { providers: fileOf(vllm) }).provider.key.source).toBe('none');
    expect(configOf([], { providers: fileOf({ preset: 'demo', base_url: null }) }).provider.key.source).toBe('none');
  });

  test('elsewhere one must be there', () => {
    expect(readLines([], { providers: fileOf({}) }).problems).toMatchObject([
      { key: 'providers[0].api_key', severity: 'error', found: 'nothing' },
    ]);
  });

  test('an impossible key is refused and not shown', () => {
    const { problems } = readLines([], { providers: fileOf({ api_key: 'canary key' }) });
    expect(problems).toMatchObject([{ key: 'providers[0].api_key', severity: 'error' }]);
    expect(JSON.stringify(problems)).not.toContain('canary');
  });

  test('every key and secret header is redacted', () => {
    const fields = {
      api_keys: ['canary-one-1', 'canary-two-2'],
      custom_headers: { Authorization: 'Bearer canary-three' },
    };
    const config = configOf(['PROVIDER=demo'], { providers: fileOf(fields) });
    const redact = createRedactor(config.secrets);
    expect(redact('canary-one-1 canary-two-2 canary-three')).toBe('**** **** ****');
    expect(JSON.stringify(config.providers)).not.toContain('canary-one');
  });
});

describe('on the disk', () => {
  function load(files: Readonly<Record<string, string>>, mode = 0o600): ConfigResult & { readonly folder: string } {
    const { path: folder, remove } = temporaryFolder();
    onTestFinished(remove);
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
      chmodSync(join(folder, name), name.endsWith('.json') ? mode : 0o600);
    }
    return { ...loadConfig('envs/work.env', {}, folder), folder };
  }
  const text = fileOf({ api_key: 'key-1' });

  test.each(['envs/config/providers.json', 'envs/providers.json'])('%s is found', (name) => {
    expect(load({ 'envs/work.env': '', [name]: text }).config?.providersFile).toBe(name);
  });

  test('PROVIDERS_FILE goes before them; config/providers.json before providers.json', () => {
    const named = { 'envs/work.env': 'PROVIDERS_FILE=mine.json', 'mine.json': text };
    expect(load({ ...named, 'envs/providers.json': text }).config?.providersFile).toBe('mine.json');
    const both = { 'envs/work.env': '', 'envs/providers.json': text, 'envs/config/providers.json': text };
    expect(load(both).config?.providersFile).toBe('envs/config/providers.json');
  });

  test('one that is named and not there is reported once', () => {
    expect(load({ 'envs/work.env': 'PROVIDERS_FILE=mine.json' }).problems).toMatchObject([
      { line: 1, key: 'PROVIDERS_FILE', severity: 'error', found: expect.stringContaining('ENOENT') },
    ]);
  });

  test('E4 keys in a file that others may read are a warning', () => {
    const files = { 'envs/work.env': '', 'envs/providers.json': text };
    expect(load(files, 0o644).problems).toMatchObject([
      { key: 'providers[0].api_key', severity: 'warning', fix: 'Run: chmod 600 envs/providers.json' },
    ]);
    expect(load(files).problems).toEqual([]);
    const named = { 'envs/work.env': 'MY_KEY=key-1', 'envs/providers.json': fileOf({ api_key: '${MY_KEY}' }) };
    expect(load(named, 0o644).problems).toEqual([]);
  });

  test('a key alone in a reference may lie in a file that NAME_FILE names', () => {
    const files = {
      'envs/work.env': 'MY_KEY_FILE=secret',
      secret: 'key-1\n',
      'envs/providers.json': fileOf({ api_key: '${MY_KEY}' }),
    };
    const { config, problems } = load(files);
    expect(problems).toEqual([]);
    expect(config?.provider.key).toMatchObject({ source: 'secret file', variable: 'MY_KEY_FILE' });
    expect(config?.provider.key.secret?.reveal()).toBe('key-1');
  });

  test('the configuration knows its files, also those that might come', () => {
    const { config, folder } = load({
      'envs/work.env': 'MY_KEY_FILE=secret\nPRICES_FILE=prices.json',
      secret: 'key-1',
      'prices.json': '{}',
      'envs/models.yaml': '[]',
      'envs/config': 'a file, not a folder',
      'envs/providers.json': fileOf({ api_key: '${MY_KEY}' }),
    });
    const expected = [
      'envs/work.env',
      'envs/models.yaml',
      'envs/models.yml',
      'envs/models.json',
      'envs/custom_models.yaml',
      'envs/config/providers.json',
      'envs/providers.json',
      'prices.json',
      'secret',
      'state/catalogue.json',
    ].map((name) => join(folder, name));
    expect([...(config?.files ?? [])].sort()).toEqual(expected.sort());
  });

  test('a configuration that is refused names its files as well', () => {
    const { config, files, folder } = load({ 'envs/work.env': 'MODELS_FILE=mine.yaml', 'mine.yaml': '- {' });
    expect(config).toBeUndefined();
    expect(files).toContain(join(folder, 'mine.yaml'));
    expect(loadConfig('missing.env', {}, folder).files).toEqual([join(folder, 'missing.env')]);
  });
});
