import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeConfig } from '../../../../src/config/describe.ts';
import {
  CATALOGUE_FILE,
  type Catalogue,
  catalogueText,
  type ListedModel,
  readKeptCatalogue,
  readPublicCatalogue,
  refreshPreset,
} from '../../../../src/config/files/catalogue.ts';
import type { Prices } from '../../../../src/core/models.ts';
import { findPreset, presets } from '../../../../src/providers/index.ts';
import { modelSettings, type Preset } from '../../../../src/providers/preset.ts';
import { findPrices } from '../../../../src/telemetry/usage/cost.ts';
import { configOf, readLines } from '../../../helpers/configText.ts';

const DAY = '2027-01-15';

const preset = {
  ...(findPreset('kimi') as Preset),
  name: 'vendor',
  catalogue: 'vendor-id',
  checked: '2026-11-29',
  models: {
    one: { contextWindow: 100_000, maxOutput: 32_000, vision: true, prices: { input: 2, output: 10, cacheRead: 0.2 } },
    two: { contextWindow: 200_000 },
  },
} as const satisfies Preset;

const publicText = (models: unknown, provider = 'vendor-id') => JSON.stringify({ [provider]: { models } });
const read = (text: string) => readPublicCatalogue(text, [preset]);
const kept = (models: Readonly<Record<string, ListedModel>>, date = DAY): Catalogue => ({
  date,
  source: 'https://catalogue.example/api.json',
  providers: { 'vendor-id': models },
});

