import { isObject, type Json, type JsonObject } from '../../core/json.ts';

/** Keywords of JSON Schema whose value is a map from names to schemas, a schema, or a list of schemas. */
const MAPS = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']);
const SINGLES = new Set([
  'items',
  'additionalProperties',
  'additionalItems',
  'unevaluatedItems',
  'unevaluatedProperties',
  'propertyNames',
  'contains',
  'not',
  'if',
  'then',
  'else',
]);
const LISTS = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems', 'items']);

export type SchemaRepair = (schema: JsonObject) => JsonObject;

/**
 * A copy of the schema in which each schema directly below is repaired. Data under keywords such as `enum` and `default`
 * stays as it is, as do properties that happen to be called like a keyword. Weird values stay, too.
 */
export function mapSubschemas(schema: JsonObject, repair: SchemaRepair): JsonObject {
  return mapEntries(schema, (value, keyword) => {
    if (Array.isArray(value)) return LISTS.has(keyword) ? value.map((item) => repairSchema(item, repair)) : value;
    if (!isObject(value)) return value;
    if (MAPS.has(keyword)) return mapEntries(value, (child) => repairSchema(child ?? null, repair));
    return SINGLES.has(keyword) ? repair(value) : value;
  });
}

/** A copy whose values went through `change`; entries for which that gives undefined are left out. */
export function mapEntries(
  object: JsonObject,
  change: (value: Json | undefined, key: string) => Json | undefined,
): JsonObject {
  const entries: [string, Json][] = [];
  for (const [key, value] of Object.entries(object)) {
    const changed = change(value, key);
    if (changed !== undefined) entries.push([key, changed]);
  }
  // Not by assignment: a property may be called __proto__.
  return Object.fromEntries(entries);
}

/** The schema without some keywords. */
export function omitKeywords(schema: JsonObject, keywords: ReadonlySet<string>): JsonObject {
  return mapEntries(schema, (value, keyword) => (keywords.has(keyword) ? undefined : value));
}

function repairSchema(value: Json, repair: SchemaRepair): Json {
  return isObject(value) ? repair(value) : value;
}
