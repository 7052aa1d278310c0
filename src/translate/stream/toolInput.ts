import { type JsonObject, parseObject } from '../../core/json.ts';

/**
 * The input of a tool_use block out of its arguments text. Text that is no JSON object is handed on under the name that
 * Claude Code itself gives to such text when it comes in a stream (`__unparsedToolInput`, seen in 2.1.328), so that it
 * tells the model about the mistake in both modes alike; an empty input would look like missing parameters (R207).
 */
export function parseToolInput(text: string): JsonObject {
  if (text === '') return {};
  return parseObject(text) ?? { __unparsedToolInput: { raw: text, len: text.length } };
}
