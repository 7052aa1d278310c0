import { isObject, type JsonObject } from '../../core/json.ts';

/** The text of a string, a `{text}` object, or a list of such; '' for anything else (R213). */
export function readText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(readText).join('');
  return isObject(value) ? readText(value['text'] ?? value['content'] ?? value['summary']) : '';
}

/**
 * Reasoning of a delta or message: the first field that has any, never two added up, as some send the same text twice
 * (R210).
 */
export function readReasoning(body: JsonObject): string {
  return (
    readText(body['reasoning_content']) ||
    readText(body['reasoning']) ||
    readText(body['reasoning_details']) ||
    readText(body['thinking'])
  );
}
