import { isObject, type Json, type JsonObject } from '../../core/json.ts';

const THINKING: ReadonlySet<unknown> = new Set(['thinking', 'redacted_thinking']);

function lacksThinking(message: Json): message is JsonObject & { content: Json[] } {
  if (!isObject(message) || message['role'] !== 'assistant' || !Array.isArray(message['content'])) return false;
  const types = message['content'].map((block) => (isObject(block) ? block['type'] : undefined));
  return types.includes('tool_use') && !types.some((type) => THINKING.has(type));
}

/**
 * The request with a thinking block before every tool turn that lacks one, where thinking is not turned off: some refuse a tool
 * turn without (R134). The same object when nothing lacks.
 * @param text what stands in for the thoughts that are lost
 */
export function requireThinking(body: JsonObject, text: string): JsonObject {
  const { thinking, messages } = body;
  if ((isObject(thinking) && thinking['type'] === 'disabled') || !Array.isArray(messages)) return body;
  if (!messages.some(lacksThinking)) return body;
  const block = { type: 'thinking', thinking: text, signature: '' };
  return {
    ...body,
    messages: messages.map((message) =>
      lacksThinking(message) ? { ...message, content: [block, ...message.content] } : message,
    ),
  };
}
