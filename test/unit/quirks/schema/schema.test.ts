import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../../../src/core/json.ts';
import { toOpenaiSchema } from '../../../../src/quirks/schema/common.ts';
import { toMfjsSchema } from '../../../../src/quirks/schema/mfjs.ts';
import { toOpenapiSchema } from '../../../../src/quirks/schema/openapi.ts';
import { deepFreeze } from '../../translate/deepFreeze.ts';

const dialects = { openai: toOpenaiSchema, gemini: toOpenapiSchema, mfjs: toMfjsSchema };

/** The schema of one property after the repair of a tool's schema that has only this property. */
function repairProperty(repair: (schema: JsonObject) => JsonObject, schema: Json, defs?: JsonObject): Json | undefined {
  const root: JsonObject = {
    type: 'object',
    properties: { p: schema },
    ...(defs === undefined ? {} : { $defs: defs }),
  };
  const { properties } = repair(deepFreeze(root));
  return (properties as JsonObject)['p'];
}

describe('R137 for every provider', () => {
  const object = { type: 'object', properties: {} };
  test.each<[string, JsonObject, JsonObject]>([
    ['an empty schema', {}, object],
    ['a root that is no object', { type: 'string' }, object],
    ['properties null', { type: 'object', properties: null }, object],
    ['identifiers', { $schema: 's', $id: 'i', $comment: 'c', type: 'object', properties: {} }, object],
    [
      'an inner list',
      { ...object, properties: { a: { type: 'array' } } },
      { ...object, properties: { a: { type: 'array', items: {} } } },
    ],
    ['items null', { ...object, properties: { a: { items: null } } }, { ...object, properties: { a: { items: {} } } }],
    [
      'an object in a list in an alternative',
      { ...object, properties: { a: { anyOf: [{ type: 'array', items: { type: ['object', 'null'] } }] } } },
      {
        ...object,
        properties: { a: { anyOf: [{ type: 'array', items: { type: ['object', 'null'], properties: {} } }] } },
      },
    ],
    [
      'all the rest is left alone',
      {
        ...object,
        properties: { $id: { type: 'string', pattern: '^a', const: 'a', default: { $id: 1 }, not: {} } },
        additionalProperties: false,
      },
      {
        ...object,
        properties: { $id: { type: 'string', pattern: '^a', const: 'a', default: { $id: 1 }, not: {} } },
        additionalProperties: false,
      },
    ],
    [
      'a reference at the root',
      { $ref: '#/$defs/d', $defs: { d: { type: 'object', properties: { a: {} } } } },
      { type: 'object', properties: { a: {} }, $defs: { d: { type: 'object', properties: { a: {} } } } },
    ],
    ['what the root cannot be', { ...object, enum: [{}], not: {} }, object],
    ['definitions too', { ...object, $defs: { d: { type: 'object' } } }, { ...object, $defs: { d: object } }],
  ])('%s', (_name, schema, expected) => {
    expect(toOpenaiSchema(deepFreeze(schema))).toEqual(expected);
  });

  const a = { type: 'object', properties: { k: { const: 'a' }, x: { type: 'string' } }, required: ['k', 'x'] };
  const b = { type: 'object', properties: { k: { const: 'b' }, y: { type: 'number' } }, required: ['k'] };
  const merged = { k: { anyOf: [{ const: 'a' }, { const: 'b' }] }, x: { type: 'string' }, y: { type: 'number' } };

  test.each<[string, JsonObject, JsonObject]>([
    ['anyOf requires what all require', { anyOf: [a, b] }, { properties: merged, required: ['k'], type: 'object' }],
    ['oneOf likewise', { oneOf: [a, b] }, { properties: merged, required: ['k'], type: 'object' }],
    [
      'allOf requires what any requires',
      { allOf: [a, b] },
      { properties: merged, required: ['k', 'x'], type: 'object' },
    ],
    [
      'its own properties stay, references are followed',
      { type: 'object', properties: { z: {} }, required: ['z'], anyOf: [{ $ref: '#/$defs/a' }], $defs: { a } },
      { type: 'object', properties: { z: {}, ...a.properties }, required: ['z', 'k', 'x'], $defs: { a } },
    ],
    [
      'alternatives without properties go',
      { type: 'object', properties: { z: {} }, anyOf: [{ required: ['z'] }, 7] },
      { type: 'object', properties: { z: {} } },
    ],
  ])('one object at the root: %s', (_name, schema, expected) => {
    expect(toOpenaiSchema(deepFreeze(schema))).toEqual(expected);
  });
});

