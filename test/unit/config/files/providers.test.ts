import { describe, expect, test } from 'vitest';
import type { Config } from '../../../../src/config/config.ts';
import { configOf, problemsOf, readLines } from '../../../helpers/configText.ts';

const ACME = {
  name: 'acme',
  base_url: 'https://api.acme.example/v1',
  api_key: 'key-acme-0001',
  models: { big: 'large' },
};
const LOCAL = { name: 'local', base_url: 'http://127.0.0.1:9/v1', models: { big: ['one', 'two'], small: 'three' } };

function fileOf(...providers: readonly object[]): string {
  return JSON.stringify({ providers });
}

function configWith(lines: readonly string[], ...providers: readonly object[]): Config {
  return configOf(lines, { providers: fileOf(...providers) });
}

const namesOf = (config: Config) => config.providers.map(({ name }) => name);

describe('who the providers of an instance are', () => {
  test('without PROVIDER those of the file alone, the first by priority before all', () => {
    const config = configWith([], { ...ACME, priority: 2 }, { ...LOCAL, priority: 1 });
    expect(namesOf(config)).toEqual(['local', 'acme']);
    expect(config.provider).toBe(config.providers[0]?.provider);
    expect(config.tiers).toEqual({ big: 'one', middle: 'one', small: 'three' });
  });

  test('equal priorities keep the order of the file; 1 is the default', () => {
    expect(namesOf(configWith([], ACME, { ...LOCAL, priority: 1 }))).toEqual(['acme', 'local']);
  });

  test('with PROVIDER the env file’s own goes first, whatever the priorities', () => {
    const config = configWith(['PROVIDER=kimi', 'OPENAI_API_KEY=key-kimi-0001'], { ...ACME, priority: 0 });
    expect(namesOf(config)).toEqual(['kimi', 'acme']);
    expect(config.providers[0]).toMatchObject({ models: { big: [config.tiers.big] }, maxRetries: undefined });
  });

  test('keys and addresses of an env file without PROVIDER are mere variables, and reported where nobody uses them', () => {
    const lines = ['OPENAI_API_KEY=key-0001', 'OPENAI_BASE_URL=https://api.openai.com/v1', 'QUIRK_TOP_K=1'];
    const providers = fileOf({ ...ACME, api_key: '${OPENAI_API_KEY}' });
    expect(problemsOf(lines, { providers })).toEqual(['warning 2 OPENAI_BASE_URL', 'warning 3 QUIRK_TOP_K']);
    expect(configOf(lines, { providers }).providers).toMatchObject([
      { provider: { baseUrl: ACME.base_url, overrides: {}, key: { variable: 'OPENAI_API_KEY', source: 'file' } } },
    ]);
  });

  test.each([
    'PROTOCOL=anthropic',
    'REGION=cn',
    'OPENAI_API_KEY=key-0001',
    'OPENAI_BASE_URL=http://127.0.0.1:1/v1',
    'API_VERSION=1',
    'CUSTOM_HEADER_X_TITLE=a',
  ])('%s has no effect without a provider of the env file, which is reported', (line) => {
    expect(problemsOf([line], { providers: fileOf(LOCAL) })).toEqual([`warning 1 ${line.split('=')[0]}`]);
  });

  test('one that is switched off is left out silently, also when its variables are not set', () => {
    const off = { ...LOCAL, enabled: false, base_url: '${NOWHERE}', api_key: '${NO_KEY}' };
    const { config, problems } = readLines([], { providers: fileOf(ACME, off) });
    expect(problems).toEqual([]);
    expect(config && namesOf(config)).toEqual(['acme']);
  });

  test.each(['base_url', 'api_key'])(
    'one whose variable in %s is not set or empty is left out with a warning',
    (field) => {
      const providers = fileOf(ACME, {
        ...LOCAL,
        [field]: '${NOWHERE}',
        base_url: field === 'base_url' ? '${NOWHERE}' : ACME.base_url,
      });
      for (const lines of [[], ['NOWHERE=']]) {
        expect(namesOf(configOf(lines, { providers }))).toEqual(['acme']);
        expect(problemsOf(lines, { providers })).toEqual([`warning 1 providers[1].${field}`]);
      }
    },
  );

  test('when nobody is left the start is refused', () => {
    const { config, problems } = readLines([], { providers: fileOf({ ...ACME, enabled: false }) });
    expect(config).toBeUndefined();
    expect(problems).toMatchObject([{ key: 'providers', severity: 'error', file: 'envs/providers.json' }]);
  });

  test('one with the name of the env file’s own gives way to it', () => {
    const providers = fileOf({ ...ACME, name: 'KIMI' }, LOCAL);
    expect(namesOf(configOf(['PROVIDER=kimi'], { providers }))).toEqual(['kimi', 'local']);
    expect(problemsOf(['PROVIDER=kimi'], { providers })).toEqual(['warning 1 providers[0].name']);
  });

  test('a list alone, YAML and an anchor are files as well', () => {
    const providers = `- &one\n  name: one\n  base_url: http://localhost:1/v1\n  models: { big: m }\n- <<: *one\n  name: two\n`;
    expect(namesOf(configOf([], { providers }))).toEqual(['one', 'two']);
  });
});

