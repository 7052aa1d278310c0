import { expect, test } from 'vitest';
import type { UsageSeries } from '../../../src/cli/ui/records.ts';
import { LAYER_COLOURS, sparkPoints, stackLayers } from '../../../src/page/plot.tsx';
import { cacheShare, firstDay, groupName, layersOf, readChoices } from '../../../src/page/usageFigures.ts';
import { usageAnswer } from '../../helpers/pageAnswers.ts';

const series = (groups: number): UsageSeries => ({
  periods: ['2026-11-01', '2026-11-02'],
  groups: Array.from({ length: groups }, (_, index) => ({
    group: index === groups - 1 ? null : `model-${index}`,
    name: null,
    requests: [1, 2],
    input_tokens: [100, 0],
    cache_read_tokens: [50, 0],
    output_tokens: [10, 20],
    cost_usd: [index, index],
    unpriced_requests: [0, 0],
  })),
});

test('each group is a layer, as long as there are colours; the rest is one layer, and nothing is lost', () => {
  expect(layersOf(series(3), 'requests').map(({ name }) => name)).toEqual(['model-0', 'model-1', 'all others']);
  const layers = layersOf(series(12), 'cost');
  expect(layers).toHaveLength(LAYER_COLOURS);
  const sum = layers.reduce((total, { values }) => total + (values[0] ?? 0), 0);
  expect(sum).toBe((11 * 12) / 2);
});

test('the share from the cache is one layer: that of all groups together', () => {
  expect(layersOf(series(3), 'cache')).toEqual([{ name: 'all', values: [0.5, 0] }]);
});

test('bars are stacked: the highest sum is drawn first, each smaller one over it', () => {
  const layers = [
    { name: 'a', values: [1, 2] },
    { name: 'b', values: [10] },
  ];
  expect(stackLayers(layers, 2)).toEqual([
    [11, 2],
    [1, 2],
  ]);
});

test('a line of zeros lies at the foot, the highest value at the top', () => {
  expect(sparkPoints([0, 0], 10, 10)).toBe('0.0,8.5 10.0,8.5');
  expect(sparkPoints([0, 4], 10, 10)).toBe('0.0,8.5 10.0,1.5');
});

test('groups without a name are called so', () => {
  expect(groupName({ group: null, name: null })).toBe('all others');
  expect(groupName({ group: '-', name: null })).toBe('none');
  expect(groupName({ group: 'hash', name: '/home/me' })).toBe('/home/me');
});

test('the share of nothing is not known', () => {
  expect(cacheShare({ ...usageAnswer.total, input_tokens: 0 })).toBeNull();
  expect(cacheShare({ ...usageAnswer.total, input_tokens: 10, cache_read_tokens: 5 })).toBe(0.5);
});

test('a range ends today, and its first day is counted by days of the calendar', () => {
  expect(firstDay(1, Date.parse('2026-03-30T00:30:00'))).toBe('2026-03-30');
  expect(firstDay(30, Date.parse('2026-11-20T23:59:00'))).toBe('2026-10-22');
});

const NOW = Date.parse('2026-11-20T12:00:00');

test.each([
  [{}, { range: '30', from: '2026-10-22', to: '2026-11-20', by: 'model', period: 'day', measure: 'cost' }],
  [{ range: '90' }, { range: '90', period: 'week' }],
  [
    { range: '365', period: 'day' },
    { range: '365', period: 'day' },
  ],
  [{ range: '365' }, { period: 'month', from: '2025-11-21' }],
  [
    { from: '2026-01-01', to: '2026-02-01' },
    { isOwn: true, from: '2026-01-01', to: '2026-02-01', period: 'day' },
  ],
  [
    { from: '2026-02-01', to: '2026-01-01' },
    { isOwn: false, range: '30' },
  ],
  [
    { by: 'constructor', measure: 'nothing', range: '2' },
    { by: 'model', measure: 'cost', range: '30' },
  ],
  [{ compare: '0' }, { compares: false }],
])('the choices %j mean %j', (choices, meaning) => expect(readChoices(choices, NOW)).toMatchObject(meaning));
