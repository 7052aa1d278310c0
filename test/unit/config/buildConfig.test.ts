import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { settingNames } from '../../../src/config/env/settings.ts';
import { createRedactor } from '../../../src/core/secret.ts';
import { configOf, problemsOf, readLines } from '../../helpers/configText.ts';

const CUSTOM = ['PROVIDER=custom', 'OPENAI_BASE_URL=http://127.0.0.1:1/v1', 'BIG_MODEL=m'];

test('defaults', () => {
  expect(configOf(['PROVIDER=kimi'])).toMatchObject({
    instance: 'work',
    file: '/project/envs/work.env',
    host: '127.0.0.1',
    port: 8081,
    allowedHosts: [],
    clientToken: undefined,
    provider: { baseUrl: 'https://api.moonshot.ai/v1', key: { source: 'client' }, headers: {}, overrides: {} },
    limits: { maxTokens: undefined, minTokens: undefined, maxBodyBytes: 67_108_864 },
    requestTimeoutMs: 600_000,
    maxRetries: 2,
    logs: {
      level: 'info',
      directory: '/project/logs',
      maxSizeBytes: 20_971_520,
      retentionMs: 259_200_000,
      maxTotalBytes: 209_715_200,
    },
    drainMs: 30_000,
    secrets: [],
  });
});

test('every value can be set', () => {
  const config = configOf([
    ...CUSTOM,
    'MIDDLE_MODEL=n',
    'SMALL_MODEL=s',
    'OPENAI_API_KEY=sk-provider',
    'HOST=[::1]',
    'PORT=1234',
    'ANTHROPIC_API_KEY=client-key',
    'ALLOWED_HOSTS=Box.lan',
    'MAX_TOKENS_LIMIT=32k',
    'MIN_TOKENS_LIMIT=100',
    'MAX_BODY_BYTES=1M',
    'REQUEST_TIMEOUT=0001.5',
    'MAX_RETRIES=0',
    'LOG_LEVEL=debug',
    'LOG_DIR=/var/log/x',
    'LOG_MAX_SIZE=512K',
    'LOG_RETENTION_DAYS=0.5',
    'LOG_MAX_TOTAL=1G',
    'DRAIN_SECONDS=0',
  ]);
  expect(config).toMatchObject({
    host: '::1',
    port: 1234,
    allowedHosts: ['box.lan'],
    tiers: { big: 'm', middle: 'n', small: 's' },
    provider: { key: { source: 'file', variable: 'OPENAI_API_KEY' } },
    limits: { maxTokens: 32_768, minTokens: 100, maxBodyBytes: 1_048_576 },
    requestTimeoutMs: 1500,
    maxRetries: 0,
    logs: {
      level: 'debug',
      directory: '/var/log/x',
      maxSizeBytes: 524_288,
      retentionMs: 43_200_000,
      maxTotalBytes: 1_073_741_824,
    },
    drainMs: 0,
  });
  expect(config.secrets.map((secret) => secret.reveal())).toEqual(['sk-provider', 'client-key']);
});

test('an empty value is as good as none', () => {
  const empty = settingNames.filter((key) => key !== 'PROVIDER').map((key) => `${key}=`);
  const { hash } = configOf(['PROVIDER=kimi', ...empty]);
  expect(hash).toBe(configOf(['PROVIDER=kimi']).hash);
});

test('all problems are reported at once, in the order of the lines', () => {
  const lines = ['PROVIDER=kimo', 'PORT=80a1', 'HOST=0.0.0.0', 'MAX_RETRIES=-1', 'LOG_LVEL=info', 'QUIRK_TOP=1', 'x'];
  expect(problemsOf(lines)).toEqual([
    'error 1 PROVIDER',
    'error 2 PORT',
    'error 3 HOST',
    'error 4 MAX_RETRIES',
    'warning 5 LOG_LVEL',
    'error 6 QUIRK_TOP',
    'error 7 line',
  ]);
  const { config, problems } = readLines(lines);
  expect(config).toBeUndefined();
  expect(problems.find((problem) => problem.key === 'PORT')).toEqual({
    file: 'envs/work.env',
    line: 2,
    key: 'PORT',
    found: '"80a1"',
    fix: 'Set a whole number from 1 to 65535.',
    severity: 'error',
  });
});

