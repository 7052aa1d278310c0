import { isObject, type Json, type JsonObject } from '../../core/json.ts';
import {
  allowedValues,
  alternativesOf,
  completeRoot,
  inferType,
  inlineReferences,
  itemsOf,
  mapEntries,
  mergeAllOf,
  mergeRoot,
  namedTypes,
  requiredProperties,
  typeOfValue,
} from './common.ts';

/** Deeper schemas are refused. */
const DEPTH_MAX = 30;

/** Keywords that say something about a value of one type, and those that go with any. */
const KEYWORDS_OF_TYPE: Readonly<Record<string, readonly string[]>> = {
  string: ['minLength', 'maxLength'],
  number: ['minimum', 'maximum'],
  integer: ['minimum', 'maximum'],
  array: ['minItems', 'maxItems'],
};
const ANNOTATIONS = ['title', 'description', 'default'];

/**
 * A tool's schema in the "flavored" JSON Schema of providers that refuse a property without a type, a type beside anyOf or
 * against its enum, tuples and unresolved references; the rules are those of the open validator `walle`.
 */
export function toMfjsSchema(schema: JsonObject): JsonObject {
  return convert(completeRoot(mergeRoot(inlineReferences(schema))), 1);
}

function convert(given: JsonObject, depth: number): JsonObject {
  if (depth > DEPTH_MAX) return { type: 'string' };
  const schema = mergeAllOf(given);
  const annotations = pick(schema, ANNOTATIONS);
  const alternatives = alternativesOf(schema);
  if (alternatives.length > 0) {
    const type = schema['type'];
    return {
      ...annotations,
      anyOf: alternatives.map((branch) => convert({ ...(type === undefined ? {} : { type }), ...branch }, depth + 1)),
    };
  }
  const variants = variantsOf(schema).map(({ type, values }) => plain(schema, type, values, depth));
  const [only, ...others] = variants;
  return only !== undefined && others.length === 0 ? { ...only, ...annotations } : { ...annotations, anyOf: variants };
}

interface Variant {
  readonly type: string;
  readonly values?: Json[];
}

/** One variant for each type that a value can have: the dialect allows one type, and enums of one type. */
function variantsOf(schema: JsonObject): Variant[] {
  const named = namedTypes(schema);
  const values = allowedValues(schema);
  if (values === undefined) return (named.length > 0 ? named : [inferType(schema)]).map((type) => ({ type }));
  const groups = new Map<string, Json[]>();
  for (const value of values) {
    const own = typeOfValue(value);
    const type = own === 'integer' && named.includes('number') ? 'number' : own;
    const members = groups.get(type) ?? [];
    members.push(value);
    groups.set(type, members);
  }
  return [...groups].map(([type, members]) => ({ type, values: members }));
}

/** A schema of exactly one type, without annotations. */
function plain(schema: JsonObject, type: string, values: Json[] | undefined, depth: number): JsonObject {
  const base: JsonObject = {
    type,
    ...(values === undefined || type === 'null' ? {} : { enum: values }),
    ...pick(schema, KEYWORDS_OF_TYPE[type] ?? []),
  };
  const below = (child: JsonObject) => convert(child, depth + 1);
  if (type === 'array') return { ...base, items: below(itemsOf(schema)) };
  if (type !== 'object') return base;
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const required = requiredProperties(schema);
  const others = schema['additionalProperties'];
  return {
    ...base,
    properties: mapEntries(properties, (property) => below(isObject(property) ? property : {})),
    ...(required.length > 0 ? { required } : {}),
    ...(typeof others === 'boolean' ? { additionalProperties: others } : {}),
    ...(isObject(others) ? { additionalProperties: below(others) } : {}),
  };
}

function pick(schema: JsonObject, keywords: readonly string[]): JsonObject {
  const present = keywords.filter((keyword) => schema[keyword] !== undefined);
  return Object.fromEntries(present.map((keyword) => [keyword, schema[keyword]]));
}
