import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { configFromText } from '../../../src/config/load.ts';
import { temporaryFolder } from '../../helpers/temporaryFolder.ts';

type Settings = Readonly<Record<string, string>>;

const CUSTOM = { OPENAI_BASE_URL: 'http://127.0.0.1:1/v1', OPENAI_API_KEY: 'key-of-the-provider', BIG_MODEL: 'm' };

function read(settings: Settings, folder = temporaryFolder().path) {
  const text = Object.entries({ PORT: '8080', ...settings }).map(([name, value]) => `${name}=${value}`);
  return configFromText('/envs/test.env', text.join('\n'), {}, folder);
}

function searchOf(settings: Settings) {
  const { config, problems } = read(settings);
  expect(problems).toEqual([]);
  const search = config?.webSearch;
  return search && { ...search, api: search.api.name, key: search.key?.reveal() };
}

test.each<[what: string, settings: Settings, expected: unknown]>([
  ['nothing', CUSTOM, undefined],
  ['off', { ...CUSTOM, WEB_SEARCH: 'off' }, undefined],
  [
    'a key of its own',
    { ...CUSTOM, WEB_SEARCH: 'brave', SEARCH_API_KEY: 'key-of-the-search' },
    {
      api: 'brave',
      endpoint: 'https://api.search.brave.com/res/v1/web/search',
      key: 'key-of-the-search',
      keySource: 'file',
      price: 0.005,
    },
  ],
  [
    'an address of its own, and its price',
    { ...CUSTOM, WEB_SEARCH: 'SearXNG', SEARCH_URL: 'http://127.0.0.1:8888/searx/', SEARCH_COST: '0.5' },
    { api: 'searxng', endpoint: 'http://127.0.0.1:8888/searx/search', key: undefined, keySource: 'none', price: 0.5 },
  ],
  [
    'a whole address',
    { ...CUSTOM, WEB_SEARCH: 'tavily', SEARCH_API_KEY: 'key-of-the-search', SEARCH_URL: 'https://relay.test/own/path' },
    { endpoint: 'https://relay.test/own/path' },
  ],
  [
    'the bare address of another server',
    { ...CUSTOM, WEB_SEARCH: 'tavily', SEARCH_API_KEY: 'key-of-the-search', SEARCH_URL: 'https://relay.test' },
    { endpoint: 'https://relay.test/search' },
  ],
  [
    'the key of a provider of the same vendor',
    { PROVIDER: 'deepseek', DEEPSEEK_API_KEY: 'key-of-the-provider', WEB_SEARCH: 'deepseek' },
    { endpoint: 'https://api.deepseek.com/v1/tools/search', key: 'key-of-the-provider', keySource: 'provider' },
  ],
  [
    'the provider’s own, in its region',
    { PROVIDER: 'glm', GLM_API_KEY: 'key-of-the-provider', REGION: 'cn', WEB_SEARCH: 'provider' },
    { api: 'zai', endpoint: 'https://open.bigmodel.cn/api/paas/v4/web_search', key: 'key-of-the-provider' },
  ],
  [
    'that of a provider whose search has another form',
    { PROVIDER: 'gemini', GEMINI_API_KEY: 'key-of-the-provider', WEB_SEARCH: 'provider' },
    { api: 'gemini' },
  ],
  ['a provider that answers searches itself', { PROVIDER: 'anthropic', WEB_SEARCH: 'provider' }, undefined],
])('%s', (_what, settings, expected) => {
  const search = searchOf(settings);
  if (expected === undefined) expect(search).toBeUndefined();
  else expect(search).toMatchObject(expected as object);
});