describe('a public catalogue', () => {
  test.each<[string, unknown, ListedModel]>([
    ['limits', { limit: { context: 262_144, output: 65_536 } }, { contextWindow: 262_144, maxOutput: 65_536 }],
    [
      'what a request may hold, below the window',
      { limit: { context: 400_000, input: 272_000 } },
      { contextWindow: 272_000 },
    ],
    ['0 for what nobody knows', { limit: { context: 0, output: 0 } }, {}],
    [
      'prices',
      { cost: { input: 3, output: 15, cache_read: 0.3, cache_write: 3.75, reasoning: 15, input_audio: 1 } },
      { prices: { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 } },
    ],
    [
      'prices from those of a token',
      { cost: { input: 0.09999999999999999, output: 1 } },
      { prices: { input: 0.1, output: 1 } },
    ],
    [
      'the first step by length',
      {
        cost: {
          input: 1,
          output: 2,
          tiers: [
            { input: 9, output: 9, tier: { type: 'context', size: 500_000 } },
            { input: 2, output: 3, tier: { type: 'context', size: 272_000 } },
            { input: 5, output: 5, tier: { type: 'service' } },
          ],
          context_over_200k: { input: 7, output: 7 },
        },
      },
      { prices: { input: 1, output: 2, longInput: { above: 272_000, input: 2, output: 3 } } },
    ],
    [
      'the older form of a step',
      { cost: { input: 1, output: 2, context_over_200k: { input: 2, output: 3 } } },
      { prices: { input: 1, output: 2, longInput: { above: 200_000, input: 2, output: 3 } } },
    ],
    ['nothing of behaviour', { reasoning: false, provider: { api: 'https://elsewhere.example' }, id: 'x' }, {}],
  ])('gives %s', (_name, entry, expected) => {
    expect(read(publicText({ one: entry }))).toEqual({
      providers: { 'vendor-id': { one: expected } },
      found: 1,
      known: 2,
      skipped: [],
    });
  });

  test.each<[string, unknown, string]>([
    ['a price below zero', { cost: { input: -1, output: 1 } }, 'cost.input'],
    ['a price that is a text', { cost: { input: '1', output: 1 } }, 'cost.input'],
    ['a price in cents of a cent', { cost: { input: 1, output: 1_000_000 } }, 'cost.output'],
    ['a window in thousands', { limit: { context: 200 } }, 'limit.context'],
    ['a window without end', { limit: { context: 1e300 } }, 'limit.context'],
    ['half a token', { limit: { output: 4096.5 } }, 'limit.output'],
    ['no object', 'text', 'its entry'],
  ])('has a model left out for %s, and the others not', (_name, entry, path) => {
    expect(read(publicText({ one: entry, two: {} }))).toEqual({
      providers: { 'vendor-id': { two: {} } },
      found: 1,
      known: 2,
      skipped: [`vendor-id one: ${path} is wrong`],
    });
  });

  test.each<[string, string, RegExp]>([
    ['text', 'no json, sk-secret-key-1234', /^no JSON object$/],
    ['a list', '[]', /^no JSON object$/],
    ['a page', '<html></html>', /^no JSON object$/],
    ['depth', `{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`, /^JSON more than 32 levels deep$/],
    ['depth without end', '['.repeat(1_000_000), /levels deep$/],
    ['other models', publicText({ unknown: {} }), /^nothing about any model/],
    ['another provider', publicText({ one: {} }, 'other'), /^nothing about any model/],
    [
      'names of every object',
      '{"__proto__":{"models":{"one":{}}},"constructor":{"models":{"one":{}}}}',
      /^nothing about/,
    ],
    [
      'very many providers',
      JSON.stringify(Object.fromEntries(Array.from({ length: 5001 }, (_, index) => [index, {}]))),
      /^5001 providers with 0 models, which is too much$/,
    ],
    [
      'very many models',
      publicText(Object.fromEntries(Array.from({ length: 100_001 }, (_, index) => [index, 0]))),
      /^1 providers with 100001 models/,
    ],
  ])('that is %s is refused in words that quote nothing of it', (_name, text, fault) => {
    expect(read(text)).toEqual({ fault: expect.stringMatching(fault) });
  });

  test('brackets in texts are no depth', () => {
    expect(read(publicText({ one: { name: `"${'['.repeat(100)}\\` } })).fault).toBeUndefined();
  });

  test('never throws, and what it gives can be kept and read again', () => {
    const anyModels = fc.dictionary(
      fc.constantFrom('one', 'two', 'three', '__proto__'),
      fc.oneof(
        fc.jsonValue(),
        fc.record({
          cost: fc.record(
            { input: fc.double(), output: fc.double(), cache_read: fc.jsonValue() },
            { requiredKeys: [] },
          ),
          limit: fc.record({ context: fc.double(), output: fc.integer() }, { requiredKeys: [] }),
        }),
      ),
    );
    fc.assert(
      fc.property(anyModels, (entries) => {
        const result = read(publicText(entries));
        if (result.fault !== undefined) return;
        const catalogue = { date: DAY, source: 'file', providers: result.providers };
        const again = readKeptCatalogue({ read: () => ({ text: catalogueText(catalogue) }) });
        expect(again.diagnostics.problems).toEqual([]);
        expect(again.catalogue?.providers).toEqual(result.providers);
        const { models, ...rest } = refreshPreset(preset, again.catalogue);
        expect(Object.keys(models)).toEqual(Object.keys(preset.models));
        expect(rest).toEqual({ ...preset, models: undefined });
      }),
    );
  });
});

