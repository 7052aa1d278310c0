import { isObject, type Json, type JsonObject } from '../../core/json.ts';
import { resolvePointer } from './references.ts';
import { omitKeywords } from './walk.ts';

const ALL_OF = new Set(['allOf']);
const COMBINERS = ['anyOf', 'oneOf', 'allOf'];
/** What an object of arguments cannot be told by: refused at the root. */
const NOT_AT_ROOT = new Set([...COMBINERS, '$ref', 'enum', 'const', 'not']);

/**
 * The schema with a root anyOf, oneOf, allOf or reference merged into one object (R137): all properties together, required
 * what each alternative requires. Inner combinations stay.
 */
export function mergeRoot(root: JsonObject): JsonObject {
  const target = typeof root['$ref'] === 'string' ? resolvePointer(root, root['$ref']) : undefined;
  const schema = { ...target, ...root };
  let merged = omitKeywords(schema, NOT_AT_ROOT);
  for (const combiner of COMBINERS) {
    const branches = schema[combiner];
    if (!Array.isArray(branches)) continue;
    const objects = branches.map((branch) => resolveBranch(branch, schema)).filter((branch) => branch !== undefined);
    if (objects.length === 0) continue;
    merged = mergeBranches(merged, objects, combiner === 'allOf');
  }
  return merged;
}

/** The schema with what its allOf says merged into it; the schema's own words win. */
export function mergeAllOf(schema: JsonObject): JsonObject {
  if (!Array.isArray(schema['allOf'])) return schema;
  const branches = schema['allOf'].filter(isObject).map(mergeAllOf);
  const own = omitKeywords(schema, ALL_OF);
  const merged = Object.fromEntries([...branches, own].flatMap(Object.entries<Json | undefined>));
  const records = branches.filter((branch) => isObject(branch['properties']) || Array.isArray(branch['required']));
  return records.length === 0 ? merged : { ...merged, ...mergeBranches(own, records, true) };
}

function resolveBranch(branch: Json, root: JsonObject): JsonObject | undefined {
  if (!isObject(branch)) return undefined;
  const reference = branch['$ref'];
  const target = typeof reference === 'string' ? resolvePointer(root, reference) : branch;
  return target !== undefined && isObject(target['properties']) ? target : undefined;
}

function mergeBranches(base: JsonObject, branches: readonly JsonObject[], needsAll: boolean): JsonObject {
  const properties = new Map<string, Json[]>();
  for (const source of [base, ...branches]) {
    if (!isObject(source['properties'])) continue;
    for (const [name, schema] of Object.entries(source['properties'])) {
      const known = properties.get(name) ?? [];
      const text = JSON.stringify(schema);
      if (schema !== undefined && !known.some((other) => JSON.stringify(other) === text)) {
        properties.set(name, [...known, schema]);
      }
    }
  }
  const lists = branches.map(requiredNames);
  const common = (lists[0] ?? []).filter((name) => lists.every((list) => list.includes(name)));
  const required = new Set([...requiredNames(base), ...(needsAll ? lists.flat() : common)]);
  return {
    ...base,
    properties: Object.fromEntries([...properties].map(([name, schemas]) => [name, joinSchemas(schemas)])),
    ...(required.size > 0 ? { required: [...required] } : {}),
  };
}

function joinSchemas(schemas: Json[]): Json {
  const [only, ...others] = schemas;
  return only !== undefined && others.length === 0 ? only : { anyOf: schemas };
}

function requiredNames(schema: JsonObject): string[] {
  return Array.isArray(schema['required']) ? schema['required'].filter((name) => typeof name === 'string') : [];
}
