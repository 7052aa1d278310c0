import { isObject, type JsonObject } from '../../core/json.ts';

/** The request with the user's or preset's own fields laid over it: objects are merged, all else is replaced. */
export function mergeBody<Body extends JsonObject>(body: Body, fields: JsonObject): Body {
  return { ...mergeObjects(body, fields), model: body['model'], messages: body['messages'] } as unknown as Body;
}

function mergeObjects(base: JsonObject, over: JsonObject): JsonObject {
  const merged = Object.entries(over).map(([key, value]) => {
    const below = Object.hasOwn(base, key) ? base[key] : undefined;
    return [key, isObject(below) && isObject(value) ? mergeObjects(below, value) : value] as const;
  });
  return { ...base, ...Object.fromEntries(merged) };
}
