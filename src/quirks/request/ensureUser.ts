import type { ChatMessage, ChatRequest } from '../../protocol/openai/types.ts';

const STAND_IN: ChatMessage = { role: 'user', content: '(no content)' };

/** Gives a conversation without a user message one behind the system prompt, for servers that refuse it otherwise. */
export function ensureUser(body: ChatRequest): ChatRequest {
  if (body.messages.some((message) => message.role === 'user')) return body;
  const start = body.messages.findIndex((message) => message.role !== 'system' && message.role !== 'developer');
  const messages = body.messages.toSpliced(start < 0 ? body.messages.length : start, 0, STAND_IN);
  return { ...body, messages };
}