describe('R138 the dialect that knows few keywords', () => {
  test.each<[string, Json, Json]>([
    ['nullable by type', { type: ['string', 'null'] }, { type: 'string', nullable: true }],
    [
      'nullable by alternative',
      { anyOf: [{ type: 'integer' }, { type: 'null' }], description: 'd' },
      { type: 'integer', description: 'd', nullable: true },
    ],
    ['several types', { type: ['string', 'number'] }, { anyOf: [{ type: 'string' }, { type: 'number' }] }],
    [
      'alternatives',
      { oneOf: [{ type: 'string' }, { type: 'number' }] },
      { anyOf: [{ type: 'string' }, { type: 'number' }] },
    ],
    [
      'alternatives without a type',
      { type: 'number', anyOf: [{ minimum: 1 }, { maximum: 0 }] },
      {
        anyOf: [
          { type: 'number', description: '(minimum: 1)' },
          { type: 'number', description: '(maximum: 0)' },
        ],
      },
    ],
    ['const', { const: 'x' }, { type: 'string', enum: ['x'] }],
    ['enum without a type', { enum: ['x', 'y', null] }, { type: 'string', nullable: true, enum: ['x', 'y'] }],
    ['enum of numbers', { type: 'number', enum: [1, 2.5] }, { type: 'number', description: '(one of: 1, 2.5)' }],
    ['formats', { type: 'string', format: 'date-time' }, { type: 'string', format: 'date-time' }],
    ['formats that are not known', { type: 'string', format: 'uri' }, { type: 'string' }],
    [
      'constraints',
      { type: 'integer', description: 'd', exclusiveMinimum: 0, maximum: 9007199254740991, default: 3 },
      { type: 'integer', description: 'd (exclusiveMinimum: 0; default: 3)' },
    ],
    [
      'what has no place',
      { type: 'string', title: 't', examples: ['e'], not: {}, if: {}, $comment: 'c', deprecated: true },
      { type: 'string' },
    ],
    [
      'free objects',
      { type: 'object', additionalProperties: { type: 'string' }, propertyNames: {}, patternProperties: {} },
      { type: 'object', properties: {} },
    ],
    [
      'required that does not exist',
      { type: 'object', properties: { a: { type: 'string' } }, required: ['a', 'b', 7] },
      { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
    ],
    [
      'tuples',
      { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }] },
      { type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'number' }] } },
    ],
    [
      'allOf',
      {
        allOf: [
          { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
          { properties: { b: { type: 'number' } } },
        ],
      },
      { type: 'object', properties: { a: { type: 'string' }, b: { type: 'number' } }, required: ['a'] },
    ],
    ['no type at all', { description: 'd' }, { type: 'string', description: 'd' }],
    ['only null', { type: 'null' }, { type: 'string', nullable: true }],
    ['a boolean as schema', true, { type: 'string' }],
  ])('%s', (_name, schema, expected) => {
    expect(repairProperty(toOpenapiSchema, schema)).toEqual(expected);
  });

  test('references are inlined', () => {
    const defs = { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' }, v: { type: 'string' } } } };
    expect(repairProperty(toOpenapiSchema, { $ref: '#/$defs/node', description: 'd' }, defs)).toEqual({
      type: 'object',
      description: 'd',
      properties: { next: { type: 'string' }, v: { type: 'string' } },
    });
  });
});

