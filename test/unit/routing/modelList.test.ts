import { expect, test } from 'vitest';
import { findModelInfo, listModels, pageModels } from '../../../src/routing/modelList.ts';
import { routeModel } from '../../../src/routing/modelRouter.ts';
import { configOf } from '../../helpers/configText.ts';

const config = configOf(
  ['PROVIDER=glm', 'OPENAI_API_KEY=k-0000000001', 'BIG_MODEL=glm-5.3', 'SMALL_MODEL=glm-5.3-flash'],
  {
    file: 'envs/glm.env',
    models: '- model_id: extra\n',
  },
);
const models = listModels(config, '2026-11-20');

test('R503 each configured model under its own name, and one in no tier also under one that Claude Code keeps', () => {
  expect(models.map(({ id, display_name }) => [id, display_name])).toEqual([
    ['glm-5.3', 'glm-5.3'],
    ['glm-5.3-flash', 'glm-5.3-flash'],
    ['custom/extra', 'custom/extra'],
    ['claude-glm--custom/extra', 'custom/extra (glm)'],
  ]);
  expect(models.every((model) => !Number.isNaN(Date.parse(model.created_at)) && model.type === 'model')).toBe(true);
});

test('R503 both names resolve to the model', () => {
  expect(models.map(({ id }) => routeModel(id, config).model.name)).toEqual([
    'glm-5.3',
    'glm-5.3-flash',
    'custom/extra',
    'custom/extra',
  ]);
});

test.each([
  ['claude-opus-5-5', 'glm-5.3'],
  ['claude-haiku-5-5-20251001', 'glm-5.3-flash'],
  ['claude-glm--glm-5.3', 'glm-5.3'],
  ['glm-5.3[1m]', 'glm-5.3'],
  ['custom/extra', 'custom/extra'],
  ['unheard-of', undefined],
  ['', undefined],
])('R503 the description of %j is that of the model that would answer', (id, expected) => {
  expect(findModelInfo(id, models, config)?.display_name).toBe(expected);
});

test('R503 pages', () => {
  const ids = (page: ReturnType<typeof pageModels>) => page.data.map(({ id }) => id);
  const first = pageModels(models, 3);
  expect(first).toMatchObject({ has_more: true, first_id: 'glm-5.3', last_id: 'custom/extra' });
  expect(ids(first)).toHaveLength(3);
  const second = pageModels(models, 3, { afterId: 'custom/extra' });
  expect(second.has_more).toBe(false);
  expect(ids(second)).toEqual(['claude-glm--custom/extra']);
  expect(ids(pageModels(models, 1000, { afterId: 'unknown' }))).toHaveLength(4);
  expect(pageModels([], 10)).toEqual({ data: [], has_more: false, first_id: null, last_id: null });
});

test.each([
  ['the first model', 'glm-5.3', 2, [], false],
  ['a model in the middle', 'custom/extra', 1, ['glm-5.3-flash'], true],
  ['the last model', 'claude-glm--custom/extra', 1000, ['glm-5.3', 'glm-5.3-flash', 'custom/extra'], false],
])('R503 the page before %s', (_which, beforeId, limit, ids, hasMore) => {
  const page = pageModels(models, limit, { beforeId });
  expect(page.data.map(({ id }) => id)).toEqual(ids);
  expect(page.has_more).toBe(hasMore);
});
