import { describe, expect, test } from 'vitest';
import { configOf, problemsOf, readLines } from '../../helpers/configText.ts';

const presetOf = (...lines: string[]) => configOf(['BIG_MODEL=m', ...lines]).provider.preset.name;

describe('PROTOCOL', () => {
  test.each([
    ['kimi-anthropic', ['PROVIDER=kimi', 'PROTOCOL=anthropic']],
    ['kimi-anthropic', ['PROVIDER=moonshot', 'PROTOCOL=Anthropic']],
    ['kimi-anthropic', ['PROVIDER=kimi-anthropic']],
    ['kimi-anthropic', ['PROVIDER=kimi-anthropic', 'PROTOCOL=anthropic']],
    ['kimi', ['PROVIDER=kimi-anthropic', 'PROTOCOL=chat']],
    ['kimi', ['PROVIDER=kimi', 'PROTOCOL=chat']],
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
    ['PROVIDER=kimi', 'PROTOCOL=soap', 'Set chat or anthropic.'],
  ])('%s with %s is an error', (provider, protocol, fix) => {
    expect(readLines([provider, protocol]).problems).toMatchObject([
      { severity: 'error', line: 2, key: 'PROTOCOL', fix },
    ]);
  });

  test('of the environment never counts, as anybody’s may be called so', () => {
    expect(configOf(['PROVIDER=kimi'], { environment: { PROTOCOL: 'anthropic' } }).provider.preset.name).toBe('kimi');
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
