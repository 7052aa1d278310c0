import { describe, expect, test } from 'vitest';
import { importRouter, isRouterFile, routerPort } from '../../../../src/cli/import/claudeCodeRouter.ts';
import { type ImportPlan, importEnvFile } from '../../../../src/cli/import/envFile.ts';

const reasonsOf = ({ unsupported }: ImportPlan) => unsupported.map(({ line, setting }) => `${line} ${setting}`);

describe('an env file', () => {
  const importText = (text: string, changes: Partial<Parameters<typeof importEnvFile>[0]> = {}) =>
    importEnvFile({
      source: '.env-work',
      text,
      path: 'envs/work.env',
      port: 8081,
      modelsFile: undefined,
      providersFile: undefined,
      ...changes,
    });

  test('stays as it is, line by line, but for the port', () => {
    const { files, unsupported } = importText('# mine\nOPENAI_API_KEY="sk-1"\nPORT=8082\n\nBIG_MODEL=m\n');
    expect(files).toEqual([
      {
        path: 'envs/work.env',
        source: '.env-work',
        text: '# mine\nOPENAI_API_KEY="sk-1"\nPORT=8081\n\nBIG_MODEL=m\n',
      },
    ]);
    expect(unsupported).toEqual([]);
  });

  test('names the new places of its models and providers', () => {
    const changes = { modelsFile: 'envs/old.models.yaml', providersFile: 'envs/old.providers.json' };
    expect(importText('CUSTOM_MODELS_FILE=../m.yaml\n', changes).files[0]?.text).toBe(
      'MODELS_FILE=envs/old.models.yaml\nPORT=8081\nPROVIDERS_FILE=envs/old.providers.json\n',
    );
  });

  test.each([
    ['RELOAD=true', '2 RELOAD'],
    ['HOST=0.0.0.0', '2 HOST'],
    ['PREFERRED_PROVIDER=google\nANTHROPIC_API_KEY=sk-ant-1', '3 ANTHROPIC_API_KEY'],
    ['LOG_FILE_PATH=/x', '2 LOG_FILE_PATH'],
  ])('%s becomes a comment, and the reason is reported with its line', (line, expected) => {
    const plan = importText(`# first\n${line}\n`);
    expect(reasonsOf(plan)).toEqual([expected]);
    expect(plan.files[0]?.text).toContain(`# not carried over: ${line.split('\n').at(-1)}\n`);
  });

  test.each(['HOST=127.0.0.1', 'HOST=0.0.0.0\nANTHROPIC_API_KEY=0123456789abcdef01234567', 'ANTHROPIC_API_KEY=secret'])(
    '%s stays',
    (text) => {
      const plan = importText(`${text}\n`);
      expect(plan.unsupported).toEqual([]);
      expect(plan.files[0]?.text).toBe(`${text}\nPORT=8081\n`);
    },
  );
});

