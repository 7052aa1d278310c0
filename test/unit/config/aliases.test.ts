import { describe, expect, test } from 'vitest';
import { configOf, readLines } from '../../helpers/configText.ts';

describe('names of the earlier systems', () => {
  test('mean the same as ours', () => {
    const config = configOf([
      'CLAUDE_PROXY_HOST=localhost',
      'CLAUDE_PROXY_PORT=8085',
      'CLAUDE_PROXY_LOG_LEVEL=WARNING',
      'CLAUDE_PROXY_BIG_MODEL=gpt-4o',
      'CLAUDE_PROXY_SMALL_MODEL=gpt-4o-mini',
      'CLAUDE_PROXY_REQUEST_TIMEOUT=90',
      'CLAUDE_PROXY_AUTH_KEY=own-key',
      'CLAUDE_PROXY_MAX_TOKENS_LIMIT=4096',
      'OPENAI_API_KEY=sk-abcdef',
    ]);
    expect(config).toMatchObject({
      host: 'localhost',
      port: 8085,
      logs: { level: 'warn' },
      tiers: { big: 'gpt-4o', middle: 'gpt-4o', small: 'gpt-4o-mini' },
      requestTimeoutMs: 90_000,
      limits: { maxTokens: 4096 },
      provider: { preset: { name: 'openai' } },
    });
    expect(config.clientToken?.reveal()).toBe('own-key');
  });

  test('PREFERRED_PROVIDER=google is gemini with its own key, whatever else is set', () => {
    const config = configOf(['PREFERRED_PROVIDER=google', 'OPENAI_API_KEY=sk-openai1', 'GEMINI_API_KEY=AIza-gemini']);
    expect(config.provider.preset.name).toBe('gemini');
    expect(config.provider.key).toMatchObject({ variable: 'GEMINI_API_KEY' });
  });

  test('two names with different values: a warning says which is used', () => {
    const { config, problems } = readLines(['PROVIDER=demo', 'CLAUDE_PROXY_PORT=1000', 'PORT=2000']);
    expect(config?.port).toBe(2000);
    expect(problems).toMatchObject([
      { key: 'CLAUDE_PROXY_PORT', line: 2, severity: 'warning', fix: expect.stringContaining('PORT is used') },
    ]);
  });

  test('two names with the same value are no problem', () => {
    expect(readLines(['PROVIDER=demo', 'CLAUDE_PROXY_PORT=2000', 'PORT=2000']).problems).toEqual([]);
  });

  test.each([
    ['INFO', 'info'],
    ['Warning', 'warn'],
    ['CRITICAL', 'error'],
    ['DEBUG (for the first days)', 'debug'],
    ['error, please', 'error'],
  ])('LOG_LEVEL=%s', (text, level) => {
    expect(configOf(['PROVIDER=demo', `LOG_LEVEL=${text}`]).logs.level).toBe(level);
  });
});
