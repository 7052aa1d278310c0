import { describe, expect, test } from 'vitest';
import { configOf, problemsOf, readLines } from '../../helpers/configText.ts';

const PROVIDERS = JSON.stringify({
  providers: [
    { name: 'first', base_url: 'http://localhost:1/v1', models: { big: 'a' } },
    { name: 'second', base_url: 'http://localhost:2/v1', models: { big: 'b' } },
    { name: 'resting', enabled: false, base_url: 'http://localhost:3/v1', models: { big: 'c' } },
  ],
});
const MODELS =
  '- model_id: mine\n  api_base: http://localhost:4/v1\n- model_id: keyless\n  api_base: https://x.example\n  api_key_name: NO_KEY\n';
const files = { providers: PROVIDERS, models: MODELS };

describe('ROUTER_*', () => {
  test.each([
    ['ROUTER_DEFAULT', 'default'],
    ['ROUTER_BACKGROUND', 'background'],
    ['ROUTER_THINK', 'think'],
    ['ROUTER_LONG_CONTEXT', 'longContext'],
    ['ROUTER_IMAGE', 'image'],
    ['ROUTER_SUBAGENT', 'subagent'],
    ['ROUTER_WEB_SEARCH', 'webSearch'],
  ])('%s', (key, route) => {
    expect(configOf([`${key}=second,b`], files).router).toEqual({ [route]: 'second,b' });
  });

  test.each([
    ['a', 'a'],
    ['first,x', 'x'],
    ['SECOND, b', 'second,b'],
    ['custom/mine', 'custom/mine'],
    ['Mine', 'custom/mine'],
  ])('the target %s is known to routing as %s', (written, name) => {
    expect(configOf([`ROUTER_THINK=${written}`], files).router.think).toBe(name);
  });

  test.each([
    ['custom/mime', 'Did you mean custom/mine?'],
    ['secund,b', 'Did you mean second,b?'],
    ['zzz,b', 'Write provider,model with one of the providers first, second.'],
  ])('%s is reported with its line and the nearest', (written, fix) => {
    expect(
      readLines(['', `ROUTER_THINK=${written}`], files).problems.filter(({ file }) => file.endsWith('.env')),
    ).toMatchObject([{ line: 2, key: 'ROUTER_THINK', severity: 'error', fix }]);
  });

  test.each(['resting,c', 'custom/keyless'])(
    '%s, which cannot be used for now, has no effect, with a warning',
    (written) => {
      expect(configOf([`ROUTER_THINK=${written}`], files).router).toEqual({});
      expect(problemsOf([`ROUTER_THINK=${written}`], files)).toContain('warning 1 ROUTER_THINK');
    },
  );

  test('without any there is none, and another is another configuration', () => {
    const plain = configOf(['PROVIDER=demo']);
    expect(plain.router).toEqual({});
    expect(configOf(['PROVIDER=demo', 'ROUTER_THINK=x']).hash).not.toBe(plain.hash);
  });
});

describe('where the env file names no models, the router’s stand in for them', () => {
  test('at the env file’s own provider', () => {
    const lines = ['PROVIDER=glm', 'ROUTER_DEFAULT=glm-x', 'ROUTER_BACKGROUND=glm-y'];
    expect(configOf(lines).tiers).toEqual({ big: 'glm-x', middle: 'glm-x', small: 'glm-y' });
    expect(configOf([...lines, 'BIG_MODEL=glm-z', 'SMALL_MODEL=glm-s']).tiers).toEqual({
      big: 'glm-z',
      middle: 'glm-z',
      small: 'glm-s',
    });
  });

  test('not where a providers file names them with their spares', () => {
    expect(configOf(['ROUTER_DEFAULT=second,b'], files).tiers).toEqual({ big: 'a', middle: 'a', small: 'a' });
  });

  test('a provider without models needs nothing else', () => {
    const lines = ['OPENAI_BASE_URL=http://localhost:1/v1', 'ROUTER_DEFAULT=x'];
    expect(configOf(lines).tiers).toEqual({ big: 'x', middle: 'x', small: 'x' });
  });
});

test.each([
  [[], 131_072],
  [['LONG_CONTEXT_THRESHOLD=60000'], 60_000],
  [['LONG_CONTEXT_THRESHOLD=1m'], 1_048_576],
] as const)('LONG_CONTEXT_THRESHOLD: %j is %i tokens', (lines, tokens) => {
  expect(configOf(['PROVIDER=demo', ...lines]).longContextThreshold).toBe(tokens);
});