describe('a config.json of claude-code-router', () => {
  const provider = (name: string, changes: Record<string, unknown> = {}) => ({
    name,
    api_base_url: 'https://api.example.com/v1/chat/completions',
    api_key: `key-of-${name}`,
    models: ['one', 'two'],
    ...changes,
  });
  const importConfig = (config: Record<string, unknown>) =>
    importRouter({
      source: 'config.json',
      text: JSON.stringify({ Router: { default: 'a,one' }, ...config }, undefined, 1),
      path: 'envs/router.env',
      providersFile: 'envs/router.providers.json',
      port: 3456,
    });
  const env = ({ files }: ImportPlan) => files.find(({ path }) => path.endsWith('.env'))?.text.split('\n') ?? [];
  const providersOf = ({ files }: ImportPlan) =>
    JSON.parse(files.find(({ path }) => path.endsWith('.json'))?.text ?? '').providers;

  test('is reported by its providers and routes, also with comments and commas at the end', () => {
    expect(isRouterFile('{ // mine\n "Providers": [], "Router": {},\n}')).toBe(true);
    expect(isRouterFile('{"Providers": []}')).toBe(false);
    expect(isRouterFile('- model_id: x')).toBe(false);
    expect(isRouterFile('{')).toBe(false);
  });

  test('its port is the usual one unless it names another', () => {
    expect(routerPort('{"Providers": [], "Router": {}}')).toBe(3456);
    expect(routerPort('{"PORT": "9000", "Providers": [], "Router": {}}')).toBe(9000);
  });

  test('routes become tiers and ROUTER_ settings, and the default’s provider goes first', () => {
    const plan = importConfig({
      Providers: [provider('b'), provider('a')],
      Router: { default: 'a,two', background: 'b,one', think: 'a,one', longContext: 'b,x,y', image: 'b,two' },
    });
    expect(env(plan)).toEqual([
      '# Made from config.json',
      'PORT=3456',
      'PROVIDERS_FILE=envs/router.providers.json',
      'B_API_KEY=key-of-b',
      'A_API_KEY=key-of-a',
      'BIG_MODEL=a,two',
      'MIDDLE_MODEL=a,two',
      'SMALL_MODEL=b,one',
      'ROUTER_THINK=a,one',
      'ROUTER_LONG_CONTEXT=b,x,y',
      'ROUTER_IMAGE=b,two',
      'LONG_CONTEXT_THRESHOLD=60000',
      '',
    ]);
    expect(providersOf(plan)).toEqual([
      {
        name: 'a',
        base_url: 'https://api.example.com/v1',
        api_key: '${A_API_KEY}',
        priority: 1,
        models: { big: ['two'], middle: ['two'], small: ['two'] },
      },
      {
        name: 'b',
        base_url: 'https://api.example.com/v1',
        api_key: '${B_API_KEY}',
        priority: 2,
        models: { big: ['one'], middle: ['one'], small: ['one'] },
      },
    ]);
  });

  test('a route to nobody is reported with its line', () => {
    const plan = importConfig({
      Providers: [provider('a')],
      Router: { default: 'a,one', think: 'gone,x', odd: 'a,one' },
    });
    expect(plan.unsupported).toMatchObject([
      { setting: 'Router.think', reason: '"gone,x" names none of the providers' },
      { setting: 'Router.odd', reason: 'means nothing here' },
    ]);
    expect(plan.unsupported.every(({ line }) => line !== undefined)).toBe(true);
    expect(env(plan).join()).not.toContain('ROUTER_');
  });

  test('settings of the instance', () => {
    const plan = importConfig({
      Providers: [provider('a')],
      APIKEY: '0123456789abcdef01234567',
      HOST: '0.0.0.0',
      PROXY_URL: 'http://127.0.0.1:7890',
      API_TIMEOUT_MS: '600000',
      LOG_LEVEL: 'debug',
    });
    expect(env(plan).slice(7)).toEqual([
      'ANTHROPIC_API_KEY=0123456789abcdef01234567',
      'HOST=0.0.0.0',
      'HTTPS_PROXY=http://127.0.0.1:7890',
      'REQUEST_TIMEOUT=600',
      'LOG_LEVEL=debug',
      '',
    ]);
    expect(plan.unsupported).toEqual([]);
  });

  test('what has no counterpart is reported', () => {
    const plan = importConfig({
      Providers: [provider('a')],
      HOST: '0.0.0.0',
      LOG: false,
      CUSTOM_ROUTER_PATH: 'x.js',
      transformers: [],
      NON_INTERACTIVE_MODE: true,
    });
    expect(plan.unsupported.map(({ setting }) => setting).sort()).toEqual([
      'CUSTOM_ROUTER_PATH',
      'HOST',
      'LOG',
      'transformers',
    ]);
    expect(env(plan).join()).not.toContain('HOST');
  });

  test.each([
    [
      'a chat address',
      { api_base_url: 'https://h.example/api/v3/chat/completions/' },
      { base_url: 'https://h.example/api/v3' },
    ],
    [
      'a native address',
      { api_base_url: 'https://h.example/anthropic/v1/messages', transformer: { use: ['Anthropic'] } },
      { base_url: 'https://h.example/anthropic', protocol: 'anthropic' },
    ],
    [
      'a known host',
      { api_base_url: 'https://api.openai.com/v1/chat/completions' },
      { preset: 'openai', base_url: 'https://api.openai.com/v1' },
    ],
    [
      'another protocol of a known host',
      { api_base_url: 'https://generativelanguage.googleapis.com/v1beta/models/' },
      { preset: 'gemini' },
    ],
    [
      'an unknown host that behaves like a provider',
      { transformer: { use: ['deepseek'] } },
      { preset: 'deepseek', base_url: 'https://api.example.com/v1' },
    ],
    [
      'a limit of the output',
      { transformer: { use: [['maxtoken', { max_tokens: 8192 }]] } },
      { base_url: 'https://api.example.com/v1', quirks: { max_output: 8192 } },
    ],
    [
      'what is done anyway',
      { transformer: { use: ['enhancetool', 'reasoning'] } },
      { base_url: 'https://api.example.com/v1' },
    ],
  ])('%s', (_name, changes, expected) => {
    const plan = importConfig({ Providers: [provider('a', changes)] });
    const { name, api_key, priority, models, ...entry } = providersOf(plan)[0];
    expect(entry).toEqual(expected);
    expect(plan.unsupported).toEqual([]);
  });

  test('transformers without a counterpart are reported', () => {
    const use = [['openrouter', { provider: { only: ['x'] } }], 'my-plugin'];
    const plan = importConfig({ Providers: [provider('a', { transformer: { use, one: { use: ['tooluse'] } } })] });
    expect(plan.unsupported.map(({ reason }) => reason)).toEqual([
      'options of transformer openrouter: set extra_body among the quirks instead',
      'transformer my-plugin: no counterpart; quirks may do it (docs/ENVIRONMENT.md)',
      'transformer tooluse of one: quirks hold for all models of a provider',
    ]);
  });

  test.each(['$MY_KEY', '${MY_KEY}'])('a key from the shell, %s, is to be put into the env file', (api_key) => {
    const plan = importConfig({ Providers: [provider('a', { api_key })] });
    expect(providersOf(plan)[0].api_key).toBe('${MY_KEY}');
    expect(env(plan)).toContain('MY_KEY=');
    expect(plan.unsupported).toMatchObject([{ setting: 'a', reason: 'put the key into envs/router.env: MY_KEY=...' }]);
  });

  test('several providers: that one stands in for another is reported', () => {
    const { unsupported } = importConfig({ Providers: [provider('a'), provider('b')] });
    expect(unsupported).toMatchObject([{ setting: 'Providers', reason: expect.stringContaining('the next is asked') }]);
  });

  test('without a provider that has models there is nothing to make', () => {
    expect(() => importConfig({ Providers: [{ name: 'a' }] })).toThrow('config.json names no provider with models');
  });
});