describe('the flavored dialect (providers that validate with walle)', () => {
  test.each<[string, Json, Json]>([
    ['a property without a type', { description: 'd' }, { type: 'string', description: 'd' }],
    ['a type from its enum', { enum: ['a', 'b'] }, { type: 'string', enum: ['a', 'b'] }],
    ['a type from const', { const: 5 }, { type: 'integer', enum: [5] }],
    ['a type against its enum', { type: 'string', enum: [1, 2] }, { type: 'integer', enum: [1, 2] }],
    ['numbers that are whole', { type: 'number', enum: [1, 2] }, { type: 'number', enum: [1, 2] }],
    [
      'an enum of two types',
      { enum: ['a', 1, null] },
      { anyOf: [{ type: 'string', enum: ['a'] }, { type: 'integer', enum: [1] }, { type: 'null' }] },
    ],
    [
      'a type beside anyOf',
      { type: 'string', anyOf: [{ minLength: 1 }, { type: 'null' }], description: 'd' },
      { description: 'd', anyOf: [{ type: 'string', minLength: 1 }, { type: 'null' }] },
    ],
    [
      'oneOf',
      { oneOf: [{ type: 'string' }, { type: 'number', minimum: 1 }] },
      { anyOf: [{ type: 'string' }, { type: 'number', minimum: 1 }] },
    ],
    [
      'several types',
      { type: ['string', 'null'], maxLength: 3 },
      { anyOf: [{ type: 'string', maxLength: 3 }, { type: 'null' }] },
    ],
    ['a type that does not exist', { type: 'constructor' }, { type: 'string' }],
    ['tuples', { type: 'array', items: [{ type: 'string' }] }, { type: 'array', items: { type: 'string' } }],
    ['lists without items', { type: 'array', minItems: 1 }, { type: 'array', minItems: 1, items: { type: 'string' } }],
    [
      'records',
      { additionalProperties: { enum: ['x'] } },
      { type: 'object', properties: {}, additionalProperties: { type: 'string', enum: ['x'] } },
    ],
    [
      'closed objects',
      { type: 'object', additionalProperties: false, required: ['gone'] },
      { type: 'object', properties: {}, additionalProperties: false },
    ],
    [
      'keywords that it lacks',
      { type: 'string', pattern: 'a', format: 'uri', title: 't', default: 'x', examples: [1] },
      { type: 'string', title: 't', default: 'x' },
    ],
    ['a reference to nothing', { $ref: '#/$defs/none', description: 'd' }, { type: 'string', description: 'd' }],
    ['a reference elsewhere', { $ref: 'https://x/y' }, { type: 'string' }],
  ])('%s', (_name, schema, expected) => {
    expect(repairProperty(toMfjsSchema, schema)).toEqual(expected);
  });

  test('local references are inlined, also by pointers with escapes', () => {
    const defs = { 'a/b': { enum: ['x'] } };
    expect(repairProperty(toMfjsSchema, { $ref: '#/$defs/a~1b' }, defs)).toEqual({ type: 'string', enum: ['x'] });
    expect(repairProperty(toMfjsSchema, { $ref: '#/$defs/a%2Fb' }, { 'a/b': {} })).toEqual({ type: 'string' });
  });
});

describe('every dialect', () => {
  const keywords = [
    'type',
    'properties',
    'items',
    'anyOf',
    'allOf',
    'oneOf',
    '$ref',
    '$defs',
    'enum',
    'const',
    'required',
    'additionalProperties',
    'prefixItems',
    '__proto__',
  ];
  const { schema: weird } = fc.letrec<{ schema: Json }>((tie) => ({
    schema: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom<Json>(null, true, 7, 'object', 'string', 'constructor', '#', '#/properties', '#/$defs/type', []),
      fc.array(tie('schema'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...keywords), tie('schema'), { maxKeys: 5 }).map((entries) => ({ ...entries })),
    ),
  }));

  test.each(Object.entries(dialects))('%s never throws, and its result has an object at the root', (_name, repair) => {
    fc.assert(
      fc.property(weird, (schema) => {
        const root =
          typeof schema === 'object' && schema !== null && !Array.isArray(schema) ? schema : { anyOf: [schema] };
        const repaired = repair(deepFreeze(root));
        expect(repaired['type']).toBe('object');
        expect(repaired['properties']).toBeTypeOf('object');
      }),
      { numRuns: 2000 },
    );
  });

  test.each(Object.entries(dialects))('%s follows references that multiply each other only so far', (_name, repair) => {
    const $defs: JsonObject = {};
    for (let level = 0; level < 40; level += 1) {
      const next = { $ref: `#/$defs/d${level + 1}` };
      $defs[`d${level}`] = { type: 'object', properties: { a: next, b: next, c: next } };
    }
    const repaired = repair({ type: 'object', properties: { root: { $ref: '#/$defs/d0' } }, $defs });
    expect(JSON.stringify(repaired).length).toBeLessThan(2_000_000);
  });

  test.each(Object.entries(dialects))('%s is stable: the same schema gives the same bytes', (_name, repair) => {
    const schema = { anyOf: [{ properties: { b: { enum: [1, 'x'] } } }, { properties: { a: { $ref: '#' } } }] };
    expect(JSON.stringify(repair(schema))).toBe(JSON.stringify(repair(structuredClone(schema))));
  });
});
