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
} from './common.ts';

const STRING_FORMATS: ReadonlySet<unknown> = new Set(['enum', 'date-time']);

/** Keywords that the dialect lacks; what they say goes into the description. */
const CONSTRAINTS = [
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'pattern',
  'default',
];

/** A tool's schema in the dialect that knows few keywords and refuses the whole request for one of the others. */
export function toOpenapiSchema(schema: JsonObject): JsonObject {
  return convert(completeRoot(mergeRoot(inlineReferences(schema))));
}

function convert(given: JsonObject): JsonObject {
  const schema = mergeAllOf(given);
  const types = namedTypes(schema);
  const alternatives = alternativesOf(schema);
  const branches = alternatives
    .filter((branch) => !isNull(branch))
    .map((branch) => (schema['type'] === undefined ? branch : { type: schema['type'], ...branch }));
  const values = allowedValues(schema);
  const isNullable =
    schema['nullable'] === true ||
    types.includes('null') ||
    branches.length < alternatives.length ||
    values?.includes(null) === true;
  const outer: JsonObject = { ...describe(schema, values), ...(isNullable ? { nullable: true } : {}) };
  const [only, ...others] = branches;
  if (only !== undefined && others.length === 0) return { ...convert(only), ...outer };
  if (only !== undefined) return { ...outer, anyOf: branches.map(convert) };
  const [type, ...more] = types.filter((name) => name !== 'null');
  if (type !== undefined && more.length > 0) {
    return { ...outer, anyOf: [type, ...more].map((name) => plain({ ...schema, type: name }, name)) };
  }
  return {
    ...plain(schema, type ?? inferType({ ...schema, ...(values === undefined ? {} : { enum: values }) })),
    ...outer,
  };
}

/** A schema of exactly one type, without its description. */
function plain(schema: JsonObject, wanted: string): JsonObject {
  // An empty text in the list is refused; the description says that it is meant.
  const strings = allowedValues(schema)?.filter((value) => value !== null && value !== '') ?? [];
  const isChoice = strings.length > 0 && strings.every((value) => typeof value === 'string');
  const type = isChoice || wanted === 'null' ? 'string' : wanted;
  if (type === 'array') return { type, items: convert(itemsOf(schema)) };
  if (type === 'object') {
    const properties = isObject(schema['properties']) ? schema['properties'] : {};
    const required = requiredProperties(schema);
    return {
      type,
      properties: mapEntries(properties, (property) => convert(isObject(property) ? property : {})),
      ...(required.length > 0 ? { required } : {}),
    };
  }
  if (type !== 'string') return { type };
  return {
    type,
    ...(STRING_FORMATS.has(schema['format']) ? { format: schema['format'] } : {}),
    ...(isChoice ? { enum: strings } : {}),
  };
}

function isNull(schema: JsonObject): boolean {
  return schema['type'] === 'null' || schema['const'] === null;
}

/** The description, with the constraints that cannot be said otherwise. */
function describe(schema: JsonObject, values: Json[] | undefined): JsonObject {
  const facts = CONSTRAINTS.flatMap((keyword) => {
    const value = schema[keyword];
    return isTelling(value) ? [`${keyword}: ${value}`] : [];
  });
  const isList = values?.some((value) => value !== null && typeof value !== 'string') ?? false;
  if (isList) facts.push(`one of: ${values?.map((value) => JSON.stringify(value)).join(', ')}`);
  if (values?.includes('')) facts.push('may be empty');
  const words = [
    ...(typeof schema['description'] === 'string' ? [schema['description']] : []),
    ...(facts.length > 0 ? [`(${facts.join('; ')})`] : []),
  ];
  return words.length > 0 ? { description: words.join(' ') } : {};
}

/** Bounds at the edge of what numbers can express are written by generators and say nothing to the model. */
function isTelling(value: Json | undefined): boolean {
  if (typeof value === 'number') return Math.abs(value) < Number.MAX_SAFE_INTEGER;
  return (typeof value === 'string' && value !== '') || typeof value === 'boolean';
}
