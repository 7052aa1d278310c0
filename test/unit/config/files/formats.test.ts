import { describe, expect, test } from 'vitest';
import { clientEnvironment } from '../../../../src/config/clientEnvironment.ts';
import type { CustomModel } from '../../../../src/config/config.ts';
import { modelSettings } from '../../../../src/providers/preset.ts';
import { configOf, problemsOf, readLines } from '../../../helpers/configText.ts';

const OWN = ['PROVIDER=openai', 'OPENAI_API_KEY=sk-openai-0001'];

function onlyModel(models: string, lines: readonly string[]): CustomModel {
  const [model] = configOf(lines, { models }).customModels.values();
  if (model === undefined) throw new Error('no model');
  return model;
}

/** As the README of the earlier system with models.yaml shows it. */
const MODELS_YAML = `- model_id: my-model
  model_name: model-name-used-in-request
  api_base: https://api.example.com
  api_key_name: MY_API_KEY
  can_stream: true
  max_tokens: 8192
  input_cost_per_token: 0.00000027  # Optional pricing info for cost tracking
  output_cost_per_token: 0.00000055 # Optional pricing info for cost tracking
`;

/** As the README of the earlier system with custom_models.yaml shows it. */
const CUSTOM_MODELS_YAML = `- model_id: "my-model"
  api_base: "https://api.example.com"
  api_key_name: "MY_API_KEY"
  can_stream: true
  max_tokens: 8192
  model_name: "actual-model-name"  # Optional - if different from model_id
`;

describe('the formats of the earlier systems', () => {
  test('models.yaml: address, key, name, limit and prices', () => {
    const model = onlyModel(MODELS_YAML, [...OWN, 'MY_API_KEY=key-of-mine-01']);
    expect(model).toMatchObject({
      id: 'my-model',
      name: 'custom/my-model',
      model: 'model-name-used-in-request',
      prices: { input: 0.27, output: 0.55 },
      provider: {
        preset: { name: 'custom' },
        baseUrl: 'https://api.example.com',
        endpoint: 'https://api.example.com/chat/completions',
        keyHeader: 'authorization',
        key: { source: 'file', variable: 'MY_API_KEY' },
        headers: {},
      },
    });
    expect(model.provider.key.secret?.reveal()).toBe('key-of-mine-01');
    expect(modelSettings(model.provider, model.model)).toMatchObject({ maxOutput: 8192, upstreamStream: true });
  });

  test('the second example of models.yaml: the preset is found by the address', () => {
    const models = `- model_id: deepseek-v3-250324
  api_base: https://api.deepseek.com
  api_key_name: DEEPSEEK_API_KEY
  can_stream: true
  max_tokens: 8192
  input_cost_per_token: 0.00000027
  output_cost_per_token: 0.00000055
`;
    const { config, problems } = readLines([...OWN, 'DEEPSEEK_API_KEY=key-of-mine-01'], { models });
    expect(problems).toEqual([]);
    expect(config?.customModels.get('deepseek-v3-250324')).toMatchObject({
      model: 'deepseek-v3-250324',
      provider: { preset: { name: 'deepseek' }, baseUrl: 'https://api.deepseek.com' },
    });
  });

  test('custom_models.yaml with PREFERRED_PROVIDER=custom needs nothing else', () => {
    const lines = ['PREFERRED_PROVIDER=custom', 'BIG_MODEL=my-model', 'MY_API_KEY=key-of-mine-01'];
    const { config, problems } = readLines(lines, { models: CUSTOM_MODELS_YAML });
    expect(problems).toEqual([]);
    expect(config?.tiers).toEqual({ big: 'custom/my-model', middle: 'custom/my-model', small: 'custom/my-model' });
    expect(config?.provider).toMatchObject({ baseUrl: 'https://api.example.com', key: { variable: 'MY_API_KEY' } });
    expect(config?.modelRefs.of(config.tiers.big).model).toBe('actual-model-name');
  });

  test('the client gets the limits of a big model of the file', () => {
    const lines = [...OWN, 'MY_API_KEY=key-of-mine-01', 'BIG_MODEL=my-model'];
    expect(clientEnvironment(configOf(lines, { models: MODELS_YAML }))).toMatchObject({
      ANTHROPIC_DEFAULT_OPUS_MODEL: 'custom/my-model',
      CLAUDE_CODE_MAX_OUTPUT_TOKENS: '8192',
    });
  });

  test('without a provider at all the big model gives the address', () => {
    const config = configOf(['BIG_MODEL=custom/my-model', 'MY_API_KEY=k-0000000001'], { models: CUSTOM_MODELS_YAML });
    expect(config.provider.baseUrl).toBe('https://api.example.com');
  });

  test('a server that is known by its address has its preset', () => {
    const models = '- model_id: m\n  api_base: https://api.deepseek.com\n';
    const config = configOf(['PREFERRED_PROVIDER=custom', 'BIG_MODEL=m', 'OPENAI_API_KEY=k-0000000001'], { models });
    expect(config.provider).toMatchObject({ preset: { name: 'deepseek' }, key: { variable: 'OPENAI_API_KEY' } });
  });

  test('a byte order mark', () => {
    expect(onlyModel('\ufeff- model_id: a\n', OWN).id).toBe('a');
  });

  test('a mapping with `models`, and JSON with tabs', () => {
    const mapping = `models:\n  - model_id: a\n    api_base: http://localhost:9/v1\n`;
    expect(onlyModel(mapping, OWN).provider).toMatchObject({ key: { source: 'none' } });
    const json = '{\n\t"models": [\n\t\t{ "model_id": "a", "max_input_tokens": 128000 }\n\t]\n}';
    expect(onlyModel(json, OWN).provider.overrides).toEqual({ contextWindow: 128_000 });
  });

  test('an empty file has no models', () => {
    expect(configOf(OWN, { models: '# - model_id: later\n' }).customModels.size).toBe(0);
  });
});

