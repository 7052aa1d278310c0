import { expect, test } from 'vitest';
import { isNearMiss, nearestName } from '../../../src/core/text.ts';

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
  ['LOG_DRI', 'LOG_DIR'],
  ['x', undefined],
  ['openrouter', undefined],
  ['completely-else', undefined],
  ['', undefined],
])('%s -> %s', (typed, nearest) => {
  expect(nearestName(typed, known)).toBe(nearest);
});

test('two letters in the wrong order go before a name that is only begun', () => {
  expect(nearestName('PROT', ['PROTOCOL', 'PORT'])).toBe('PORT');
  expect(nearestName('PROTO', ['PROTOCOL', 'PORT'])).toBe('PROTOCOL');
});

test.each([
  ['PROVDER', 'PROVIDER', true],
  ['PRVOIDER', 'PROVIDER', true],
  ['provider', 'PROVIDER', true],
  ['OPENAI_PROXY_URL', 'OPENAI_BASE_URL', false],
  ['VERSION', 'REGION', false],
])('whether %s is a slip for %s: %s', (typed, name, isSlip) => {
  expect(isNearMiss(typed, name)).toBe(isSlip);
});
