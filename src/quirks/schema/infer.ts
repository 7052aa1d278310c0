import { isObject, type Json, type JsonObject } from '../../core/json.ts';

const TYPES: readonly string[] = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'];

/** The types that a schema names; empty when it names none that exist. */
export function namedTypes(schema: JsonObject): string[] {
  const type = schema['type'];
  return TYPES.filter((name) => name === type || (Array.isArray(type) && type.includes(name)));
}

/** The values that a schema allows; `const` is a list of one. */
export function allowedValues(schema: JsonObject): Json[] | undefined {
  if (schema['const'] !== undefined) return [schema['const']];
  return Array.isArray(schema['enum']) && schema['enum'].length > 0 ? schema['enum'] : undefined;
}

/** The alternatives of anyOf and oneOf; a schema with properties of its own needs none of them to be understood. */
export function alternativesOf(schema: JsonObject): JsonObject[] {
  if (isObject(schema['properties'])) return [];
  return ['anyOf', 'oneOf']
    .flatMap((keyword) => (Array.isArray(schema[keyword]) ? schema[keyword] : []))
    .filter(isObject);
}

/** The type that a schema without one must mean; a string when nothing tells. */
export function inferType(schema: JsonObject): string {
  if (isObject(schema['properties']) || schema['additionalProperties'] !== undefined) return 'object';
  if (schema['items'] !== undefined || schema['prefixItems'] !== undefined) return 'array';
  const first = allowedValues(schema)?.[0];
  if (first !== undefined) return typeOfValue(first);
  return typeof schema['minimum'] === 'number' || typeof schema['maximum'] === 'number' ? 'number' : 'string';
}

export function typeOfValue(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

/** The names in `required` that are among the properties. */
export function requiredProperties(schema: JsonObject): string[] {
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  return required.filter((name) => typeof name === 'string').filter((name) => Object.hasOwn(properties, name));
}

/** The schema of a list's items; for a tuple, any of its places. */
export function itemsOf(schema: JsonObject): JsonObject {
  const tuple = [schema['prefixItems'], schema['items']].find((items) => Array.isArray(items));
  if (tuple === undefined) return isObject(schema['items']) ? schema['items'] : {};
  const places = tuple.filter(isObject);
  const [first, ...others] = places;
  return others.length > 0 ? { anyOf: places } : (first ?? {});
}
