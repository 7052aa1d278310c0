import { isObject, type JsonObject } from '../../core/json.ts';
import { mapEntries, mapSubschemas } from './walk.ts';

const ANNOTATIONS = new Set(['$schema', '$id', '$comment']);

/** What every provider needs of every schema (R137): objects with properties, lists with items, no identifiers. */
function completeSchema(schema: JsonObject): JsonObject {
  const completed = mapEntries(mapSubschemas(schema, completeSchema), (value, keyword) => {
    if (ANNOTATIONS.has(keyword)) return undefined;
    if (keyword === 'properties' && !isObject(value)) return {};
    return keyword === 'items' && value === null ? {} : value;
  });
  const lacksProperties = hasType(schema, 'object') && completed['properties'] === undefined;
  const lacksItems = hasType(schema, 'array') && completed['items'] === undefined;
  return { ...completed, ...(lacksProperties ? { properties: {} } : {}), ...(lacksItems ? { items: {} } : {}) };
}

/** The schema of a tool's arguments is an object, whatever the client wrote (R137). */
export function completeRoot(schema: JsonObject): JsonObject {
  return completeSchema({ ...schema, type: 'object' });
}

function hasType(schema: JsonObject, type: string): boolean {
  const given = schema['type'];
  return given === type || (Array.isArray(given) && given.includes(type));
}
