import { describe, expect, test } from 'vitest';
import { ResolvedModels } from '../../../src/gateway/services.ts';
import { type Settings, testConfig } from '../../helpers/startApp.ts';

const started = testConfig({ BIG_MODEL: 'large' });
const ref = started.modelRefs.of('large');

function learned(): ResolvedModels {
  const models = new ResolvedModels(started);
  models.learn(ref, { dropParams: ['user'] });
  models.learn(ref, { maxTokensField: 'max_completion_tokens' });
  return models;
}

test('R413 what a provider has refused is remembered over a change of something else', () => {
  const { settings } = learned()
    .renew(testConfig({ BIG_MODEL: 'large', MAX_TOKENS_LIMIT: '1000' }))
    .get(ref);
  expect(settings).toMatchObject({ dropParams: ['user'], maxTokensField: 'max_completion_tokens' });
});

test('limits of the new configuration hold for what is remembered', () => {
  const target = learned()
    .renew(testConfig({ BIG_MODEL: 'large', MAX_TOKENS_LIMIT: '1000' }))
    .get(ref);
  expect(target.maxTokensLimit).toBe(1000);
});

test.each<[string, Settings]>([
  ['address', { OPENAI_BASE_URL: 'https://other.example/v1' }],
  ['key', { OPENAI_API_KEY: 'another-key-of-the-provider' }],
  ['quirk', { QUIRK_DROP_PARAMS: 'top_p' }],
])('a provider with another %s is learned anew', (_what, settings) => {
  const renewed = learned().renew(testConfig({ BIG_MODEL: 'large', ...settings }));
  expect(renewed.get(ref).settings.dropParams).not.toContain('user');
});

describe('names come from clients', () => {
  const models = () => new ResolvedModels(started);
  const refOf = (name: string) => started.modelRefs.of(name);

  test('one is worked out once, and 200 others later anew', () => {
    const known = models();
    const [route, model] = [known.route('first'), known.get(refOf('first'))];
    expect(known.route('first')).toBe(route);
    expect(known.get(refOf('first'))).toBe(model);
    for (let index = 0; index < 200; index += 1) {
      known.route(`name-${index}`);
      known.get(refOf(`name-${index}`));
    }
    expect(known.route('first')).not.toBe(route);
    expect(known.get(refOf('first'))).not.toBe(model);
  });

  test('one that is longer than any model’s is not kept', () => {
    const known = models();
    const long = 'x'.repeat(401);
    expect(known.route(long)).not.toBe(known.route(long));
  });
});