describe('what a provider is', () => {
  const only = (fields: object, lines: readonly string[] = []) => {
    const [provider] = configWith(lines, { ...ACME, ...fields }).providers;
    if (provider === undefined) throw new Error('no provider');
    return provider;
  };

  test('the preset follows from the address', () => {
    expect(only({ base_url: 'https://api.deepseek.com' }).provider.preset.name).toBe('deepseek');
    expect(only({}).provider.preset.name).toBe('custom');
  });

  test('or named, with an address and models of its own where there are none here', () => {
    const { provider, models } = only({ preset: 'glm', base_url: null, models: null });
    expect(provider.baseUrl).toBe(provider.preset.baseUrl);
    expect(models).toEqual(
      Object.fromEntries(Object.entries(provider.preset.tiers ?? {}).map(([tier, model]) => [tier, [model]])),
    );
  });

  test('region', () => {
    const { provider } = only({ preset: 'glm', base_url: null, region: 'cn' });
    expect(provider.baseUrl).toBe(provider.preset.regions?.['cn']);
  });

  test('protocol anthropic means the preset of the Messages API', () => {
    const { provider } = only({ preset: 'kimi', base_url: null, protocol: 'anthropic' });
    expect(provider).toMatchObject({ preset: { name: 'kimi-anthropic', protocol: 'anthropic' } });
    expect(provider.endpoint).toMatch(/\/v1\/messages$/);
    expect(only({ protocol: 'anthropic' }).provider).toMatchObject({
      preset: { name: 'custom-anthropic' },
      keyHeader: 'x-api-key',
    });
  });

  test('times, repetitions and weight', () => {
    expect(only({ timeout: 90, max_retries: 0, weight: 3 })).toMatchObject({
      requestTimeoutMs: 90_000,
      maxRetries: 0,
      weight: 3,
    });
    expect(only({}, ['REQUEST_TIMEOUT=30'])).toMatchObject({
      requestTimeoutMs: 30_000,
      maxRetries: undefined,
      weight: 1,
    });
  });

  test('headers and quirks of its own, none of the env file', () => {
    const fields = { custom_headers: { 'X-Team': 'a' }, quirks: { tool_choice: 'auto', extra_body: { a: 1 } } };
    const config = configWith(['PROVIDER=demo', 'CUSTOM_HEADER_X_OWN=1', 'QUIRK_TOP_K=true'], { ...ACME, ...fields });
    expect(config.providers[1]?.provider).toMatchObject({ headers: { 'x-team': 'a' } });
    expect(config.providers[1]?.provider.overrides).toEqual({ toolChoice: 'auto', extraBody: { a: 1 } });
    expect(config.provider).toMatchObject({ headers: { 'x-own': '1' }, overrides: { topK: true } });
  });

  test.each<[object, object]>([
    [{ big: ['a', 'b'] }, { big: ['a', 'b'], middle: ['a', 'b'], small: ['a', 'b'] }],
    [
      { big: 'a', middle: ['m'] },
      { big: ['a'], middle: ['m'], small: ['m'] },
    ],
    [{ middle: 'm' }, { big: ['m'], middle: ['m'], small: ['m'] }],
    [
      { big: [], small: 's' },
      { big: ['s'], middle: ['s'], small: ['s'] },
    ],
  ])('models %j', (models, expected) => {
    expect(only({ models }).models).toEqual(expected);
  });

  test('a preset’s small model stands in for one that is not given', () => {
    const { provider, models } = only({ preset: 'glm', base_url: null, models: { big: 'a' } });
    expect(models).toEqual({ big: ['a'], middle: ['a'], small: [provider.preset.tiers?.small] });
  });
});

