import { describe, expect, test } from 'vitest';
import { readLines } from '../../helpers/configText.ts';
import { earlierText, readEarlier, readEarlierWithKeys } from '../../helpers/earlierFixture.ts';

test('the format: every field has its effect', () => {
  const { config } = readEarlierWithKeys('providers-format/instance.env');
  expect(config?.providersFile).toBe('providers-format/config/providers.json');
  expect(config?.providers).toMatchObject([
    {
      name: 'openai',
      priority: 1,
      requestTimeoutMs: 90_000,
      maxRetries: 3,
      models: {
        big: ['gpt-4o', 'gpt-4-turbo'],
        middle: ['gpt-4o', 'gpt-4-turbo'],
        small: ['gpt-4o-mini', 'gpt-3.5-turbo'],
      },
      provider: {
        preset: { name: 'openai' },
        endpoint: 'https://api.openai.com/v1/chat/completions',
        headers: {},
        key: { source: 'file', variable: 'OPENAI_API_KEY' },
      },
    },
  ]);
  expect(config).toMatchObject({
    strategy: 'priority',
    healthCheck: { intervalMs: 300_000, ask: 'models' },
    breaker: { failures: 5, openMs: 60_000 },
    tiers: { big: 'gpt-4o', middle: 'gpt-4o', small: 'gpt-4o-mini' },
  });
});

test('the complete setup: three providers by priority, each with its models and spares', () => {
  const { config, problems } = readEarlierWithKeys('providers-complete/instance.env');
  expect(problems).toEqual([]);
  expect(config?.providers.map(({ name, models }) => [name, models.big, models.small])).toEqual([
    ['openai-primary', ['gpt-4o', 'gpt-4-turbo'], ['gpt-4o-mini', 'gpt-3.5-turbo']],
    [
      'azure-backup',
      ['azure-backup,gpt-4o', 'azure-backup,gpt-4'],
      ['azure-backup,gpt-4o-mini', 'azure-backup,gpt-35-turbo'],
    ],
    [
      'local-ollama',
      ['local-ollama,llama3.1:70b', 'local-ollama,llama3.1:8b'],
      ['local-ollama,llama3.1:8b', 'local-ollama,llama3.1:7b'],
    ],
  ]);
  expect(config?.provider).toBe(config?.providers[0]?.provider);
  expect(config?.breaker).toMatchObject({ failures: 3, openMs: 120_000 });
  expect(config?.modelRefs.of('azure-backup,gpt-4')).toMatchObject({
    model: 'gpt-4',
    provider: {
      keyHeader: 'api-key',
      key: { variable: 'AZURE_API_KEY' },
      endpoint:
        'https://your-resource.openai.azure.com/openai/deployments/{model}/chat/completions?api-version=2024-02-15-preview',
    },
  });
});

test('where the examples’ keys still stand, the client’s own is passed on', () => {
  const { config, problems } = readEarlier('providers-complete/instance.env');
  expect(config?.providers.map(({ provider }) => provider.key.source)).toEqual(['client', 'client', 'providers file']);
  expect(problems.map(({ key }) => key)).toEqual(['OPENAI_API_KEY', 'AZURE_API_KEY']);
});

describe('an example of a single provider is a file by itself', () => {
  const variables = [
    'OPENAI_API_KEY=key-openai-0001',
    'AZURE_API_KEY=key-azure-0001',
    'AZURE_BASE_URL=https://your-resource.openai.azure.com',
    'CUSTOM_API_KEY=key-custom-0001',
    'CUSTOM_BASE_URL=https://api.example.com/v1',
    'CUSTOM_TOKEN=token-0001',
  ];
  const read = (name: string) => {
    const providers = earlierText(`single-providers/${name}.json`);
    const lines = variables.filter((line) => providers.includes(`\${${line.split('=')[0]}}`));
    const { config, problems } = readLines(lines, { providers });
    expect(problems).toEqual([]);
    return config?.providers[0];
  };

  test.each([
    ['openai', 'https://api.openai.com/v1', 'gpt-4o'],
    ['azure', 'https://your-resource.openai.azure.com', 'gpt-4o'],
    ['ollama', 'http://localhost:11434/v1', 'llama3.1:70b'],
    ['custom-api', 'https://api.example.com/v1', 'custom-model-1'],
  ])('%s', (name, baseUrl, big) => {
    const provider = read(name);
    expect(provider).toMatchObject({ name, provider: { baseUrl } });
    expect(provider?.models.big[0]).toBe(big);
  });

  test('a variable inside a header is replaced', () => {
    expect(read('custom-api')?.provider.headers).toEqual({
      authorization: 'Bearer token-0001',
      'x-custom-header': 'custom-value',
    });
  });
});