describe('the preset after a catalogue', () => {
  const refreshed = (listed: ListedModel, prices?: Prices) =>
    refreshPreset(
      { ...preset, models: { one: { ...preset.models.one, ...(prices === undefined ? {} : { prices }) } } },
      kept({ one: listed }),
    ).models['one'];

  test('has its window and prices, and otherwise its own facts', () => {
    const listed = { contextWindow: 500_000, prices: { input: 1, output: 5, cacheRead: 0.05 } };
    expect(refreshed(listed)).toEqual({ ...preset.models.one, ...listed, refreshed: DAY });
    expect(refreshPreset(preset, kept({ one: listed, three: listed })).models).toEqual({
      one: { ...preset.models.one, ...listed, refreshed: DAY },
      two: preset.models.two,
    });
  });

  test('asks for less output where the vendor allows less, and never for more', () => {
    expect(refreshed({ maxOutput: 16_000 })?.maxOutput).toBe(16_000);
    expect(refreshed({ maxOutput: 500_000 })?.maxOutput).toBe(32_000);
    expect(refreshPreset(preset, kept({ two: { maxOutput: 500_000 } })).models['two']?.maxOutput).toBe(500_000);
  });

  test.each<[string, Prices, NonNullable<ListedModel['prices']>, Prices]>([
    [
      'the cache',
      { input: 2, output: 10, cacheRead: 0.2 },
      { input: 1, output: 10 },
      { input: 1, output: 10, cacheRead: 0.1 },
    ],
    [
      'hours and lengths',
      {
        input: 2,
        output: 10,
        peak: { hours: [[1, 4]], days: [1], input: 4, output: 20 },
        longInput: { above: 272_000, input: 4, output: 15 },
      },
      { input: 1, output: 20 },
      {
        input: 1,
        output: 20,
        peak: { hours: [[1, 4]], days: [1], input: 2, output: 40 },
        longInput: { above: 272_000, input: 2, output: 30 },
      },
    ],
    [
      'lengths of its own, but for a place that it does not know',
      { input: 1, output: 2, longInput: { above: 272_000, input: 2, output: 3 } },
      { input: 1, output: 2, longInput: { above: 200_000, input: 3, output: 4 } },
      { input: 1, output: 2, longInput: { above: 272_000, input: 3, output: 4 } },
    ],
    [
      'days before and after',
      {
        input: 1,
        output: 1,
        changes: [
          { from: '2027-01-01', input: 2, output: 2, cacheRead: 1 },
          { from: '2027-02-01', input: 4, output: 4 },
        ],
      },
      { input: 3, output: 2 },
      { input: 3, output: 2, cacheRead: 1.5, changes: [{ from: '2027-02-01', input: 4, output: 4 }] },
    ],
    [
      'nothing that was free',
      { input: 0, output: 0, cacheRead: 0.5 },
      { input: 1, output: 1 },
      { input: 1, output: 1, cacheRead: 0.5 },
    ],
  ])('has prices of a day, with %s in proportion', (_name, before, listed, expected) => {
    const facts = refreshed({ prices: listed }, before);
    expect(facts?.prices).toEqual(expected);
    // Taking the same catalogue twice changes nothing more.
    expect(refreshed({ prices: listed }, facts?.prices)?.prices).toEqual(expected);
  });

  test('stays as it is with an older catalogue, or none, or where it has no place in one', () => {
    const listed = { one: { contextWindow: 500_000 } };
    expect(refreshPreset(preset, kept(listed, '2026-11-28'))).toBe(preset);
    expect(refreshPreset(preset, undefined)).toBe(preset);
    expect(refreshPreset({ ...preset, catalogue: 'constructor' }, kept(listed)).models).toBe(preset.models);
    expect(refreshPreset(preset, kept(listed, '2026-11-29'))).not.toBe(preset);
  });
});