test('WEB_SEARCH=provider is the search of the Responses API where the provider has it, and goes before the older quirk', () => {
  const openai = { PROVIDER: 'openai', OPENAI_API_KEY: 'key-of-the-provider' };
  const quirkOf = (settings: Settings) => read({ ...openai, ...settings }).config?.provider.overrides.webSearch;
  expect(quirkOf({ WEB_SEARCH: 'provider' })).toBe('provider');
  expect(quirkOf({ WEB_SEARCH: 'off', QUIRK_WEB_SEARCH: 'provider' })).toBe('off');
  expect(quirkOf({ QUIRK_WEB_SEARCH: 'provider' })).toBe('provider');
  expect(quirkOf({ WEB_SEARCH: 'off' })).toBeUndefined();
});

test.each<[settings: Settings, key: string, found: string, fix: string]>([
  [{ WEB_SEARCH: 'google' }, 'WEB_SEARCH', '"google"', 'Set brave, tavily, searxng'],
  [
    { WEB_SEARCH: 'brave' },
    'WEB_SEARCH',
    'without a key for it',
    'Set SEARCH_API_KEY to a key of Brave Search (https://',
  ],
  [{ WEB_SEARCH: 'brave', SEARCH_API_KEY: 'your-api-key' }, 'SEARCH_API_KEY', 'a placeholder', 'Put your key'],
  [{ WEB_SEARCH: 'searxng' }, 'SEARCH_URL', 'nothing, and SearXNG runs at an address', 'like http://127.0.0.1:8888'],
  [{ WEB_SEARCH: 'searxng', SEARCH_URL: 'ftp://a.test' }, 'SEARCH_URL', '"ftp://a.test"', 'Set an http:// or https://'],
  [
    { WEB_SEARCH: 'searxng', SEARCH_URL: 'http://169.254.169.254/' },
    'SEARCH_URL',
    'where a cloud gives its machines their credentials',
    'ALLOW_LINK_LOCAL=on',
  ],
  [{ WEB_SEARCH: 'provider' }, 'WEB_SEARCH', 'has no search that is known here', 'Set one of brave, tavily'],
])('A8 %j is refused at the start', (settings, key, found, fix) => {
  const { config, problems } = read({ ...CUSTOM, ...settings });
  expect(config).toBeUndefined();
  const problem = problems.find(({ severity }) => severity === 'error');
  expect(problem).toMatchObject({ key, found: expect.stringContaining(found), fix: expect.stringContaining(fix) });
  if (key in settings) expect(problem?.line).toBeGreaterThan(1);
});

test.each([{ SEARCH_API_KEY: 'key-of-the-search' }, { SEARCH_URL: 'http://127.0.0.1:8888' }, { SEARCH_COST: '1' }])(
  '%j without WEB_SEARCH is warned of',
  (settings) => {
    const { config, problems } = read({ ...CUSTOM, ...settings });
    expect(config?.webSearch).toBeUndefined();
    expect(problems).toMatchObject([
      { severity: 'warning', key: Object.keys(settings)[0], found: 'a setting that has no effect' },
    ]);
  },
);

test('key and address may stand in files, and the key is a secret of the configuration', () => {
  const { path } = temporaryFolder();
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'key'), 'key-in-a-file\n');
  writeFileSync(join(path, 'url'), 'https://relay.test\n');
  const files = { SEARCH_API_KEY_FILE: join(path, 'key'), SEARCH_URL_FILE: join(path, 'url') };
  const { config, problems } = read({ ...CUSTOM, WEB_SEARCH: 'tavily', ...files }, path);
  expect(problems).toEqual([]);
  expect(config?.webSearch).toMatchObject({ endpoint: 'https://relay.test/search', keySource: 'secret file' });
  expect(config?.secrets.map((secret) => secret.reveal())).toContain('key-in-a-file');
});

test('a change of the search changes the hash', () => {
  const hashOf = (settings: Settings) => read({ ...CUSTOM, ...settings }).config?.hash;
  const brave = { WEB_SEARCH: 'brave', SEARCH_API_KEY: 'key-of-the-search' };
  const hashes = [{}, brave, { ...brave, SEARCH_API_KEY: 'another-key' }, { ...brave, SEARCH_COST: '1' }].map(hashOf);
  expect(new Set(hashes).size).toBe(4);
});
