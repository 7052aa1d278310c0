import { describe, expect, test } from 'vitest';
import type { CustomModel, DatedPrices, NamedProvider } from '../../../../src/config/config.ts';
import { createModelRefs } from '../../../../src/config/models.ts';
import type { Prices } from '../../../../src/providers/preset.ts';
import type { RequestRecord } from '../../../../src/telemetry/requestRecord.ts';
import { costOf, findPrices, requestCost } from '../../../../src/telemetry/usage/cost.ts';
import { testConfig } from '../../../helpers/startApp.ts';

const NOTHING = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
const ALL: Prices = { input: 2, output: 10, cacheRead: 0.2, cacheWrite: 2.5 };
const SOME: Prices = { input: 2, output: 10 };

describe('the cost of tokens', () => {
  test.each([
    ['input and output', { ...NOTHING, input: 1_000_000, output: 500_000 }, SOME, 7],
    ['the cache by its own prices', { ...NOTHING, cacheRead: 1_000_000, cacheWrite: 1_000_000 }, ALL, 2.7],
    [
      'an unknown price of tokens that there are makes all unknown',
      { ...NOTHING, input: 5, cacheRead: 1 },
      SOME,
      undefined,
    ],
    ['an unknown price of no tokens does not matter', { ...NOTHING, input: 1_000_000 }, SOME, 2],
    ['no prices: unknown, not free', { ...NOTHING, output: 1 }, undefined, undefined],
    ['free is free', { ...NOTHING, input: 7, output: 7 }, { input: 0, output: 0 }, 0],
    ['nothing costs nothing', NOTHING, undefined, 0],
  ])('%s', (_what, tokens, prices, cost) => {
    expect(costOf(tokens, prices)).toEqual(cost === undefined ? undefined : expect.closeTo(cost, 9));
  });
});

describe('the price of a model', () => {
  const config = testConfig({ PROVIDER: 'deepseek' });
  const [listed = ''] = Object.keys(config.provider.preset.models);
  const dated: readonly DatedPrices[] = [
    { ...SOME, from: '' },
    { ...SOME, input: 3, from: '2026-06-01' },
    { ...SOME, input: 4, from: '2026-11-01' },
  ];
  const custom: CustomModel = { id: 'own', name: 'custom/own', model: 'm', provider: config.provider, prices: ALL };
  const customModels = new Map<string, CustomModel>([
    ['own', custom],
    ['listed', { id: 'listed', name: 'custom/listed', model: listed, provider: config.provider }],
  ]);
  const [own] = config.providers;
  if (own === undefined) throw new Error('a configuration without a provider');
  const refsOf = (...others: readonly NamedProvider[]) => createModelRefs([own, ...others], customModels, []);
  const sources = {
    modelRefs: refsOf(),
    prices: new Map([
      ['dated', dated],
      ['future', dated.slice(2)],
      [listed, dated],
    ]),
  };

  test.each([
    ['2026-05-31', 2],
    ['2026-06-01', 3],
    ['2026-10-31', 3],
    ['2026-11-01', 4],
    ['2027-01-01', 4],
  ])('on %s is that of the latest entry not after it', (day, input) => {
    expect(findPrices(sources, 'dated', day)?.input).toBe(input);
  });

  test('comes from the prices file, then the models file, then the preset', () => {
    expect(findPrices(sources, listed, '2026-11-20')?.input).toBe(4);
    expect(findPrices({ ...sources, prices: new Map() }, listed, '2026-11-20')).toEqual(
      config.provider.preset.models[listed]?.prices,
    );
    expect(findPrices(sources, 'custom/Own', '2026-11-20')).toBe(ALL);
    // So routing serves a bare id as well, where the first provider is named before it.
    expect(findPrices(sources, 'own', '2026-11-20')).toBe(ALL);
    expect(findPrices(sources, 'custom/listed', '2026-11-20')).toEqual(config.provider.preset.models[listed]?.prices);
  });

  test('of another provider’s model is that provider’s; the file may name the first provider as well', () => {
    const other = testConfig({ PROVIDER: 'kimi' });
    const [theirs = ''] = Object.keys(other.provider.preset.models);
    const all = { ...sources, modelRefs: refsOf(...other.providers), prices: new Map([['deepseek,named', dated]]) };
    expect(findPrices(all, `kimi,${theirs}`, '2026-11-20')).toEqual(other.provider.preset.models[theirs]?.prices);
    expect(findPrices(all, theirs, '2026-11-20')).toBeUndefined();
    expect(findPrices(all, `nobody,${theirs}`, '2026-11-20')).toBeUndefined();
    expect(findPrices(all, 'named', '2026-11-20')?.input).toBe(4);
    const listedTheirs = new Map([[`kimi,${theirs}`, dated]]);
    expect(findPrices({ ...all, prices: listedTheirs }, `kimi,${theirs}`, '2026-11-20')?.input).toBe(4);
  });

  test('is unknown before its first day and for a model that nobody knows', () => {
    expect(findPrices(sources, 'future', '2026-05-31')).toBeUndefined();
    expect(findPrices(sources, 'unheard-of', '2026-05-31')).toBeUndefined();
  });
});

describe('the cost of a request', () => {
  const config = { ...testConfig({ PROVIDER: 'deepseek' }), prices: new Map([['m', [{ ...SOME, from: '' }]]]) };
  const record: RequestRecord = {
    id: 'req_1',
    endpoint: '/v1/messages',
    provider: 'deepseek',
    stream: false,
    status: 200,
    outcome: 'ok',
    durationMs: 1,
    attempts: 1,
    routedModel: 'm',
    upstreamModel: 'm-2026-11-01',
  };
  const used = { inputTokens: 1_000_000, outputTokens: 100_000, cacheReadTokens: 0, cacheWriteTokens: 0 };

  test.each([
    ['goes by the model that was asked for, not by its name in the answer', used, 3],
    ['is unknown when the model has no price', { ...used, routedModel: 'other' }, undefined],
    ['is unknown when an answer came and nobody counted it', {}, undefined],
    ['is nothing when the provider refused', { outcome: 'error', status: 400 }, 0],
    ['is nothing when no provider was asked', { attempts: undefined, routedModel: undefined, outcome: 'rejected' }, 0],
  ] as const)('%s', (_what, fields, cost) => {
    expect(requestCost({ ...record, ...fields }, config, '2026-11-20')).toBe(cost);
  });
});

test('a request to a preset’s model costs what holds at its time, the day of the prices file aside', () => {
  const config = { ...testConfig({ PROVIDER: 'deepseek' }), prices: new Map() };
  const record: RequestRecord = {
    id: 'req_1',
    endpoint: '/v1/messages',
    provider: 'deepseek',
    stream: false,
    status: 200,
    outcome: 'ok',
    durationMs: 1,
    attempts: 1,
    routedModel: 'deepseek-v4-pro',
    inputTokens: 1_000_000,
    outputTokens: 0,
  };
  const costAt = (time: string) => requestCost(record, config, '2026-11-30', Date.parse(time));
  expect(costAt('2026-11-30T02:00:00Z')).toBeCloseTo(1.32, 9);
  expect(costAt('2026-11-30T05:00:00Z')).toBeCloseTo(0.66, 9);
});
