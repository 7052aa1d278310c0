import { isObject, type Json, type JsonObject } from '../../core/json.ts';

/**
 * Brings parsed arguments closer to the tool's own schema (R208): null for an optional property that may not be null
 * goes; "5", "true" and JSON in a string become what the schema asks for. Nothing else: an empty string is often meant.
 * Gives the same object when nothing was to be done.
 */
export function repairBySchema(toolName: string, input: JsonObject, schema: JsonObject): JsonObject {
  const repaired = repairObject(input, schema);
  if (toolName !== 'Read' || repaired['pages'] !== '') return repaired;
  // The client's own tool refuses an empty page range, and models send one for every file.
  const { pages: _, ...rest } = repaired;
  return rest;
}

function repairObject(input: JsonObject, schema: JsonObject): JsonObject {
  const properties = schema['properties'];
  if (!isObject(properties)) return input;
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  let changed = false;
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(input)) {
    const property = properties[key];
    if (value === undefined || !isObject(property)) {
      result[key] = value;
    } else if (value === null && !required.includes(key) && !accepts(property, 'null')) {
      changed = true;
    } else {
      const repaired = repairValue(value, property);
      changed ||= repaired !== value;
      result[key] = repaired;
    }
  }
  return changed ? result : input;
}

function repairValue(value: Json, schema: JsonObject): Json {
  if (isObject(value)) return repairObject(value, schema);
  if (Array.isArray(value)) return repairItems(value, schema);
  if (typeof value !== 'string' || accepts(schema, 'string')) return value;
  if ((accepts(schema, 'number') || accepts(schema, 'integer')) && /^-?\d+(\.\d+)?$/.test(value)) return Number(value);
  const parsed = parse(value);
  if (typeof parsed === 'boolean' && accepts(schema, 'boolean')) return parsed;
  if (Array.isArray(parsed) && accepts(schema, 'array')) return repairItems(parsed, schema);
  if (isObject(parsed) && accepts(schema, 'object')) return repairObject(parsed, schema);
  return value;
}

function repairItems(items: Json[], schema: JsonObject): Json[] {
  const itemSchema = schema['items'];
  if (!isObject(itemSchema)) return items;
  const repaired = items.map((item) => repairValue(item, itemSchema));
  return repaired.some((item, index) => item !== items[index]) ? repaired : items;
}

/** Whether the schema may take a value of this type; one that does not speak of types takes anything. */
function accepts(schema: JsonObject, type: string): boolean {
  if (type === 'null' && schema['nullable'] === true) return true;
  const alternatives = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(alternatives)) return alternatives.some((one) => isObject(one) && accepts(one, type));
  const types = schema['type'];
  if (types === undefined) return true;
  return Array.isArray(types) ? types.includes(type) : types === type;
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
