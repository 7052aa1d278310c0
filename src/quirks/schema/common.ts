import { isExactNumber, isObject, type Json, type JsonObject } from '../../core/json.ts';

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

type SchemaRepair = (schema: JsonObject) => JsonObject;

/**
 * A copy of the schema in which each schema directly below is repaired. Data under keywords such as `enum` and `default`
 * stays as it is, as do properties that happen to be called like a keyword. Weird values stay, too.
 */
function mapSubschemas(schema: JsonObject, repair: SchemaRepair): JsonObject {
  const below = (value: Json | undefined): Json => (isObject(value) ? repair(value) : (value ?? null));
  const mapped = { ...schema };
  for (const [keyword, value] of Object.entries(schema)) {
    if (Array.isArray(value) && LISTS.has(keyword)) mapped[keyword] = value.map(below);
    else if (isObject(value) && MAPS.has(keyword)) mapped[keyword] = mapEntries(value, below);
    else if (isObject(value) && SINGLES.has(keyword)) mapped[keyword] = repair(value);
  }
  return mapped;
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
function omitKeywords(schema: JsonObject, keywords: ReadonlySet<string>): JsonObject {
  const rest = { ...schema };
  for (const keyword of keywords) delete rest[keyword];
  return rest;
}

/** Schemas after which no more references are followed, and levels below which none is: they can multiply each other. */
const SCHEMAS_MAX = 10_000;
const LEVELS_MAX = 128;

const DEFINITIONS = new Set(['$defs', 'definitions']);
const REFERENCE = new Set(['$ref']);

/**
 * A copy in which each local `$ref` is replaced by what it points to. A reference to itself, to nothing or one too many
 * becomes a schema that allows anything, with what stands beside the reference kept.
 */
export function inlineReferences(root: JsonObject): JsonObject {
  let count = 0;
  /** References that are being followed. */
  const open = new Set<string>();
  const inline = (schema: JsonObject, level: number): JsonObject => {
    count += 1;
    const reference = schema['$ref'];
    if (typeof reference !== 'string') return mapSubschemas(schema, (child) => inline(child, level + 1));
    const beside = inline(omitKeywords(schema, REFERENCE), level);
    const isTooMuch = count > SCHEMAS_MAX || level > LEVELS_MAX;
    const target = isTooMuch || open.has(reference) ? undefined : resolvePointer(root, reference);
    if (target === undefined) return beside;
    open.add(reference);
    const inlined = inline(target, level + 1);
    open.delete(reference);
    return { ...omitKeywords(inlined, DEFINITIONS), ...beside };
  };
  return omitKeywords(inline(omitKeywords(root, DEFINITIONS), 0), DEFINITIONS);
}

/** The schema at a local JSON pointer such as `#/$defs/node`. */
function resolvePointer(root: JsonObject, reference: string): JsonObject | undefined {
  if (!reference.startsWith('#')) return undefined;
  let place: Json | undefined = root;
  for (const step of reference.slice(1).split('/').slice(1)) {
    const key = decodeStep(step);
    if (Array.isArray(place)) place = place[Number(key)];
    else place = isObject(place) && Object.hasOwn(place, key) ? place[key] : undefined;
  }
  return isObject(place) ? place : undefined;
}

function decodeStep(step: string): string {
  const unescaped = step.replaceAll('~1', '/').replaceAll('~0', '~');
  try {
    return decodeURIComponent(unescaped);
  } catch {
    return unescaped;
  }
}

const ALL_OF = new Set(['allOf']);
const COMBINERS = ['anyOf', 'oneOf', 'allOf'];
/** What cannot describe an object of arguments: refused at the root. */
const NOT_AT_ROOT = new Set([...COMBINERS, '$ref', 'enum', 'const', 'not']);

/**
 * The schema with a root anyOf, oneOf, allOf or reference merged into one object: all properties together, required
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
  /** The different schemas of each property, by their text. */
  const properties = new Map<string, Map<string, Json>>();
  for (const source of [base, ...branches]) {
    if (!isObject(source['properties'])) continue;
    for (const [name, schema] of Object.entries(source['properties'])) {
      if (schema === undefined) continue;
      const known = properties.get(name) ?? new Map<string, Json>();
      const text = JSON.stringify(schema);
      if (!known.has(text)) known.set(text, schema);
      properties.set(name, known);
    }
  }
  const lists = branches.map(requiredNames);
  const required = new Set([...requiredNames(base), ...(needsAll ? lists.flat() : commonNames(lists))]);
  return {
    ...base,
    properties: Object.fromEntries(
      [...properties].map(([name, schemas]) => [name, joinSchemas([...schemas.values()])]),
    ),
    ...(required.size > 0 ? { required: [...required] } : {}),
  };
}

