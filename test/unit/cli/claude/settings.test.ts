import { describe, expect, test } from 'vitest';
import { clientSettings, modelMenu } from '../../../../src/cli/claude/settings.ts';
import { modelRows } from '../../../../src/config/clientEnvironment.ts';
import type { Config } from '../../../../src/config/config.ts';
import { configOf as configInShell } from '../../../helpers/configText.ts';
import { sampleInstance } from '../supervisor/sampleInstance.ts';

function configOf(lines: readonly string[]): Config {
  const { config, problems } = sampleInstance('one', `${['PORT=8081', ...lines].join('\n')}\n`);
  if (config === undefined) throw new Error(JSON.stringify(problems));
  return config;
}

const settingsOf = (lines: readonly string[], environment: Record<string, string> = {}) =>
  clientSettings('/project', configOf(lines), environment);

const KIMI = ['PROVIDER=kimi', 'OPENAI_API_KEY=the-provider-key'];

describe('the credentials of the client', () => {
  test.each<[string, string[], Record<string, string>, Record<string, string | undefined>]>([
    ['any word, where none is needed', KIMI, { ANTHROPIC_AUTH_TOKEN: 'mine' }, { ANTHROPIC_AUTH_TOKEN: 'unused' }],
    ['the instance’s token', [...KIMI, 'ANTHROPIC_API_KEY=the-token-1'], {}, { ANTHROPIC_AUTH_TOKEN: 'the-token-1' }],
    [
      'the user’s key for the provider, which the env file has not',
      ['PROVIDER=kimi'],
      { ANTHROPIC_AUTH_TOKEN: 'mine', ANTHROPIC_API_KEY: 'sk-ant' },
      { ANTHROPIC_AUTH_TOKEN: 'mine', ANTHROPIC_API_KEY: '', ANTHROPIC_CUSTOM_HEADERS: '' },
    ],
    [
      'both, each in its own header',
      ['PROVIDER=kimi', 'ANTHROPIC_API_KEY=the-token-1'],
      { ANTHROPIC_AUTH_TOKEN: 'mine' },
      { ANTHROPIC_AUTH_TOKEN: 'mine', ANTHROPIC_CUSTOM_HEADERS: 'x-api-key: the-token-1' },
    ],
    [
      'nothing, as the user gives it elsewhere',
      ['PROVIDER=kimi'],
      {},
      { ANTHROPIC_AUTH_TOKEN: undefined, ANTHROPIC_API_KEY: '' },
    ],
    [
      'no key of Anthropic’s for another Messages API',
      ['PROVIDER=kimi-anthropic'],
      { ANTHROPIC_AUTH_TOKEN: 'mine', ANTHROPIC_API_KEY: 'sk-ant' },
      { ANTHROPIC_AUTH_TOKEN: 'mine', ANTHROPIC_API_KEY: '' },
    ],
  ])('are %s', (_what, lines, environment, expected) => {
    const { env, apiKeyHelper } = settingsOf(lines, environment);
    for (const [name, value] of Object.entries(expected)) expect([name, env[name]]).toEqual([name, value]);
    expect(apiKeyHelper).toBe('');
  });

  test('are the user’s own, with his own models, for Anthropic itself', () => {
    const { env, apiKeyHelper } = settingsOf(['PROVIDER=anthropic'], { ANTHROPIC_API_KEY: 'sk-ant' });
    expect(apiKeyHelper).toBeUndefined();
    expect(Object.keys(env).filter((name) => /TOKEN$|KEY$|HEADERS|MODEL$/.test(name))).toEqual([]);
    expect(env).toMatchObject({ ANTHROPIC_BASE_URL: 'http://127.0.0.1:8081', CLAUDE_CODE_USE_BEDROCK: '' });
  });
});

test('the models stand there by their names, with the limits of the big one', () => {
  const { env } = settingsOf([...KIMI, 'BIG_MODEL=kimi-k3', 'QUIRK_CONTEXT_WINDOW=100000', 'QUIRK_MAX_OUTPUT=5000']);
  expect(env).toMatchObject({
    ANTHROPIC_MODEL: 'opus',
    ANTHROPIC_DEFAULT_OPUS_MODEL: 'kimi-k3',
    ANTHROPIC_DEFAULT_OPUS_MODEL_NAME: 'kimi-k3 (one)',
    ANTHROPIC_DEFAULT_OPUS_MODEL_DESCRIPTION: 'Kimi (Moonshot AI), 100k tokens of context',
    ANTHROPIC_DEFAULT_FABLE_MODEL: 'kimi-k3',
    CLAUDE_CODE_AUTO_COMPACT_WINDOW: '100000',
    CLAUDE_CODE_MAX_CONTEXT_TOKENS: '100000',
    CLAUDE_CODE_MAX_OUTPUT_TOKENS: '5000',
    CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY: '',
  });
});

const OWN_SERVER = ['PROVIDER=custom', 'OPENAI_BASE_URL=http://127.0.0.1:9/v1', 'OPENAI_API_KEY=k-0000000001'];

