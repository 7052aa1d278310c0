import type { ChatMessage } from '../protocol/openai/types.ts';
import type { QuirkSettings } from '../quirks/settings.ts';

const CONTINUE = 'Continue from where the last message stops.';

/** Treats a conversation that ends with the assistant as the provider wants it (R149). */
export function closePrefill(messages: ChatMessage[], settings: QuirkSettings): ChatMessage[] {
  const last = messages.at(-1);
  if (last?.role !== 'assistant' || typeof last.content !== 'string') return messages;
  const content = last.content.trimEnd();
  const before = messages.slice(0, -1);
  if (content === '') return before;
  const trimmed: ChatMessage = { ...last, content };
  switch (settings.prefill) {
    case 'pass':
      return [...before, trimmed];
    case 'user':
      return [...before, trimmed, { role: 'user', content: CONTINUE }];
    default:
      return [...before, { ...trimmed, [settings.prefill]: true }];
  }
}
