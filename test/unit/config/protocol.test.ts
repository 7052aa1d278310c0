import { describe, expect, test } from 'vitest';
import { protocolOf } from '../../../src/providers/preset.ts';
import { configOf, problemsOf, readLines } from '../../helpers/configText.ts';

const presetOf = (...lines: string[]) => configOf(['BIG_MODEL=m', ...lines]).provider.preset.name;

describe('R686 PROTOCOL', () => {
  test.each([
    ['kimi-anthropic', ['PROVIDER=kimi', 'PROTOCOL=anthropic']],
    ['kimi-anthropic', ['PROVIDER=moonshot', 'PROTOCOL=Anthropic']],
    ['kimi-anthropic', ['PROVIDER=kimi-anthropic']],
    ['kimi-anthropic', ['PROVIDER=kimi-anthropic', 'PROTOCOL=anthropic']],
    ['kimi', ['PROVIDER=kimi-anthropic', 'PROTOCOL=chat']],
    ['kimi', ['PROVIDER=kimi', 'PROTOCOL=chat']],
    ['kimi', ['PROVIDER=kimi', 'PROTOCOL=responses']],
    ['kimi', ['PROVIDER=kimi-anthropic', 'PROTOCOL=Responses']],
    ['custom', ['PROTOCOL=responses', 'OPENAI_BASE_URL=http://127.0.0.1:1']],
    ['custom-anthropic', ['PROTOCOL=anthropic', 'OPENAI_BASE_URL=http://127.0.0.1:1']],
    ['glm-anthropic', ['OPENAI_BASE_URL=https://api.z.ai/api/anthropic']],
    ['openrouter-anthropic', ['PROTOCOL=anthropic', 'OPENAI_BASE_URL=https://openrouter.ai/api']],
    ['anthropic', ['PROVIDER=claude']],
  ])('%s: %j', (name, lines) => {
    expect(presetOf(...lines)).toBe(name);
  });

  test.each([
    ['PROVIDER=gemini', 'PROTOCOL=anthropic', 'Remove it: gemini speaks chat only.'],
    ['PROVIDER=anthropic', 'PROTOCOL=chat', 'Remove it: anthropic speaks anthropic only.'],
    ['PROVIDER=anthropic', 'PROTOCOL=responses', 'Remove it: anthropic speaks anthropic only.'],
    ['PROVIDER=demo', 'PROTOCOL=responses', 'Remove it: demo speaks demo only.'],
    ['PROVIDER=kimi', 'PROTOCOL=soap', 'Set chat, responses or anthropic.'],
  ])('%s with %s is an error', (provider, protocol, fix) => {
    expect(readLines([provider, protocol]).problems).toMatchObject([
      { severity: 'error', line: 2, key: 'PROTOCOL', fix },
    ]);
  });

  test('of the environment never counts, as anybody’s may be called so', () => {
    expect(configOf(['PROVIDER=kimi'], { environment: { PROTOCOL: 'anthropic' } }).provider.preset.name).toBe('kimi');
  });
});

