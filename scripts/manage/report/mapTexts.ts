import { isObject, type Json, type JsonObject } from '../../../src/core/json.ts';

/** The same object with each text in it, keys included, put through a function. */
export function mapTexts(value: JsonObject, change: (text: string) => string): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, inner = null]) => [change(key), mapValue(inner, change)]));
}

function mapValue(value: Json, change: (text: string) => string): Json {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapValue(item, change));
  return isObject(value) ? mapTexts(value, change) : value;
}
