import type { JsonObject } from '../../core/json.ts';
import { completeRoot } from './complete.ts';
import { mergeRoot } from './merge.ts';

/** A tool's schema for OpenAI and most others: complete, with one object at the root, else untouched (R137). */
export function toOpenaiSchema(schema: JsonObject): JsonObject {
  return completeRoot(mergeRoot(schema));
}