test.each([
  ['a small one is the model’s, as the client takes a smaller one to compact at for 100,000', '64000', '64000', ''],
  ['a large one is that, too', '262144', '262144', '262144'],
  ['one that nobody knows is not a million', undefined, '128000', '128000'],
])('the window: %s', (_what, known, context, compact) => {
  const { env } = settingsOf([
    ...OWN_SERVER,
    'BIG_MODEL=mine',
    ...(known === undefined ? [] : [`QUIRK_CONTEXT_WINDOW=${known}`]),
  ]);
  expect(env).toMatchObject({ CLAUDE_CODE_MAX_CONTEXT_TOKENS: context, CLAUDE_CODE_AUTO_COMPACT_WINDOW: compact });
});

describe('the menu of a run', () => {
  const labels = (config: Config) => modelRows(config).map(({ model, label }) => [model, label]);

  test('has each model once, named by its tiers, chosen by a name that other sessions know', () => {
    expect(labels(configOf([...OWN_SERVER, 'BIG_MODEL=mine']))).toEqual([['opus', 'Opus, Sonnet, Haiku: mine']]);
    expect(labels(configOf([...OWN_SERVER, 'BIG_MODEL=a', 'SMALL_MODEL=b']))).toEqual([
      ['opus', 'Opus, Sonnet: a'],
      ['haiku', 'Haiku: b'],
    ]);
  });

  test('has those that are in no tier by their names, which alone the client then looks for by itself', () => {
    const models = '- model_id: extra\n';
    const config = configInShell([...OWN_SERVER, 'BIG_MODEL=mine'], { models });
    expect(labels(config)).toEqual([
      ['opus', 'Opus, Sonnet, Haiku: mine'],
      ['custom/extra', 'custom/extra'],
    ]);
    expect(clientSettings('/project', config, {}).env).toMatchObject({
      CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY: '1',
    });
  });

  test('says the window, and that it is not known', () => {
    const [known] = modelRows(configOf(KIMI));
    expect(known?.description).toMatch(/^Kimi \(Moonshot AI\), \d+k tokens of context$/);
    const [unknown] = modelRows(configOf([...OWN_SERVER, 'BIG_MODEL=mine']));
    expect(unknown?.description).toBe('Any OpenAI-compatible server, context not known, 128k tokens assumed');
  });

  test('is the client’s own for Claude itself', () => {
    expect(modelMenu(configOf(['PROVIDER=anthropic']))).toEqual({});
  });
});

test.each([
  [{}, '127.0.0.1,localhost,::1'],
  [{ NO_PROXY: 'a.example' }, 'a.example,127.0.0.1,localhost,::1'],
  [{ NO_PROXY: '127.0.0.1,localhost,::1' }, '127.0.0.1,localhost,::1'],
  [{ NO_PROXY: 'localhost, a.example' }, 'a.example,127.0.0.1,localhost,::1'],
  [{ no_proxy: 'a.example a.example' }, 'a.example,127.0.0.1,localhost,::1'],
])('a network proxy of the user’s is not asked for the instance: %j', (environment, expected) => {
  expect(settingsOf(KIMI, environment).env).toMatchObject({ NO_PROXY: expected, no_proxy: expected });
});

test('two lists of exceptions in the shell stay two', () => {
  expect(settingsOf(KIMI, { NO_PROXY: 'a.example', no_proxy: 'b.example' }).env).toMatchObject({
    NO_PROXY: 'a.example,127.0.0.1,localhost,::1',
    no_proxy: 'b.example,127.0.0.1,localhost,::1',
  });
});

test.each([
  [[], {}],
  [[], { NO_PROXY: 'localhost, a.example' }],
  [[], { no_proxy: 'a.example a.example' }],
  [[], { NO_PROXY: 'a.example', no_proxy: 'b.example' }],
  [['NO_PROXY=b.example'], {}],
  [['NO_PROXY=b.example'], { NO_PROXY: '127.0.0.1' }],
  [['NO_PROXY=b.example'], { NO_PROXY: 'a.example' }],
] as const)('a shell that has taken them over starts the same instance: file %j, shell %j', (lines, exceptions) => {
  const shell = { HTTPS_PROXY: 'http://proxy.lan:3128', ...exceptions };
  const configIn = (environment: Record<string, string>) => configInShell([...KIMI, ...lines], { environment });
  const before = configIn(shell);
  const { env } = clientSettings('/project', before, shell);
  const after = configIn({ ...shell, ...env });
  expect(after.networkProxy).toEqual(before.networkProxy);
  expect(after.hash).toBe(before.hash);
});

test('the command of the status line is safe for a shell, and asks where a client can', () => {
  const config = configOf([
    ...KIMI,
    'HOST=0.0.0.0',
    'ANTHROPIC_API_KEY=the-token-of-the-instance-1',
    "STATE_DIR=/it's here",
  ]);
  const { command } = clientSettings("/pro'ject", config, {}).statusLine;
  expect(command).toContain(
    `'/pro'\\''ject/scripts/statusline.cjs' 'one' '127.0.0.1' '8081' '/it'\\''s here/one.usage.sqlite'`,
  );
});
