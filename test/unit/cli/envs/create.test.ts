import fc from 'fast-check';
import { expect, test } from 'vitest';
import { envText, type NewInstance } from '../../../../src/cli/envs/create.ts';
import { checkInstanceName } from '../../../../src/cli/envs/envFiles.ts';
import { configFromText } from '../../../../src/config/load.ts';
import { findPreset, presets } from '../../../../src/providers/index.ts';
import type { Preset } from '../../../../src/providers/preset.ts';

function newInstance(preset: Preset | undefined, changes: Partial<NewInstance> = {}): NewInstance {
  if (preset === undefined) throw new Error('no such preset');
  return {
    name: 'work',
    preset,
    port: 8090,
    key: '',
    region: undefined,
    url: preset.baseUrl === '' && preset.protocol !== 'demo' ? 'https://api.example.com/v1' : undefined,
    model: preset.tiers === undefined ? 'some-model' : undefined,
    ...changes,
  };
}

const load = (instance: NewInstance) => configFromText('envs/work.env', envText(instance), {}, '/nowhere');

test.each(presets.map((preset) => [preset.name, preset] as const))('a file for %s is sound', (_name, preset) => {
  const { config, problems } = load(newInstance(preset, { key: 'sk-0123456789abcdef' }));
  expect(problems).toEqual([]);
  expect(config).toMatchObject({ port: 8090, provider: { preset: { name: preset.name } } });
});

test.each(presets.map((preset) => [preset.name, preset] as const))(
  'a file for %s has at most 25 lines',
  (_name, preset) => {
    expect(envText(newInstance(preset)).trimEnd().split('\n').length).toBeLessThanOrEqual(25);
  },
);

test('region, address and model are set in place of their comments', () => {
  const { config } = load(newInstance(findPreset('kimi'), { region: 'cn', model: 'my-model' }));
  expect(config?.provider.baseUrl).toBe('https://api.moonshot.cn/v1');
  expect(config?.tiers).toMatchObject({ big: 'my-model', middle: 'my-model' });
  expect(envText(newInstance(findPreset('kimi'), { region: 'cn' })).match(/^#?REGION=/gm)).toEqual(['REGION=']);
});

test('any key that a header can carry comes back as it was', () => {
  const letter = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
  const key = fc.string({ unit: letter, minLength: 12, maxLength: 80 });
  fc.assert(
    fc.property(key, (secret) => {
      fc.pre(!(/'/.test(secret) && /["\\$]/.test(secret)) && !/^(?:sk-)?[<*x.]/i.test(secret));
      const { config } = load(newInstance(findPreset('openai'), { key: secret }));
      expect(config?.provider.key.secret?.reveal()).toBe(secret);
    }),
  );
});

test('a key that no quotes can hold is refused, without being shown', () => {
  const write = () => envText(newInstance(findPreset('openai'), { key: `a'b"c$d-0123456789` }));
  expect(write).toThrow(/^OPENAI_API_KEY: an env file cannot hold/);
  expect(write).not.toThrow(/0123456789/);
});

test.each(['work', 'my-kimi', 'glm-4.6', 'a_b', '1'])('%s can be the name of an instance', (name) => {
  expect(() => checkInstanceName(name)).not.toThrow();
});

test.each(['Work', 'all', 'env', 'a--b', '-a', 'a b', '../x', 'a/b', ''])('"%s" cannot', (name) => {
  expect(() => checkInstanceName(name)).toThrow(/cannot be the name of an instance/);
});
