import type { ContentBlock, MessagesRequest, RequestMessage } from '../protocol/anthropic/request.ts';
import type { ChatContentPart, ChatMessage } from '../protocol/openai/types.ts';
import { translateAssistant } from './assistant.ts';
import { translateBlock, translateContent } from './content.ts';
import type { Context } from './context.ts';
import { Conversation, joinTexts } from './conversation.ts';
import { type Mark, recallTurns, rememberTurns } from './earlierTurns.ts';
import { countLeadingSystem, inlineText, isSystem, placeInline } from './inlineSystem.ts';
import { textPart } from './media.ts';
import { closePrefill } from './prefill.ts';
import { systemParts } from './systemPrompt.ts';
import { describeOrphan, translateResult } from './toolResults.ts';

/** The whole conversation in the provider's words; `instruction` is appended to the system prompt. */
export function translateMessages(
  request: MessagesRequest,
  context: Context,
  instruction: string | undefined,
): ChatMessage[] {
  const { settings } = context;
  const joined = settings.inlineSystem === 'fold' || settings.inlineSystem === 'hoist';
  const leading = joined ? countLeadingSystem(request.messages) : 0;
  const hoisted =
    settings.inlineSystem === 'hoist' ? request.messages.filter(isSystem) : request.messages.slice(0, leading);
  const system = systemMessage(request, hoisted, instruction, context);
  const written = translateTurns(request.messages, leading, context);
  return closePrefill(system === undefined ? written : [system, ...written], settings);
}

/** All messages but those at the front that have joined the system prompt; what an earlier request wrote is taken over. */
function translateTurns(messages: readonly RequestMessage[], leading: number, context: Context): ChatMessage[] {
  const { settings, notes } = context;
  const earlier = recallTurns(messages, context);
  const conversation = new Conversation(settings.content, earlier?.written ?? []);
  const marks: Mark[] = [...(earlier?.marks ?? [])];
  const notesBefore = notes.size;
  for (const note of earlier?.notes ?? []) notes.add(note);
  let calls = earlier?.calls ?? 0;
  for (let index = earlier?.index ?? leading; index < messages.length; index += 1) {
    const message = messages[index];
    if (message === undefined) break;
    if (isSystem(message)) placeInline(message, conversation, context);
    else if (message.role === 'assistant') {
      marks.push({ index, size: conversation.size, calls, notes: [...notes].slice(notesBefore) });
      calls += callsOf(message).length;
      addAssistant(message, conversation, context);
    } else addUser(message, conversation, context);
  }
  const written = conversation.finish();
  rememberTurns({ context, messages, marks, written });
  return written;
}

/** All system texts as one message at the front, or none (R110). */
function systemMessage(
  request: MessagesRequest,
  hoisted: readonly RequestMessage[],
  instruction: string | undefined,
  context: Context,
): ChatMessage | undefined {
  const added = [...hoisted.map(inlineText), instruction ?? ''].filter((text) => text !== '');
  const parts = [...systemParts(request['system'], context.breakpoints), ...added.map(textPart)];
  if (parts.length === 0) return undefined;
  return { role: context.settings.systemRole, content: joinTexts(parts, '\n\n') };
}

/** The message, its results right behind it, in the order of the calls, and then what they showed (R124, R127). */
function addAssistant(message: RequestMessage, conversation: Conversation, context: Context): void {
  conversation.add(translateAssistant(message, context));
  const media: ChatContentPart[] = [];
  for (const call of callsOf(message)) {
    const result = translateResult(call, context);
    const id = context.toolIds.get(call) ?? '';
    const name = context.toolNames.toProvider(String(call['name']));
    conversation.addTool(
      { role: 'tool', tool_call_id: id, ...(context.settings.toolResultName ? { name } : {}) },
      result.parts,
    );
    media.push(...result.media);
  }
  if (media.length > 0) conversation.addLoose(media);
}

function callsOf(message: RequestMessage): readonly ContentBlock[] {
  return typeof message.content === 'string' ? [] : message.content.filter((block) => block.type === 'tool_use');
}

/** What the user says beside tool results; the results themselves already stand behind their calls. */
function addUser(message: RequestMessage, conversation: Conversation, context: Context): void {
  const parts = userParts(message, context);
  const { openRole } = conversation;
  if (parts.length === 0) {
    // An empty message that keeps two answers apart must not vanish (R120).
    const isNeeded = hasResult(message) ? conversation.lastRole === 'assistant' : openRole === undefined;
    if (isNeeded) conversation.addUser([textPart('(no content)')]);
  } else if (
    context.settings.textAfterTools === 'merge' &&
    hasResult(message) &&
    openRole === 'tool' &&
    areTexts(parts)
  ) {
    for (const part of parts) conversation.append(part);
  } else {
    conversation.addUser(parts);
  }
}

function userParts({ content }: RequestMessage, context: Context): ChatContentPart[] {
  if (typeof content === 'string') return translateContent(content, context);
  return content.flatMap((block) => {
    if (block.type !== 'tool_result') return translateBlock(block, context);
    return context.pairing.orphans.has(block) ? describeOrphan(block, context) : [];
  });
}

function hasResult({ content }: RequestMessage): boolean {
  return typeof content !== 'string' && content.some((block) => block.type === 'tool_result');
}

function areTexts(parts: readonly ChatContentPart[]): boolean {
  return parts.every((part) => part.type === 'text');
}
