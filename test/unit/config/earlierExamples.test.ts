import { describe, expect, test } from 'vitest';
import { earlierEnvFiles, readEarlier, readEarlierWithKeys } from '../../helpers/earlierFixture.ts';

describe('no example of the earlier systems is refused as it stands', () => {
  test.each(earlierEnvFiles)('%s', (file) => {
    const { config, problems } = readEarlier(file);
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(config).toBeDefined();
  });

  test('there are some', () => expect(earlierEnvFiles.length).toBeGreaterThan(25));
});

const OPENAI = 'https://api.openai.com/v1/chat/completions';
const DASHSCOPE = 'https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions';
const OLLAMA = 'http://localhost:11434/v1/chat/completions';
const AZURE = 'https://your-resource.openai.azure.com/openai/v1/chat/completions';
const GEMINI = 'https://generativelanguage.googleapis.com/v1beta/openai/chat/completions';

/** File, address that is asked, big, middle and small model. */
const examples: readonly (readonly [string, string, string, string, string])[] = [
  ['openai.env', OPENAI, 'gpt-4o', 'gpt-4o', 'gpt-4o-mini'],
  ['azure.env', AZURE, 'gpt-4', 'gpt-4', 'gpt-35-turbo'],
  ['ollama.env', OLLAMA, 'llama3.1:70b', 'llama3.1:70b', 'llama3.1:8b'],
  [
    '.env-kimi-k2',
    'https://api.moonshot.cn/v1/chat/completions',
    'moonshot-v1-128k',
    'moonshot-v1-32k',
    'moonshot-v1-8k',
  ],
  ['.env-glm', 'https://open.bigmodel.cn/api/paas/v4/chat/completions', 'glm-4-plus', 'glm-4', 'glm-4-flash'],
  ['.env-minimax', 'https://api.minimax.chat/v1/chat/completions', 'abab6.5s-chat', 'abab6.5-chat', 'abab5.5-chat'],
  ['.env-gemini', GEMINI, 'gemini-2.0-flash-exp', 'gemini-1.5-pro', 'gemini-1.5-flash'],
  ['exported-openai.env', OPENAI, 'gpt-4o', 'gpt-4o', 'gpt-4o-mini'],
  ['exported-dashscope.env', DASHSCOPE, 'qwen3-coder-plus', 'qwen3-coder-plus', 'qwen3-coder-flash'],
  ['exported-azure.env', AZURE, 'gpt-4', 'gpt-4', 'gpt-35-turbo'],
  ['exported-ollama.env', OLLAMA, 'llama3.1:70b', 'llama3.1:70b', 'llama3.1:8b'],
  ['prefixed-openai.env', OPENAI, 'gpt-4o', 'gpt-4o', 'gpt-4o-mini'],
  ['prefixed-dashscope.env', DASHSCOPE, 'qwen3-coder-plus', 'qwen3-coder-plus', 'qwen3-coder-flash'],
  ['prefixed-fixed-key.env', OPENAI, 'gpt-4o', 'gpt-4o', 'gpt-4o-mini'],
  ['preferred-openai.env', OPENAI, 'gpt-4o', 'gpt-4o', 'gpt-4o-mini'],
  ['preferred-google.env', GEMINI, 'gemini-2.5-pro-preview-03-25', 'gemini-2.5-pro-preview-03-25', 'gemini-2.0-flash'],
];

describe('with keys put in, examples of one provider ask it for the models they name', () => {
  test.each(examples)('%s', (file, endpoint, big, middle, small) => {
    const { config, problems } = readEarlierWithKeys(file);
    expect(problems).toEqual([]);
    expect(config?.provider.endpoint).toBe(endpoint);
    expect(config?.tiers).toEqual({ big, middle, small });
  });
});

describe('keys and tokens', () => {
  test.each(['fixed-key.env', 'production.env', 'prefixed-fixed-key.env'])('%s has a key of its own', (file) => {
    expect(readEarlierWithKeys(file).config?.provider.key).toMatchObject({
      source: 'file',
      variable: 'OPENAI_API_KEY',
    });
  });

  test('without a key the client’s own is passed on', () => {
    const { config, problems } = readEarlier('pass-through.env');
    expect(problems).toEqual([]);
    expect(config?.provider).toMatchObject({ baseUrl: 'https://api.openai.com/v1', key: { source: 'client' } });
  });

  test('CLAUDE_PROXY_AUTH_KEY is the token of the clients', () => {
    expect(readEarlierWithKeys('production.env').config?.clientToken?.reveal()).toBe('key-of-mine-0002');
  });
});

test('each env file of a set of instances has its name and its port', () => {
  const instances = ['.env-kimi-k2', '.env-glm', '.env-minimax', '.env-gemini'].map((file) => {
    const { config } = readEarlierWithKeys(file);
    return [config?.instance, config?.port];
  });
  expect(instances).toEqual([
    ['kimi-k2', 8081],
    ['glm', 8082],
    ['minimax', 8083],
    ['gemini', 8084],
  ]);
});

test('LOG_LEVEL of a debugging file', () => {
  expect(readEarlierWithKeys('.env-debug').config?.logs.level).toBe('debug');
});

test('headers of CUSTOM_HEADER_*', () => {
  expect(readEarlier('custom-headers.env').config?.provider.headers).toEqual({
    accept: 'application/jsonstream',
    'content-type': 'application/json',
    'user-agent': 'my-app/1.0.0',
    authorization: 'Bearer my-token',
  });
  expect(Object.keys(readEarlier('all-headers.env').config?.provider.headers ?? {})).toEqual([
    'accept',
    'content-type',
    'user-agent',
    'authorization',
    'x-api-key',
    'x-client-id',
    'x-client-version',
    'x-request-id',
    'x-trace-id',
    'x-session-id',
  ]);
});

describe('settings in front of the command', () => {
  const run = (environment: Readonly<Record<string, string>>, text: string) => {
    const { config, problems } = readEarlier('any.env', environment, text);
    expect(problems).toEqual([]);
    return config;
  };

  test('BIG_MODEL and SMALL_MODEL with a key of OpenAI', () => {
    const models = { BIG_MODEL: 'gpt-4o', SMALL_MODEL: 'gpt-4o-mini' };
    const config = run(models, 'OPENAI_API_KEY=key-of-mine-01');
    expect(config).toMatchObject({ provider: { preset: { name: 'openai' } }, tiers: { big: 'gpt-4o' } });
  });

  test('BIG_MODEL with a key of Gemini', () => {
    const config = run({ BIG_MODEL: 'gemini-2.0-flash' }, 'GEMINI_API_KEY=key-of-mine-01');
    expect(config).toMatchObject({ provider: { preset: { name: 'gemini' } }, tiers: { big: 'gemini-2.0-flash' } });
  });

  test('PREFERRED_PROVIDER=custom', () => {
    const environment = {
      PREFERRED_PROVIDER: 'custom',
      BIG_MODEL: 'my-large-model',
      SMALL_MODEL: 'my-small-model',
      MY_API_KEY: 'key-of-mine-01',
    };
    const { config, problems } = readEarlier('preferred-custom/any.env', environment, '');
    expect(problems).toEqual([]);
    expect(config?.tiers).toMatchObject({ big: 'custom/my-large-model', small: 'custom/my-small-model' });
  });
});
