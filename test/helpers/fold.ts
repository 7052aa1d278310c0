import { isObject, type JsonObject, parseObject } from '../../src/core/json.ts';
import { parseEvents } from './eventGrammar.ts';

/** Puts a message together out of its events, as a client does; independent of the code under test. */
export function foldEvents(text: string): JsonObject {
  let message: JsonObject = {};
  const content: JsonObject[] = [];
  let json = '';
  for (const { type, data } of parseEvents(text)) {
    const delta = isObject(data['delta']) ? data['delta'] : {};
    const block = content.at(-1);
    if (type === 'message_start' && isObject(data['message'])) {
      message = { ...data['message'], content };
    } else if (type === 'content_block_start' && isObject(data['content_block'])) {
      content.push({ ...data['content_block'] });
      json = '';
    } else if (type === 'content_block_delta' && block !== undefined) {
      json += String(delta['partial_json'] ?? '');
      for (const key of ['text', 'thinking', 'signature']) {
        if (delta[key] !== undefined) block[key] = String(block[key]) + String(delta[key]);
      }
      if (isObject(delta['citation'])) {
        block['citations'] = [...(Array.isArray(block['citations']) ? block['citations'] : []), delta['citation']];
      }
    } else if (type === 'content_block_stop' && block?.['type'] === 'server_tool_use') {
      block['input'] = parseObject(json) ?? {};
    } else if (type === 'content_block_stop' && block?.['type'] === 'tool_use') {
      // What Claude Code makes of arguments that it cannot parse (R207).
      block['input'] =
        json === '' ? {} : (parseObject(json) ?? { __unparsedToolInput: { raw: json, len: json.length } });
    } else if (type === 'message_delta') {
      message = { ...message, ...delta, usage: data['usage'] };
    }
  }
  return message;
}