describe('an instance', () => {
  const lines = ['PROVIDER=kimi', 'OPENAI_API_KEY=sk-secret-key-1234', 'BIG_MODEL=kimi-k3'];
  const listed = { contextWindow: 900_000, prices: { input: 1, output: 5 } };
  const text = catalogueText({
    date: DAY,
    source: 'https://catalogue.example/api.json',
    providers: { moonshotai: { 'kimi-k3': listed } },
  });
  const windowOf = (config: ReturnType<typeof configOf>, name: string) => {
    const { provider, model } = config.modelRefs.of(name);
    return modelSettings(provider, model).contextWindow;
  };

  test('goes by the catalogue that is kept, and is another configuration by it', () => {
    const config = configOf(lines, { catalogue: text });
    expect(windowOf(config, 'kimi-k3')).toBe(900_000);
    expect(findPrices(config, 'kimi-k3', DAY)).toMatchObject({ input: 1, output: 5, cacheRead: 0.1 });
    expect(windowOf(config, 'kimi-k2.6')).toBe(262_144);
    expect(config.files).toContain(`/project/${CATALOGUE_FILE}`);
    expect(config.hash).not.toBe(configOf(lines).hash);
    expect(config.hash).not.toBe(configOf(lines, { catalogue: text.replace('900000', '800000') }).hash);
  });

  test('says of which day its prices and limits are', () => {
    const rows = (options: Parameters<typeof configOf>[1], now?: number) =>
      describeConfig(configOf(lines, options), now).filter((line) => line.startsWith('facts'));
    const checked = findPreset('kimi')?.checked;
    expect(rows({})).toEqual([`facts          prices and limits of ${checked} (preset)`]);
    expect(rows({ catalogue: text }, Date.parse('2027-01-16T12:00Z'))).toEqual([
      expect.stringMatching(
        /^facts {10}prices and limits of .* \(preset\), \d+ days old and of 2027-01-15 \(catalogue\), 1 day old$/,
      ),
    ]);
    expect(describeConfig(configOf(['PROVIDER=demo'])).join('\n')).not.toMatch(/^facts/m);
  });

  test('goes by its own settings and models file first', () => {
    expect(windowOf(configOf([...lines, 'QUIRK_CONTEXT_WINDOW=50000'], { catalogue: text }), 'kimi-k3')).toBe(50_000);
    const models =
      'models:\n  - model_id: kimi-k3\n    context: 70000\n    price_per_1m_input: 9\n    price_per_1m_output: 9\n';
    const config = configOf(lines, { catalogue: text, models });
    expect(windowOf(config, 'custom/kimi-k3')).toBe(70_000);
  });

  test('goes by it at a provider of the providers file, and at an address in the models file', () => {
    const providers = JSON.stringify({
      providers: [{ name: 'far', preset: 'kimi', api_key: '${K}', models: { big: ['kimi-k3'] } }],
    });
    expect(windowOf(configOf(['K=key-of-provider-1'], { providers, catalogue: text }), 'far,kimi-k3')).toBe(900_000);
    const models = '- model_id: kimi-k3\n  api_base: https://api.moonshot.ai/v1\n  api_key_name: K\n';
    const demo = configOf(['PROVIDER=demo', 'K=key-of-provider-1'], { models, catalogue: text });
    expect(windowOf(demo, 'custom/kimi-k3')).toBe(900_000);
  });

  test.each<[string, string, RegExp]>([
    ['no JSON', 'sk-secret-key-1234', /no catalogue of models/],
    ['cut in half', text.slice(0, 100), /no catalogue of models/],
    ['of a later program', text.replace('"schema": 1', '"schema": 2'), /something wrong in schema/],
    ['without a day', text.replace(DAY, 'soon'), /something wrong in date/],
    ['with a source for the terminal', text.replace('https:', '\\u001b[2J'), /something wrong in source/],
    ['with a wrong price', text.replace('"input": 1', '"input": -1'), /something wrong in providers/],
    ['very deep', '['.repeat(100_000), /more than a catalogue/],
    ['very long', `${text}${' '.repeat(2_000_000)}`, /more than a catalogue/],
  ])('starts with its presets and a warning beside a file %s', (_name, catalogue, found) => {
    const { config, problems } = readLines(lines, { catalogue });
    expect(config?.hash).toBe(configOf(lines).hash);
    expect(problems).toEqual([
      {
        severity: 'warning',
        file: CATALOGUE_FILE,
        key: 'catalogue',
        found: expect.stringMatching(found),
        fix: expect.stringContaining('./manage providers --refresh'),
      },
    ]);
    expect(JSON.stringify(problems)).not.toContain('sk-secret');
  });
});

test('presets of one vendor have the same place in the catalogue, and those without known models none', () => {
  for (const { catalogue, models, name } of presets) {
    if (catalogue !== undefined) expect(Object.keys(models), name).not.toEqual([]);
    const sibling = findPreset(name.replace(/-anthropic$/, ''));
    if (sibling !== undefined) expect(catalogue, name).toBe(sibling.catalogue);
  }
});
