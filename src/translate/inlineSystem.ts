import { asString, isObject } from '../core/json.ts';
import type { MessagesRequest, RequestMessage } from '../protocol/anthropic/request.ts';
import type { Context } from './context.ts';
import type { Conversation } from './conversation.ts';
import { textPart } from './media.ts';
import { systemParts } from './systemPrompt.ts';

export function isSystem(message: RequestMessage): boolean {
  return message.role === 'system' || message.role === 'developer';
}

/** The text of a system message inside the conversation; blocks other than text are dropped (R112, R115). */
export function inlineText(message: RequestMessage): string {
  return systemParts(message.content, new Set())
    .map((part) => (part.type === 'text' ? part.text : ''))
    .join('\n\n');
}

/** How many messages at the front are system messages, which join the system prompt (R113 a). */
export function countLeadingSystem(messages: readonly RequestMessage[]): number {
  const first = messages.findIndex((message) => !isSystem(message));
  return first < 0 ? messages.length : first;
}

/**
 * Puts a system message into its place (R113): folded into its neighbour it neither rewrites the prompt's head, which would
 * lose the prefix cache, nor stands where chat templates refuse it.
 */
export function placeInline(message: RequestMessage, conversation: Conversation, { settings }: Context): void {
  const text = inlineText(message);
  if (text === '') return;
  if (settings.inlineSystem === 'fold') {
    const reminder = textPart(`<system-reminder>\n${text}\n</system-reminder>`);
    if (!conversation.append(reminder)) conversation.addLoose([reminder]);
  } else if (settings.inlineSystem !== 'hoist') {
    conversation.add({ role: settings.inlineSystem, content: text });
  }
}

/** The effort that the last system message with one sets for the turns after it (R114). */
export function inlineEffort(request: MessagesRequest): string | undefined {
  const efforts = request.messages
    .filter(isSystem)
    .map((message) => (isObject(message['output_config']) ? asString(message['output_config']['effort']) : undefined));
  return efforts.findLast((effort) => effort !== undefined);
}