/** The names that are in each of the lists, in the order of the first. */
function commonNames(lists: readonly (readonly string[])[]): string[] {
  const counts = new Map<string, number>();
  for (const list of lists) {
    for (const name of new Set(list)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return (lists[0] ?? []).filter((name) => counts.get(name) === lists.length);
}

function joinSchemas(schemas: Json[]): Json {
  const [only, ...others] = schemas;
  return only !== undefined && others.length === 0 ? only : { anyOf: schemas };
}

function requiredNames(schema: JsonObject): string[] {
  return Array.isArray(schema['required']) ? schema['required'].filter((name) => typeof name === 'string') : [];
}

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

/** The type that a schema without one must mean; a string when nothing shows it. */
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
  if (isExactNumber(value)) return 'integer';
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

const ANNOTATIONS = new Set(['$schema', '$id', '$comment']);

/** What every provider needs of every schema: objects with properties, lists with items, no identifiers. */
function completeSchema(schema: JsonObject): JsonObject {
  const completed = mapSubschemas(schema, completeSchema);
  for (const keyword of ANNOTATIONS) delete completed[keyword];
  const { properties, items } = completed;
  const lacksProperties = properties === undefined ? hasType(schema, 'object') : !isObject(properties);
  if (lacksProperties) completed['properties'] = {};
  if (items === null || (items === undefined && hasType(schema, 'array'))) completed['items'] = {};
  return completed;
}

/** The schema of a tool's arguments is an object, whatever the client wrote. */
export function completeRoot(schema: JsonObject): JsonObject {
  return completeSchema({ ...schema, type: 'object' });
}

function hasType(schema: JsonObject, type: string): boolean {
  const given = schema['type'];
  return given === type || (Array.isArray(given) && given.includes(type));
}

/** Letters that Python's `re` knows behind a backslash. */
const PYTHON_ESCAPES = new Set('AbBdDsSwWZafnrtvxuUN');

/**
 * Whether Python's `re` compiles a pattern, as some servers do with each that they are sent: it lacks classes of Unicode (`\p{L}`),
 * names of groups in the style of JavaScript, `\u{...}` and empty classes (`[^]`). Other differences are rare in schemas.
 */
function compilesInPython(pattern: string): boolean {
  for (let at = 0; at < pattern.length; at += 1) {
    const rest = pattern.slice(at, at + 6);
    if (pattern[at] === '\\') {
      const letter = pattern[at + 1] ?? '';
      if (/[A-Za-z]/.test(letter) && !PYTHON_ESCAPES.has(letter)) return false;
      if (letter === 'u' && !/^\\u[\da-f]{4}/i.test(rest)) return false;
      if (letter === 'x' && !/^\\x[\da-f]{2}/i.test(rest)) return false;
      at += 1;
    } else if (/^\[\^?\]|^\(\?<[^=!]/.test(rest)) return false;
  }
  return true;
}

/** The schema without the patterns that cannot be compiled: one of them has the whole request refused. */
function dropPatterns(schema: JsonObject): JsonObject {
  const kept = mapSubschemas(schema, dropPatterns);
  const { pattern, patternProperties } = kept;
  if (typeof pattern === 'string' && !compilesInPython(pattern)) delete kept['pattern'];
  if (isObject(patternProperties)) {
    kept['patternProperties'] = mapEntries(patternProperties, (child, name) =>
      compilesInPython(name) ? child : undefined,
    );
  }
  return kept;
}

/** A tool's schema for OpenAI and most others: complete, with one object at the root and patterns that compile, else untouched. */
export function toOpenaiSchema(schema: JsonObject): JsonObject {
  return dropPatterns(completeRoot(mergeRoot(schema)));
}
