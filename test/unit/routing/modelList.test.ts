import { expect, test } from 'vitest';
import { listModels, pageModels } from '../../../src/routing/modelList.ts';
import { parseRequestedName, resolveTier } from '../../../src/routing/modelRouter.ts';
import { configOf } from '../../helpers/configText.ts';

const tiers = { big: 'glm-5.3', middle: 'glm-5.3', small: 'glm-5.3-flash' };
const config = configOf(['PROVIDER=glm', 'BIG_MODEL=glm-5.3', 'SMALL_MODEL=glm-5.3-flash'], { file: 'envs/glm.env' });
const models = listModels(config, '2026-11-20');

test('R503 each configured model once under its own name and once under one that Claude Code keeps', () => {
  expect(models.map(({ id, display_name }) => [id, display_name])).toEqual([
    ['glm-5.3', 'glm-5.3'],
    ['claude-glm--glm-5.3', 'glm-5.3 (glm)'],
    ['glm-5.3-flash', 'glm-5.3-flash'],
    ['claude-glm--glm-5.3-flash', 'glm-5.3-flash (glm)'],
  ]);
  expect(models.every((model) => !Number.isNaN(Date.parse(model.created_at)) && model.type === 'model')).toBe(true);
});

test('R503 both names resolve to the model', () => {
  expect(models.map(({ id }) => resolveTier(parseRequestedName(id), tiers, {}).model)).toEqual([
    'glm-5.3',
    'glm-5.3',
    'glm-5.3-flash',
    'glm-5.3-flash',
  ]);
});

test('R503 pages', () => {
  const ids = (page: ReturnType<typeof pageModels>) => page.data.map(({ id }) => id);
  const first = pageModels(models, 3);
  expect(first).toMatchObject({ has_more: true, first_id: 'glm-5.3', last_id: 'glm-5.3-flash' });
  expect(ids(first)).toHaveLength(3);
  const second = pageModels(models, 3, { afterId: 'glm-5.3-flash' });
  expect(second.has_more).toBe(false);
  expect(ids(second)).toEqual(['claude-glm--glm-5.3-flash']);
  expect(ids(pageModels(models, 1000, { afterId: 'unknown' }))).toHaveLength(4);
  expect(pageModels([], 10)).toEqual({ data: [], has_more: false, first_id: null, last_id: null });
});

test.each([
  ['the first model', 'glm-5.3', 2, [], false],
  ['a model in the middle', 'glm-5.3-flash', 1, ['claude-glm--glm-5.3'], true],
  ['the last model', 'claude-glm--glm-5.3-flash', 1000, ['glm-5.3', 'claude-glm--glm-5.3', 'glm-5.3-flash'], false],
])('R503 the page before %s', (_which, beforeId, limit, ids, hasMore) => {
  const page = pageModels(models, limit, { beforeId });
  expect(page.data.map(({ id }) => id)).toEqual(ids);
  expect(page.has_more).toBe(hasMore);
});