describe('R687 a model is asked by', () => {
  const spoken = (model: string, ...lines: string[]) =>
    protocolOf(configOf(['BIG_MODEL=m', 'OPENAI_API_KEY=own-key-0001', ...lines]).provider, model);
  const openai = ['PROVIDER=openai'];
  const elsewhere = ['PROVIDER=openai', 'OPENAI_BASE_URL=http://127.0.0.1:1/v1'];
  const azure = ['PROVIDER=azure', 'OPENAI_BASE_URL=https://r.openai.azure.com'];

  test.each([
    ['responses', 'gpt-6.1-sol', openai],
    ['responses', 'gpt-6-luna-2026-09-01', openai],
    ['responses', 'gpt-5', openai],
    ['responses', 'o3', openai],
    ['responses', 'o4-mini', openai],
    ['chat', 'gpt-4.1', openai],
    ['chat', 'gpt-4o-mini', openai],
    ['responses', 'next-year', openai],
    ['chat', 'next-year', elsewhere],
    ['responses', 'gpt-6.1-sol', elsewhere],
    ['chat', 'gpt-6.1-sol', [...openai, 'PROTOCOL=chat']],
    ['responses', 'gpt-4.1', [...openai, 'PROTOCOL=responses']],
    ['responses', 'gpt-6-luna', azure],
    ['chat', 'gpt-4.1', azure],
    ['chat', 'our-deployment', azure],
    ['responses', 'our-deployment', [...azure, 'PROTOCOL=responses']],
    ['chat', 'gpt-6-luna', [...azure, 'API_VERSION=2024-10-21']],
    ['responses', 'gpt-6-luna', [...azure, 'API_VERSION=2024-10-21', 'PROTOCOL=responses']],
    ['responses', 'grok-4.7', ['PROVIDER=xai']],
    ['chat', 'grok-4.7', ['PROVIDER=xai', 'PROTOCOL=chat']],
    ['chat', 'deepseek-v4-pro', ['PROVIDER=deepseek']],
    ['responses', 'deepseek-v4-pro', ['PROVIDER=deepseek', 'PROTOCOL=responses']],
    ['chat', 'gpt-6.1-sol', ['OPENAI_BASE_URL=http://127.0.0.1:1/v1']],
    ['anthropic', 'claude-opus-5-5', ['PROVIDER=anthropic']],
    ['demo', 'demo-big', ['PROVIDER=demo']],
  ])('%s: %s with %j', (protocol, model, lines) => {
    expect(spoken(model, ...lines)).toBe(protocol);
  });
});

describe('R600 the address of the Responses API', () => {
  test.each([
    ['https://api.openai.com/v1/responses', ['PROVIDER=openai']],
    ['http://127.0.0.1:1/v1/responses', ['OPENAI_BASE_URL=http://127.0.0.1:1/v1/responses']],
    ['https://api.deepseek.com/responses', ['PROVIDER=deepseek']],
    [
      'https://r.openai.azure.com/openai/v1/responses',
      ['PROVIDER=azure', 'OPENAI_BASE_URL=https://r.openai.azure.com'],
    ],
    [
      'https://r.openai.azure.com/openai/v1/responses',
      ['PROVIDER=azure', 'OPENAI_BASE_URL=https://r.openai.azure.com/openai/v1/responses', 'API_VERSION=2024-10-21'],
    ],
    [undefined, ['PROVIDER=anthropic']],
  ])('%s', (address, lines) => {
    expect(configOf(['BIG_MODEL=m', 'OPENAI_API_KEY=own-key-0001', ...lines]).provider.responsesEndpoint).toBe(address);
  });
});

describe('the address of a native endpoint', () => {
  const endpointOf = (...lines: string[]) =>
    configOf(['PROVIDER=custom', 'PROTOCOL=anthropic', 'BIG_MODEL=m', ...lines]).provider.endpoint;

  test.each(['', '/', '/v1', '/v1/', '/v1/messages'])('may end in "%s"', (ending) => {
    expect(endpointOf(`OPENAI_BASE_URL=https://x.example/anthropic${ending}`)).toBe(
      'https://x.example/anthropic/v1/messages',
    );
  });

  test('REGION chooses among the provider’s own', () => {
    const { endpoint } = configOf(['PROVIDER=kimi-anthropic', 'REGION=cn']).provider;
    expect(endpoint).toBe('https://api.moonshot.cn/anthropic/v1/messages');
  });

  test('must be given where nobody knows it', () => {
    expect(problemsOf(['PROVIDER=custom-anthropic', 'BIG_MODEL=m'])).toEqual(['error - OPENAI_BASE_URL']);
  });
});

describe('the key for a native endpoint', () => {
  test('is the client’s own where there is none', () => {
    expect(configOf(['PROVIDER=anthropic']).provider).toMatchObject({
      key: { source: 'client' },
      keyHeader: 'x-api-key',
    });
  });

  test('stands under the provider’s own names', () => {
    const { key, keyHeader } = configOf(['PROVIDER=kimi-anthropic', 'MOONSHOT_API_KEY=abcdefgh']).provider;
    expect([key.variable, keyHeader]).toEqual(['MOONSHOT_API_KEY', 'authorization']);
  });

  test('is not asked for by a server on the own machine', () => {
    expect(configOf(['PROVIDER=ollama-anthropic', 'BIG_MODEL=m']).provider.key.source).toBe('none');
  });
});
