import { describe, expect, test } from 'vitest';
import { listModels } from '../../../src/routing/modelList.ts';
import { routeModel } from '../../../src/routing/modelRouter.ts';
import { configOf } from '../../helpers/configText.ts';

const models = `
- model_id: my-model
  model_name: actual-name
  api_base: https://api.example.com/v1
  api_key_name: MY_API_KEY
- model_id: my-opus
- model_id: glm-4.7
  max_tokens: 100
`;
const lines = ['PROVIDER=glm', 'OPENAI_API_KEY=own-key-0001', 'MY_API_KEY=key-of-mine-01'];
const config = configOf([...lines, 'SMALL_MODEL=my-model'], { models });

/** Where a name leads, by the name that the model has here. */
function routed(requested: string) {
  const { model, ...rest } = routeModel(requested, config);
  return { ...rest, model: model.name };
}

describe('R103 models that the user names pass unchanged', () => {
  test.each([
    'gpt-4o',
    'gpt-4o-2024-11-20',
    'o1-mini',
    'o3',
    'glm-4.6',
    'kimi-k2-0905-preview',
    'deepseek-v3-250324',
    'deepseek-chat',
    'ep-20250101123456-abcde',
    'doubao-seed-1-6-20250615',
    'team/model-7',
  ])('%s', (name) => {
    expect(routed(name)).toEqual({ tier: 'none', model: name, explicit: true });
  });
});

describe('R103 prefixes of requested models', () => {
  test.each<[string, string, string, string | undefined]>([
    ['glm/glm-4.6', 'none', 'glm-4.6', undefined],
    ['glm/glm-5.3[1m]', 'big', 'glm-5.3', undefined],
    ['openai/gpt-4o', 'none', 'gpt-4o', 'model_prefix_removed:openai'],
    ['google/gemini-2.5-pro', 'none', 'gemini-2.5-pro', 'model_prefix_removed:google'],
    ['custom/unknown', 'none', 'unknown', 'model_prefix_removed:custom'],
    ['openai/claude-haiku-4-5', 'small', 'custom/my-model', undefined],
    ['anthropic/claude-sonnet-5', 'middle', 'glm-5.3', undefined],
    ['openai/', 'big', 'glm-5.3', undefined],
  ])('%s', (requested, tier, model, note) => {
    const explicit = tier === 'none';
    expect(routed(requested)).toEqual({ tier, model, explicit, ...(note === undefined ? {} : { note }) });
  });

  test.each(['openai/gpt-5', 'anthropic/claude-opus-4.7', 'openrouter/auto'])(
    '%s stays whole where ids look like that',
    (name) => {
      const openrouter = configOf(['PROVIDER=openrouter', 'OPENAI_API_KEY=own-key-0001']);
      expect(routeModel(name, openrouter).model.name).toBe(name);
    },
  );
});

describe('R103 models of the models file', () => {
  test.each<[string, string, string]>([
    ['my-model', 'small', 'custom/my-model'],
    ['custom/my-model', 'small', 'custom/my-model'],
    ['Custom/My-Model[1m]', 'small', 'custom/my-model'],
    ['claude-work--custom/my-model', 'small', 'custom/my-model'],
    ['claude-work--my-model', 'small', 'custom/my-model'],
    ['claude-haiku-4-5', 'small', 'custom/my-model'],
    ['my-opus', 'none', 'custom/my-opus'],
    ['glm-4.7', 'none', 'custom/glm-4.7'],
  ])('%s', (requested, tier, model) => {
    expect(routed(requested)).toMatchObject({ tier, model });
  });

  test('are served at their own address under their own name, all else at the provider’s', () => {
    expect(config.modelRefs.of('custom/my-model')).toMatchObject({
      model: 'actual-name',
      provider: { endpoint: 'https://api.example.com/v1/chat/completions', key: { variable: 'MY_API_KEY' } },
      custom: { id: 'my-model' },
    });
    expect(config.modelRefs.of('glm-5.3')).toEqual({
      name: 'glm-5.3',
      model: 'glm-5.3',
      provider: config.provider,
      named: config.providers[0],
    });
    expect(config.modelRefs.of('actual-name').provider).toBe(config.provider);
    expect(config.modelRefs.of('custom/glm-4.7')).toMatchObject({
      model: 'glm-4.7',
      provider: { endpoint: config.provider.endpoint, key: { variable: 'OPENAI_API_KEY' } },
    });
  });

  test('serve a name behind the first provider, too', () => {
    expect(routeModel('glm,glm-4.7', config).model.custom?.id).toBe('glm-4.7');
  });

  test('a name that ends with its comma is no model of the provider before it', () => {
    expect(config.modelRefs.of('glm,')).toEqual({
      name: 'glm,',
      model: 'glm,',
      provider: config.provider,
      named: config.providers[0],
    });
  });

  test('R503 are listed once', () => {
    expect(listModels(config, '2026-11-20').map(({ id }) => id)).toEqual([
      'glm-5.3',
      'custom/my-model',
      'custom/my-opus',
      'claude-work--custom/my-opus',
      'custom/glm-4.7',
      'claude-work--custom/glm-4.7',
    ]);
  });
});
