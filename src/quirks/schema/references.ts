import { isObject, type Json, type JsonObject } from '../../core/json.ts';
import { mapSubschemas, omitKeywords } from './walk.ts';

/** Schemas after which no more references are followed: they can multiply each other. */
const SCHEMAS_MAX = 10_000;

const DEFINITIONS = new Set(['$defs', 'definitions']);
const REFERENCE = new Set(['$ref']);

/**
 * A copy in which each local `$ref` is replaced by what it points to. A reference to itself, to nothing or one too many
 * becomes a schema that allows anything, with what stands beside the reference kept.
 */
export function inlineReferences(root: JsonObject): JsonObject {
  let count = 0;
  const inline = (schema: JsonObject, path: readonly string[]): JsonObject => {
    count += 1;
    const reference = schema['$ref'];
    if (typeof reference !== 'string') return mapSubschemas(schema, (child) => inline(child, path));
    const beside = inline(omitKeywords(schema, REFERENCE), path);
    const target = path.includes(reference) || count > SCHEMAS_MAX ? undefined : resolvePointer(root, reference);
    if (target === undefined) return beside;
    return { ...omitKeywords(inline(target, [...path, reference]), DEFINITIONS), ...beside };
  };
  return omitKeywords(inline(omitKeywords(root, DEFINITIONS), []), DEFINITIONS);
}

/** The schema at a local JSON pointer such as `#/$defs/node`. */
export function resolvePointer(root: JsonObject, reference: string): JsonObject | undefined {
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
