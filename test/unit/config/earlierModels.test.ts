import { expect, test } from 'vitest';
import { modelSettings } from '../../../src/providers/preset.ts';
import { findPrices } from '../../../src/telemetry/usage/cost.ts';
import { readEarlier, readEarlierWithKeys } from '../../helpers/earlierFixture.ts';

const soundly = ({ config, problems }: ReturnType<typeof readEarlier>) => {
  if (config === undefined) throw new Error(JSON.stringify(problems));
  expect(problems).toEqual([]);
  return config;
};

test('a custom model is all that PREFERRED_PROVIDER=custom needs', () => {
  const config = soundly(readEarlierWithKeys('custom-model/custom-model.env'));
  expect(config.tiers.big).toBe('custom/my-model');
  const { provider, model } = config.modelRefs.of(config.tiers.big);
  expect(model).toBe('actual-model-name');
  expect(provider).toMatchObject({
    endpoint: 'https://api.example.com/chat/completions',
    key: { variable: 'MY_API_KEY' },
  });
});

test('where the example’s key still stands, the client’s own is passed on to the custom model’s server', () => {
  const { config } = readEarlier('custom-model/custom-model.env');
  expect(config?.modelRefs.of(config.tiers.big)).toMatchObject({
    model: 'actual-model-name',
    provider: { key: { source: 'client' } },
  });
});

test('the last of several alternatives in one file counts', () => {
  const { config } = readEarlier('preferred-custom/preferred-all.env');
  expect(config?.tiers).toMatchObject({ big: 'custom/my-large-model', small: 'custom/my-small-model' });
});

test('models.yaml: addresses, keys, limits and prices', () => {
  const config = soundly(readEarlierWithKeys('models/models.env'));
  const [mine, added, deepseek] = ['my-model', 'my-new-model', 'deepseek-v3-250324'].map((id) =>
    config.modelRefs.of(`custom/${id}`),
  );
  expect(mine).toMatchObject({ model: 'model-name-used-in-request', provider: { baseUrl: 'https://api.example.com' } });
  expect(mine?.provider.key.variable).toBe('MY_API_KEY');
  expect(added?.provider.endpoint).toBe('https://api.example.com/v1/chat/completions');
  expect(deepseek?.provider.key.variable).toBe('DEEPSEEK_API_KEY');
  for (const one of [mine, added, deepseek])
    expect(one && modelSettings(one.provider, one.model)).toMatchObject({ maxOutput: 8192, upstreamStream: true });
  expect(findPrices(config, 'custom/my-model', '2026-11-20')).toEqual({ input: 0.27, output: 0.55 });
});

test.each(['router/router.env', 'router/router-bare.env'])(
  '%s routes by intent, without BIG_MODEL or a provider',
  (file) => {
    const config = soundly(readEarlier(file));
    expect(config.router).toEqual({
      background: 'custom/deepseek-v3-250324',
      think: 'custom/deepseek-r1-250528',
      longContext: 'custom/gemini-2.5-pro',
      default: 'custom/deepseek-v3-250324',
    });
    expect(config.longContextThreshold).toBe(128 * 1024);
    expect(config.tiers).toEqual({
      big: 'custom/deepseek-v3-250324',
      middle: 'custom/deepseek-v3-250324',
      small: 'custom/deepseek-v3-250324',
    });
    expect(config.provider).toMatchObject({
      baseUrl: 'https://api.deepseek.com',
      key: { variable: 'DEEPSEEK_API_KEY' },
    });
  },
);
