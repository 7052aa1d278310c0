import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../../../src/core/json.ts';
import { toOpenaiSchema } from '../../../../src/quirks/schema/common.ts';
import { toMfjsSchema } from '../../../../src/quirks/schema/mfjs.ts';
import { toOpenapiSchema } from '../../../../src/quirks/schema/openapi.ts';
import { growth, LINEAR } from '../../../helpers/growth.ts';

const dialects = { openai: toOpenaiSchema, openapi: toOpenapiSchema, mfjs: toMfjsSchema };

const many = <T>(count: number, create: (position: number) => T): T[] =>
  Array.from({ length: count }, (_, position) => create(position));
const object = (entries: (readonly [string, Json])[]): JsonObject => Object.fromEntries(entries);
const branches = (count: number) =>
  many(count, (at) => ({ properties: { [`p${at}`]: { type: 'string' } }, required: [`p${at}`] }));
const variants = (count: number) => many(count, (at) => ({ properties: { p: { const: at } }, required: ['p'] }));
const links = (count: number, link: (next: string) => JsonObject): JsonObject => ({
  type: 'object',
  properties: { first: { $ref: '#/$defs/d0' } },
  $defs: object(many(count, (at) => [`d${at}`, link(`#/$defs/d${at + 1}`)] as const)),
});

/** Schemas of a size whose repair would take its square if each part were compared with all others. */
const schemas: Record<string, (size: number) => JsonObject> = {
  'allOf of one property each': (size) => ({ allOf: branches(size) }),
  'anyOf of one property each': (size) => ({ anyOf: branches(size) }),
  'allOf of the same property': (size) => ({ allOf: variants(size) }),
  'anyOf of the same property': (size) => ({ anyOf: variants(size) }),
  'allOf below the root': (size) => ({ properties: { inner: { allOf: branches(size) } } }),
  'anyOf that have many names in common': (size) => {
    const required = many(size / 4, (at) => `p${at}`);
    const properties = object(required.map((name) => [name, {}] as const));
    return { anyOf: many(8, () => ({ properties, required: required.toReversed() })) };
  },
  'anyOf whose branches are allOf of one property each': (size) => ({
    properties: { inner: { anyOf: many(4, () => ({ allOf: many(size, (at) => ({ [`x-${at}`]: at })) })) } },
  }),
  'a chain of references': (size) => links(size, ($ref) => ({ $ref })),
  'a chain of references in properties': (size) => links(size, ($ref) => ({ properties: { next: { $ref } } })),
  'references to one chain': (size) => ({
    ...links(200, ($ref) => ({ $ref })),
    properties: object(many(size, (at) => [`p${at}`, { $ref: '#/$defs/d0' }] as const)),
  }),
  'an enum of many values': (size) => ({ properties: { p: { enum: many(size, (at) => at) } } }),
};

describe.each(Object.entries(dialects))('the dialect %s', (_dialect, convert) => {
  test.each(Object.entries(schemas))('takes work in proportion to %s', { timeout: 120_000 }, (_name, create) => {
    const ratio = growth((size) => {
      const schema = create(size);
      return () => void convert(schema);
    }, 8000);
    expect(ratio).toBeLessThan(LINEAR);
  });

  test('never overflows the stack with a chain of references, and gives what can be printed', () => {
    for (const link of [($ref: string) => ({ $ref }), ($ref: string) => ({ properties: { next: { $ref } } })]) {
      expect(() => JSON.stringify(convert(links(20_000, link)))).not.toThrow();
    }
  });
});

test('a chain of some references is still followed to its end', () => {
  const schema = links(50, ($ref) => ($ref === '#/$defs/d50' ? { type: 'integer' } : { $ref }));
  expect(toOpenapiSchema(schema)).toMatchObject({ properties: { first: { type: 'integer' } } });
});

test('a schema of more levels than the provider takes ends there', () => {
  const nested = (levels: number): JsonObject =>
    levels === 0 ? { type: 'integer' } : { type: 'object', properties: { p: nested(levels - 1) } };
  const levelsOf = (schema: Json | undefined): number => {
    const properties = (schema as JsonObject | undefined)?.['properties'] as JsonObject | undefined;
    return properties === undefined ? 1 : 1 + levelsOf(properties['p']);
  };
  expect(levelsOf(toMfjsSchema(nested(20)))).toBe(21);
  expect(levelsOf(toMfjsSchema(nested(200)))).toBe(31);
});