describe('names of models', () => {
  const both = [ACME, { ...LOCAL, priority: 2 }];

  test('of the first provider are bare, of the others with their provider', () => {
    expect(configWith([], ...both).providers.map(({ models }) => models.big)).toEqual([
      ['large'],
      ['local,one', 'local,two'],
    ]);
  });

  test('lead to their servers', () => {
    const config = configWith([], ...both);
    const [first, second] = config.providers;
    expect(config.modelRefs.of('large')).toEqual({
      name: 'large',
      provider: first?.provider,
      model: 'large',
      named: first,
    });
    expect(config.modelRefs.of('Local, one')).toEqual({
      name: 'Local, one',
      provider: second?.provider,
      model: 'one',
      named: second,
    });
    expect(config.modelRefs.of('acme,any')).toEqual({
      name: 'acme,any',
      provider: config.provider,
      model: 'any',
      named: first,
    });
    expect(config.modelRefs.of('nobody,one')).toEqual({
      name: 'nobody,one',
      provider: config.provider,
      model: 'nobody,one',
      named: first,
    });
    const [big = ''] = second?.models.big ?? [];
    expect(config.modelRefs.of(big)).toBe(config.modelRefs.of(big));
  });

  test('BIG_MODEL goes before the first provider’s models, and may be another provider’s or of the models file', () => {
    const tiersOf = (lines: readonly string[]) => {
      const models = '- model_id: mine\n  api_base: http://localhost:1/v1\n';
      const { tiers, providers } = configOf(lines, { providers: fileOf(...both), models });
      expect(providers[0]?.models).toEqual({ big: [tiers.big], middle: [tiers.middle], small: [tiers.small] });
      return tiers;
    };
    expect(tiersOf(['BIG_MODEL=huge'])).toEqual({ big: 'huge', middle: 'huge', small: 'large' });
    expect(tiersOf(['BIG_MODEL=LOCAL,two', 'SMALL_MODEL=mine'])).toEqual({
      big: 'local,two',
      middle: 'local,two',
      small: 'custom/mine',
    });
    expect(tiersOf(['MIDDLE_MODEL=acme,huge']).middle).toBe('huge');
  });

  test('a tier that the env file does not mention keeps its spares', () => {
    expect(configWith(['SMALL_MODEL=x'], LOCAL).providers[0]?.models).toEqual({
      big: ['one', 'two'],
      middle: ['one', 'two'],
      small: ['x'],
    });
  });

  test('a provider that there is not is reported with the nearest; one that is left out as well', () => {
    const providers = fileOf(ACME, { ...LOCAL, enabled: false });
    expect(readLines(['BIG_MODEL=acmee,x'], { providers }).problems).toMatchObject([
      { line: 1, key: 'BIG_MODEL', severity: 'error', fix: 'Did you mean acme,x?' },
    ]);
    expect(readLines(['BIG_MODEL=local,x'], { providers }).problems).toMatchObject([
      { severity: 'error', found: expect.stringContaining('cannot be used') },
    ]);
    expect(problemsOf(['BIG_MODEL=acme,'], { providers })).toEqual(['error 1 BIG_MODEL']);
  });
});

describe('what holds for all providers together', () => {
  const settings = (top: object, lines: readonly string[] = []) =>
    configOf(lines, { providers: JSON.stringify({ providers: [ACME], ...top }) });

  test('defaults', () => {
    expect(settings({})).toMatchObject({
      strategy: 'priority',
      healthCheck: { intervalMs: 300_000, ask: 'models' },
      breaker: { failures: 5, windowMs: 30_000, openMs: 10_000 },
    });
    expect(configOf(['PROVIDER=demo']).healthCheck.intervalMs).toBe(0);
  });

  test.each(['priority', 'round_robin', 'random', 'weighted'])('fallback_strategy %s', (strategy) => {
    expect(settings({ fallback_strategy: strategy }).strategy).toBe(strategy);
  });

  test('health checks', () => {
    expect(settings({ health_check_interval: 0, health_check: 'request' }).healthCheck).toEqual({
      intervalMs: 0,
      ask: 'request',
    });
  });

  test('the file’s numbers go before defaults, a key of the env file before the file’s', () => {
    const top = { circuit_breaker: { failure_threshold: 3, recovery_timeout: 120 } };
    expect(settings(top).breaker).toEqual({ failures: 3, windowMs: 30_000, openMs: 120_000 });
    expect(settings(top, ['BREAKER_FAILURES=5', 'BREAKER_SECONDS=7']).breaker).toMatchObject({
      failures: 5,
      openMs: 7000,
    });
  });

  test('every part of it makes another configuration', () => {
    const hashes = [
      settings({}),
      settings({ fallback_strategy: 'random' }),
      settings({ health_check_interval: 1 }),
      settings({ circuit_breaker: { failure_threshold: 1 } }),
      configWith([], { ...ACME, timeout: 1 }),
      configWith([], ACME, LOCAL),
    ].map(({ hash }) => hash);
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});
