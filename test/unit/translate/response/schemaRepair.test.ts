import { expect, test } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.ts';
import { repairBySchema } from '../../../../src/translate/response/toolArguments.ts';

const object = (properties: JsonObject, required: string[] = []): JsonObject => ({
  type: 'object',
  properties,
  required,
});

test.each<[string, JsonObject, JsonObject, JsonObject]>([
  ['null for an optional property', object({ a: { type: 'string' } }), { a: null, b: null }, { b: null }],
  [
    'not null where it may be',
    object({
      a: { type: ['string', 'null'] },
      b: { anyOf: [{ type: 'null' }] },
      c: { nullable: true, type: 'string' },
    }),
    { a: null, b: null, c: null },
    { a: null, b: null, c: null },
  ],
  ['not null for a required property', object({ a: { type: 'string' } }, ['a']), { a: null }, { a: null }],
  [
    'numbers in strings',
    object({ a: { type: 'number' }, b: { type: 'integer' }, c: { anyOf: [{ type: 'integer' }, { type: 'null' }] } }),
    { a: '1.5', b: '-5', c: '7' },
    { a: 1.5, b: -5, c: 7 },
  ],
  ['not words for numbers', object({ a: { type: 'number' } }), { a: 'five' }, { a: 'five' }],
  ['booleans in strings', object({ a: { type: 'boolean' } }), { a: 'false' }, { a: false }],
  [
    'lists and objects in strings',
    object({ a: { type: 'array', items: { type: 'number' } }, b: object({ c: { type: 'boolean' } }) }),
    { a: '["1"]', b: '{"c":"true"}' },
    { a: [1], b: { c: true } },
  ],
  [
    'what lies deeper',
    object({ a: { type: 'array', items: object({ b: { type: 'number' } }) } }),
    { a: [{ b: '1' }, { b: 2 }] },
    { a: [{ b: 1 }, { b: 2 }] },
  ],
  ['never an empty string', object({ a: { type: 'string' } }), { a: '' }, { a: '' }],
  ['nothing without types', object({ a: {} }), { a: '5' }, { a: '5' }],
])('R208 repairs %s', (_name, schema, input, expected) => {
  expect(repairBySchema('Tool', input, schema)).toEqual(expected);
});

test('R208 gives back the same object when there is nothing to repair', () => {
  const input = { a: 'x', b: [1], c: { d: 1 } };
  expect(repairBySchema('Tool', input, object({ a: { type: 'string' }, b: { type: 'array' }, c: object({}) }))).toBe(
    input,
  );
});

test('R208 takes empty pages from Read, and only from Read', () => {
  const schema = object({ pages: { type: 'string' } });
  expect(repairBySchema('Read', { file_path: '/a', pages: '' }, schema)).toEqual({ file_path: '/a' });
  expect(repairBySchema('Other', { pages: '' }, schema)).toEqual({ pages: '' });
});