describe('faults of the earlier systems', () => {
  const keyed = [...OWN, 'MY_API_KEY=key-of-mine-01'];

  test.each(['custom/my-model', 'my-model', 'Custom/My-Model'])('%s of a tier is found', (name) => {
    expect(configOf([...keyed, `BIG_MODEL=${name}`], { models: MODELS_YAML }).tiers.big).toBe('custom/my-model');
  });

  test('custom/NAME that no file has is reported at start, with the nearest', () => {
    const { problems } = readLines([...keyed, 'BIG_MODEL=custom/my-modle'], { models: MODELS_YAML });
    expect(problems).toMatchObject([
      { line: 4, key: 'BIG_MODEL', severity: 'error', fix: 'Did you mean custom/my-model?' },
    ]);
  });

  test('a missing key never becomes the instance’s key: the model is left out', () => {
    const { config, problems } = readLines(OWN, { models: MODELS_YAML });
    expect(config?.customModels.size).toBe(0);
    expect(problems).toMatchObject([
      { file: 'envs/models.yaml', line: 4, key: '[0].api_key_name', severity: 'warning' },
    ]);
    expect(problemsOf([...OWN, 'BIG_MODEL=my-model'], { models: MODELS_YAML })).toEqual([
      'error 3 BIG_MODEL',
      'warning 4 [0].api_key_name',
    ]);
  });

  test('the client’s own key is passed on to the instance’s own server only', () => {
    const own = '- model_id: a\n  api_key_name: MY_KEY\n';
    expect(configOf(['PROVIDER=openai'], { models: own }).customModels.get('a')?.provider.key.source).toBe('client');
    const elsewhere = `${own}  api_base: https://api.example.com\n`;
    expect(configOf(['PROVIDER=openai'], { models: elsewhere }).customModels.size).toBe(0);
  });

  test('a model of the file that is called like the provider’s takes its place in the tiers', () => {
    const models = '- model_id: GLM-5.3\n  max_tokens: 100\n';
    const { tiers, providers } = configOf(['PROVIDER=glm'], { models });
    expect(tiers).toMatchObject({ big: 'custom/GLM-5.3', middle: 'custom/GLM-5.3' });
    expect(providers[0]?.models.big).toEqual(['custom/GLM-5.3']);
  });

  test('without api_key_name another server is refused the instance’s key, the own server gets it', () => {
    const elsewhere = '- model_id: a\n  api_base: https://api.example.com\n';
    expect(problemsOf(OWN, { models: elsewhere })).toEqual(['error 1 [0].api_key_name']);
    const named = onlyModel(`${elsewhere}  api_key_name: OPENAI_API_KEY\n`, OWN);
    expect(named.provider.key.secret?.reveal()).toBe('sk-openai-0001');
    const same = onlyModel('- model_id: a\n  api_base: https://api.openai.com/v2\n', OWN);
    expect(same.provider).toMatchObject({ baseUrl: 'https://api.openai.com/v2', preset: { name: 'openai' } });
    expect(same.provider.key.secret?.reveal()).toBe('sk-openai-0001');
  });

  test('can_stream: false is a setting of the model', () => {
    const model = onlyModel('- model_id: a\n  can_stream: false\n', OWN);
    expect(modelSettings(model.provider, model.model).upstreamStream).toBe(false);
  });

  test('extra_body of one model never changes another’s', () => {
    const models = '- &m\n  model_id: a\n  extra_body: { thinking: { type: auto } }\n- <<: *m\n  model_id: b\n';
    const config = configOf(OWN, { models });
    const [a, b] = ['a', 'b'].map((id) => config.customModels.get(id)?.provider.overrides.extraBody);
    expect(b).toEqual(a);
    expect(Object.isFrozen(b)).toBe(true);
  });
});
