import { describe, expect, test } from 'vitest';
import { endpointUrl } from '../../../src/upstream/client.ts';
import { configOf, problemsOf } from '../../helpers/configText.ts';

/** Where a model of these lines is asked for. */
const addressOf = (lines: readonly string[], model = 'gpt-4o') =>
  endpointUrl(configOf(['OPENAI_API_KEY=key-0001', ...lines]).provider.endpoint, model).href;

describe('the address of chat completions', () => {
  test('is appended to the provider’s', () => {
    expect(addressOf(['PROVIDER=glm'])).toBe('https://api.z.ai/api/paas/v4/chat/completions');
    expect(addressOf(['PROVIDER=kimi', 'REGION=cn'])).toBe('https://api.moonshot.cn/v1/chat/completions');
  });

  test.each([
    'https://res.openai.azure.com',
    'https://res.openai.azure.com/openai',
    'https://openai.openai.azure.com/openai/v1/',
    'https://res.openai.azure.com/openai/deployments/gpt-4o',
    'https://gate.example/team/openai/v1',
  ])('of a resource is the same however it is given: %s', (address) => {
    const lines = ['PROVIDER=azure', 'BIG_MODEL=gpt-4o', `OPENAI_BASE_URL=${address}`];
    const server = address.replace(/\/openai\/?(?:v1\/?|deployments.*)?$/, '');
    expect(addressOf(lines)).toBe(`${server}/openai/v1/chat/completions`);
    expect(addressOf([...lines, 'AZURE_API_VERSION=2024-10-21'], 'my gpt')).toBe(
      `${server}/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21`,
    );
  });

  test.each(['https://api.z.ai', 'https://api.z.ai/api/', 'https://api.z.ai/api/paas/v4'])(
    'is taken in full where only the beginning is written: %s',
    (address) => {
      const full = 'https://api.z.ai/api/paas/v4/chat/completions';
      expect(addressOf([`OPENAI_BASE_URL=${address}`])).toBe(full);
      const models = `- model_id: mine\n  api_base: ${address}\n  api_key_name: OPENAI_API_KEY\n`;
      const config = configOf(['PROVIDER=openai', 'OPENAI_API_KEY=key-0001'], { models });
      expect(config.customModels.get('mine')?.provider.endpoint).toBe(full);
    },
  );

  test('is as it is written elsewhere, and in other regions', () => {
    expect(addressOf(['OPENAI_BASE_URL=https://open.bigmodel.cn/api'])).toBe(
      'https://open.bigmodel.cn/api/paas/v4/chat/completions',
    );
    expect(addressOf(['OPENAI_BASE_URL=https://api.example.com', 'BIG_MODEL=a'])).toBe(
      'https://api.example.com/chat/completions',
    );
  });

  test('a version that the provider has none of is reported', () => {
    expect(problemsOf(['PROVIDER=kimi', 'API_VERSION=1'])).toEqual(['warning 2 API_VERSION']);
  });
});

describe('the key', () => {
  test('travels in the header of the provider', () => {
    expect(
      configOf(['PROVIDER=azure', 'OPENAI_BASE_URL=https://r.openai.azure.com', 'BIG_MODEL=a']).provider,
    ).toMatchObject({ keyHeader: 'api-key', key: { source: 'client' } });
    expect(configOf(['PROVIDER=kimi']).provider.keyHeader).toBe('authorization');
  });

  test.each(['ollama', 'vllm', 'llamacpp', 'lmstudio'])('is not asked for by %s', (name) => {
    const lines = [`PROVIDER=${name}`, 'BIG_MODEL=any', 'ANTHROPIC_API_KEY=k7Qm2Xv9Lr4Tz8Wb1Nc6Yd3H'];
    expect(problemsOf(lines)).toEqual([]);
    expect(configOf(lines).provider.key.source).toBe('none');
    expect(configOf([...lines, 'OPENAI_API_KEY=own-key']).provider.key.secret?.reveal()).toBe('own-key');
  });
});
