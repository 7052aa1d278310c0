import { expect, test } from 'vitest';
import { nearestName } from '../../../src/core/text.ts';

const known = ['status', 'kimi', 'glm', 'minimax', 'LOG_LEVEL', 'LOG_DIR'];

test.each([
  ['kimo', 'kimi'],
  ['KIMI', 'kimi'],
  ['gml', 'glm'],
  ['minmax', 'minimax'],
  ['LOGLEVEL', 'LOG_LEVEL'],
  ['LOG_LEVLE', 'LOG_LEVEL'],
  ['kmi', 'kimi'],
  ['mini', 'minimax'],
  ['glm5', 'glm'],
  ['stauts', 'status'],
  ['x', undefined],
  ['openrouter', undefined],
  ['completely-else', undefined],
  ['', undefined],
])('%s -> %s', (typed, nearest) => {
  expect(nearestName(typed, known)).toBe(nearest);
});
