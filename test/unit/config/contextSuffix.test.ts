import { describe, expect, test } from 'vitest';
import { listModels } from '../../../src/routing/modelList.ts';
import { routeModel } from '../../../src/routing/modelRouter.ts';
import { configOf } from '../../helpers/configText.ts';

const key = 'OPENAI_API_KEY=own-key-0001';

describe('the suffix [1m], which users are asked to write for Claude Code, never goes upstream', () => {
  test.each(['glm', 'glm-anthropic'])('in a tier of %s', (provider) => {
    const config = configOf([`PROVIDER=${provider}`, key, 'BIG_MODEL=glm-5.3[1m]', 'SMALL_MODEL=glm-5.3-flash[1M]']);
    expect(config.tiers).toEqual({ big: 'glm-5.3', middle: 'glm-5.3', small: 'glm-5.3-flash' });
    expect(listModels(config, '2026-11-29').filter(({ id }) => id.includes('['))).toEqual([]);
    expect(routeModel('claude-opus-5[1m]', config).model.model).toBe('glm-5.3');
  });

  test('in a target of the router', () => {
    const config = configOf(['PROVIDER=glm', key, 'ROUTER_LONG_CONTEXT=glm-5.2[1m]']);
    expect(config.router.longContext).toBe('glm-5.2');
  });

  test('in the providers file', () => {
    const models = { big: ['kimi-k3[1m]', 'kimi-k2.6'], small: 'kimi-k2.6[1m]' };
    const providers = JSON.stringify([{ name: 'a', preset: 'kimi', api_key: 'own-key-0001', models }]);
    expect(configOf(['PORT=8099'], { providers }).providers[0]?.models).toEqual({
      big: ['kimi-k3', 'kimi-k2.6'],
      middle: ['kimi-k3', 'kimi-k2.6'],
      small: ['kimi-k2.6'],
    });
  });

  test('in the models file, by whichever of its names', () => {
    const models = '- model_id: mine[1m]\n  model_name: real[1m]\n- model_id: other';
    const config = configOf(['PROVIDER=glm', key, 'BIG_MODEL=custom/mine[1m]', 'SMALL_MODEL=other[1m]'], { models });
    expect(config.tiers).toMatchObject({ big: 'custom/mine', small: 'custom/other' });
    expect(config.customModels.get('mine')).toMatchObject({ id: 'mine', model: 'real' });
  });

  test('in the big model by which an instance finds its address', () => {
    const models = '- model_id: mine\n  api_base: http://127.0.0.1:9/v1';
    expect(configOf(['BIG_MODEL=mine[1m]'], { models }).provider.baseUrl).toBe('http://127.0.0.1:9/v1');
  });
});
