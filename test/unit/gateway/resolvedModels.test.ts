import { expect, test } from 'vitest';
import { ResolvedModels } from '../../../src/gateway/services.ts';
import { type Settings, testConfig } from '../../helpers/startApp.ts';

function learned(): ResolvedModels {
  const targets = new ResolvedModels(testConfig({ BIG_MODEL: 'large' }));
  targets.learn('large', { dropParams: ['user'] });
  targets.learn('large', { maxTokensField: 'max_completion_tokens' });
  return targets;
}

test('R413 what a provider has refused is remembered over a change of something else', () => {
  const { settings } = learned()
    .renew(testConfig({ BIG_MODEL: 'large', MAX_TOKENS_LIMIT: '1000' }))
    .get('large');
  expect(settings).toMatchObject({ dropParams: ['user'], maxTokensField: 'max_completion_tokens' });
});

test('limits of the new configuration hold for what is remembered', () => {
  const target = learned()
    .renew(testConfig({ BIG_MODEL: 'large', MAX_TOKENS_LIMIT: '1000' }))
    .get('large');
  expect(target.maxTokensLimit).toBe(1000);
});

test.each<[string, Settings]>([
  ['address', { OPENAI_BASE_URL: 'https://other.example/v1' }],
  ['key', { OPENAI_API_KEY: 'another-key-of-the-provider' }],
  ['quirk', { QUIRK_DROP_PARAMS: 'top_p' }],
])('a provider with another %s is learned anew', (_what, settings) => {
  const renewed = learned().renew(testConfig({ BIG_MODEL: 'large', ...settings }));
  expect(renewed.get('large').settings.dropParams).not.toContain('user');
});
