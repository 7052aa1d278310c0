import { describe, expect, test } from 'vitest';
import { configOf, problemsOf, readLines } from '../../helpers/configText.ts';

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

describe('PREFERRED_PROVIDER and the keys of the earlier systems', () => {
  const keys = ['OPENAI_API_KEY=sk-openai1', 'GEMINI_API_KEY=AIza-gemini'];

  test.each<[string, readonly string[], string, string]>([
    ['google', keys, 'gemini', 'GEMINI_API_KEY'],
    ['gemini', keys, 'gemini', 'GEMINI_API_KEY'],
    ['openai', keys, 'openai', 'OPENAI_API_KEY'],
    ['OpenAI', keys, 'openai', 'OPENAI_API_KEY'],
    ['custom', ['OPENAI_BASE_URL=http://x.example/v1', 'BIG_MODEL=m', ...keys], 'custom', 'OPENAI_API_KEY'],
  ])('%s', (name, lines, preset, variable) => {
    const { provider } = configOf([`PREFERRED_PROVIDER=${name}`, ...lines]);
    expect(provider).toMatchObject({ preset: { name: preset }, key: { variable } });
  });

  test('anthropic forwards what the client sends', () => {
    const { provider } = configOf(['PREFERRED_PROVIDER=anthropic']);
    expect(provider).toMatchObject({ preset: { name: 'anthropic' }, key: { source: 'client' } });
  });

  test.each<[string, readonly string[], string]>([
    ['the one provider whose key is there', ['GEMINI_API_KEY=AIza-gemini'], 'gemini'],
    ['before OpenAI, as google was the default', keys, 'gemini'],
    ['a placeholder implies nothing', ['OPENAI_API_KEY=sk-openai1', 'GEMINI_API_KEY=your-gemini-key'], 'openai'],
    ['OPENAI_API_KEY alone', ['OPENAI_API_KEY=sk-openai1'], 'openai'],
    ['OPENAI_API_KEY beside several', [...keys, 'DEEPSEEK_API_KEY=k1234'], 'openai'],
  ])('without it: %s', (_what, lines, preset) => {
    expect(configOf(lines).provider.preset.name).toBe(preset);
  });

  test('keys of several providers need it', () => {
    expect(problemsOf(['GEMINI_API_KEY=k1234', 'DEEPSEEK_API_KEY=k1234'])).toEqual(['error - PROVIDER']);
  });
});

describe('prefixes of models', () => {
  test.each<[string, string, string]>([
    ['openai', 'openai/gpt-4o', 'gpt-4o'],
    ['gemini', 'gemini/gemini-2.5-pro', 'gemini-2.5-pro'],
    ['google', 'google/gemini-2.5-pro', 'gemini-2.5-pro'],
    ['kimi', 'Kimi/kimi-k3', 'kimi-k3'],
    ['anthropic', 'anthropic/claude-opus-5', 'claude-opus-5'],
    ['openai', 'team/gpt-4o', 'team/gpt-4o'],
    ['openrouter', 'openai/gpt-4o', 'openai/gpt-4o'],
    ['openrouter', 'openrouter/auto', 'openrouter/auto'],
    ['groq', 'openai/gpt-oss-20b', 'openai/gpt-oss-20b'],
    ['vllm', 'qwen/Qwen3-8B', 'qwen/Qwen3-8B'],
  ])('PROVIDER=%s BIG_MODEL=%s is %s', (provider, written, model) => {
    const { config, problems } = readLines([`PROVIDER=${provider}`, `BIG_MODEL=${written}`]);
    expect(problems).toEqual([]);
    expect(config?.tiers).toMatchObject({ big: model, middle: model });
  });

  test('that of another provider is taken off, with a warning at its line', () => {
    const lines = ['PROVIDER=openai', 'SMALL_MODEL=gemini/gemini-2.0-flash', 'BIG_MODEL=openai/gpt-4o'];
    expect(problemsOf(lines)).toEqual(['warning 2 SMALL_MODEL']);
    expect(configOf(lines).tiers).toEqual({ big: 'gpt-4o', middle: 'gpt-4o', small: 'gemini-2.0-flash' });
  });

  test('custom/ belongs to PROVIDER=custom, else to the models file', () => {
    const server = ['OPENAI_BASE_URL=http://x.example/v1', 'BIG_MODEL=custom/big'];
    expect(configOf(['PROVIDER=custom', ...server]).tiers.big).toBe('big');
    expect(problemsOf(['PROVIDER=kimi', 'BIG_MODEL=custom/big'])).toEqual(['error 2 BIG_MODEL']);
  });
});