describe('provider', () => {
  test.each([
    ['KIMI', 'kimi'],
    ['moonshot', 'kimi'],
    ['google', 'gemini'],
  ])('PROVIDER=%s', (name, preset) => {
    expect(configOf([`PROVIDER=${name}`]).provider.preset.name).toBe(preset);
  });

  test.each([
    ['https://api.moonshot.cn/v1', 'kimi'],
    ['https://api.z.ai/api/coding/paas/v4', 'glm-coding'],
    ['https://api.z.ai/api/paas/v4', 'glm'],
    ['https://res.openai.azure.com/openai/v1', 'azure'],
    ['https://api.openai.com/v1', 'openai'],
    ['http://localhost:11434/v1', 'custom'],
  ])('guessed from %s, whose address is kept', (url, name) => {
    const { provider } = configOf([`OPENAI_BASE_URL=${url}`, 'BIG_MODEL=m']);
    expect(provider).toMatchObject({ baseUrl: url, preset: { name } });
  });

  test('a key alone means openai, nothing at all is a problem', () => {
    expect(configOf(['OPENAI_API_KEY=sk-abc']).provider.preset.name).toBe('openai');
    expect(problemsOf([''])).toEqual(['error - PROVIDER']);
  });

  test('the nearest name is proposed', () => {
    expect(readLines(['PROVIDER=minimx']).problems[0]?.fix).toContain('Did you mean minimax?');
  });

  test('REGION chooses the address', () => {
    expect(configOf(['PROVIDER=glm', 'REGION=CN']).provider.baseUrl).toBe('https://open.bigmodel.cn/api/paas/v4');
    expect(problemsOf(['PROVIDER=glm', 'REGION=mars'])).toEqual(['error 2 REGION']);
    expect(problemsOf(['PROVIDER=gemini', 'REGION=cn'])).toEqual(['error 2 REGION']);
  });

  test('OPENAI_BASE_URL goes before REGION, with a warning', () => {
    const lines = ['PROVIDER=kimi', 'REGION=cn', 'OPENAI_BASE_URL=https://mine.example/v1'];
    expect(configOf(lines).provider.baseUrl).toBe('https://mine.example/v1');
    expect(problemsOf(lines)).toEqual(['warning 2 REGION']);
  });

  test('/chat/completions in the address is taken off, with a warning', () => {
    const lines = ['PROVIDER=custom', 'OPENAI_BASE_URL=http://x.example/v1/chat/completions/', 'BIG_MODEL=m'];
    expect(configOf(lines).provider.baseUrl).toBe('http://x.example/v1');
    expect(problemsOf(lines)).toEqual(['warning 2 OPENAI_BASE_URL']);
  });

  test('a password in the address is refused and not shown', () => {
    const { problems } = readLines(['PROVIDER=custom', 'OPENAI_BASE_URL=https://me:hunter2@x.example', 'BIG_MODEL=m']);
    expect(problems).toMatchObject([{ line: 2, severity: 'error' }]);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  test('custom needs an address and a model', () => {
    expect(problemsOf(['PROVIDER=custom'])).toEqual(['error - OPENAI_BASE_URL', 'error - BIG_MODEL']);
  });

  test('demo needs neither key nor address', () => {
    expect(configOf(['PROVIDER=demo']).provider).toMatchObject({ baseUrl: '', key: { source: 'none' } });
  });
});

describe('tiers', () => {
  const own = { big: 'kimi-k3.1-pro', middle: 'kimi-k3.1-pro', small: 'kimi-k2.6' };
  test.each([
    ['PROVIDER=kimi', [], own],
    ['PROVIDER=kimi', ['BIG_MODEL=x'], { ...own, big: 'x', middle: 'x' }],
    ['PROVIDER=kimi', ['BIG_MODEL=x', 'MIDDLE_MODEL=y'], { ...own, big: 'x', middle: 'y' }],
    ['PROVIDER=kimi', ['MIDDLE_MODEL=y', 'SMALL_MODEL=z'], { ...own, middle: 'y', small: 'z' }],
    ['PROVIDER=custom\nOPENAI_BASE_URL=http://x', ['BIG_MODEL=x'], { big: 'x', middle: 'x', small: 'x' }],
    [
      'PROVIDER=custom\nOPENAI_BASE_URL=http://x',
      ['BIG_MODEL=x', 'MIDDLE_MODEL=y'],
      { big: 'x', middle: 'y', small: 'y' },
    ],
  ])('%j with %j', (provider, lines, tiers) => {
    expect(configOf([provider, ...lines]).tiers).toEqual(tiers);
  });
});

test('MIN_TOKENS_LIMIT above MAX_TOKENS_LIMIT is a problem', () => {
  expect(problemsOf(['PROVIDER=demo', 'MIN_TOKENS_LIMIT=5k', 'MAX_TOKENS_LIMIT=4k'])).toEqual([
    'error 2 MIN_TOKENS_LIMIT',
  ]);
  expect(problemsOf(['PROVIDER=demo', 'MIN_TOKENS_LIMIT=4k', 'MAX_TOKENS_LIMIT=4k'])).toEqual([]);
});

describe('unknown names', () => {
  test('are warnings with the nearest known one', () => {
    const { problems } = readLines(['PROVIDER=demo', 'LOG_LEVLE=info', 'ZZZZZZZZZZ=1']);
    expect(problems).toMatchObject([
      { line: 2, severity: 'warning', fix: 'Did you mean LOG_LEVEL?' },
      { line: 3, severity: 'warning', fix: expect.stringContaining('ENVIRONMENT.md') },
    ]);
  });

  test('are none when another value refers to them', () => {
    expect(problemsOf([...CUSTOM, 'MINE=n', 'MIDDLE_MODEL=${MINE}'])).toEqual([]);
  });

  test('a key of another provider has its own warning', () => {
    expect(readLines(['PROVIDER=kimi', 'GLM_API_KEY=abc']).problems).toMatchObject([
      { key: 'GLM_API_KEY', severity: 'warning', found: expect.stringContaining('kimi') },
    ]);
  });
});

describe('hash', () => {
  const base = [...CUSTOM, 'OPENAI_API_KEY=sk-1', 'CUSTOM_HEADER_A=1', 'CUSTOM_HEADER_B=2'];
  const { hash } = configOf(base);

  test('is 12 hexadecimal digits, the same for the same settings', () => {
    expect(hash).toMatch(/^[0-9a-f]{12}$/);
    expect(configOf([...base].reverse(), { file: '/elsewhere/work.env' }).hash).toBe(hash);
    expect(configOf([...base, 'PORT=8080', '# comment']).hash).toBe(hash);
  });

  test('does not depend on exceptions of a network proxy that there is not', () => {
    expect(configOf([...base, 'NO_PROXY=127.0.0.1']).hash).toBe(hash);
    const proxied = [...base, 'HTTPS_PROXY=http://proxy.lan:3128'];
    expect(configOf([...proxied, 'NO_PROXY=intranet']).hash).not.toBe(configOf(proxied).hash);
  });

  test.each(['127.0.0.1', 'localhost', '::1,localhost', ' 127.0.0.1 , ::1 '])(
    'does not depend on whether NO_PROXY excepts this machine, as is always done: %s',
    (list) => {
      const proxied = [...base, 'HTTPS_PROXY=http://proxy.lan:3128'];
      expect(configOf([...proxied, `NO_PROXY=${list}`]).hash).toBe(configOf(proxied).hash);
      const others = configOf([...proxied, 'NO_PROXY=a.example,b.example']);
      expect(configOf([...proxied, `NO_PROXY=a.example,${list},b.example`]).hash).toBe(others.hash);
    },
  );

  test.each(['OPENAI_API_KEY=sk-2', 'PORT=9', 'CUSTOM_HEADER_A=3', 'QUIRK_TOP_K=1', 'DRAIN_SECONDS=1'])(
    'is another one with %s',
    (line) => {
      const name = line.split('=')[0] ?? '';
      expect(configOf([...base.filter((one) => !one.startsWith(`${name}=`)), line]).hash).not.toBe(hash);
    },
  );
});

test('the configuration is frozen to the bottom', () => {
  const config = configOf([...CUSTOM, 'QUIRK_DROP_PARAMS=a,b', 'CUSTOM_HEADER_A=1', 'ALLOWED_HOSTS=x']);
  const parts = [config, config.provider, config.provider.overrides, config.provider.overrides.dropParams];
  const more = [config.provider.headers, config.tiers, config.limits, config.logs, config.allowedHosts, config.secrets];
  expect([...parts, ...more].map((part) => Object.isFrozen(part))).toEqual(Array(10).fill(true));
});

test('S4 no way to text shows a secret', () => {
  const config = configOf([
    ...CUSTOM,
    'OPENAI_API_KEY=canary-provider-key',
    'ANTHROPIC_API_KEY=canary-client-token-0123456789',
  ]);
  expect(`${JSON.stringify(config)} ${String(config.clientToken)} ${config.provider.key.secret}`).not.toContain(
    'canary',
  );
});

test('S2 credentials in custom headers are redacted too, other headers are not', () => {
  const { secrets } = configOf([
    ...CUSTOM,
    'CUSTOM_HEADER_AUTHORIZATION=Bearer canary-a',
    'CUSTOM_HEADER_X_API_KEY=canary-b',
    'CUSTOM_HEADER_USER_AGENT=my-app/1.0',
  ]);
  expect(createRedactor(secrets)('canary-a canary-b my-app/1.0')).toBe('**** **** my-app/1.0');
});

test('no text whatever makes it throw', () => {
  const line = fc.oneof(
    fc.string(),
    fc
      .tuple(fc.constantFrom(...settingNames, 'QUIRK_EXTRA_BODY', 'CUSTOM_HEADER_X'), fc.string())
      .map((pair) => pair.join('=')),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const { config, problems } = readLines(lines);
      expect(config === undefined).toBe(problems.some((problem) => problem.severity === 'error'));
    }),
  );
});
