import { asString, isObject, type JsonObject } from '../../core/json.ts';
import { type MessagesRequest, type RequestMessage, removeAttribution } from '../../protocol/anthropic/request.ts';
import type { ChatContentPart } from '../../protocol/openai/types.ts';
import type { Checkpoint } from '../conversationCache.ts';
import { describeOrphan, textPart, translateBlock, translateContent, translateResult } from './content.ts';
import type { Context } from './context.ts';
import { Conversation, type ConversationForm } from './conversation.ts';

/** Few enough that they are translated in less than a millisecond, and enough that the pauses cost nothing. */
const MESSAGES_PER_STEP = 16;

type AnyConversation = Conversation<JsonObject>;

/**
 * All messages from `leading` on in the provider's words, without the system prompt, with pauses; what an earlier request wrote is taken
 * over.
 * @param leading how many messages at the front have joined the system prompt
 */
export function* translateTurns<Item extends JsonObject>(
  messages: readonly RequestMessage[],
  leading: number,
  context: Context,
  form: ConversationForm<Item>,
): Generator<void, Item[]> {
  const { notes, cache } = context;
  const earlier = cache.reuseMessages<Item>(messages, context);
  const conversation = new Conversation(form, earlier?.written ?? [], cache.wellFormed);
  const checkpoints: Checkpoint[] = [...(earlier?.checkpoints ?? [])];
  const notesBefore = notes.size;
  for (const note of earlier?.notes ?? []) notes.add(note);
  let calls = earlier?.calls ?? 0;
  for (let index = earlier?.index ?? leading; index < messages.length; index += 1) {
    const message = messages[index];
    if (message === undefined) break;
    // A message of many blocks is a step of its own.
    if (index % MESSAGES_PER_STEP === 0 || message.content.length > MESSAGES_PER_STEP) yield;
    if (isSystem(message)) placeSystemMessage(message, conversation, context);
    else if (message.role === 'assistant') {
      const noted = [...notes].slice(notesBefore);
      const answer = form.answer(message, context);
      // An answer that leaves nothing to send closes nothing.
      if (answer.length === 0) continue;
      checkpoints.push({ index, size: conversation.size, calls, notes: noted });
      conversation.addAnswer(answer);
      calls += addResults(message, conversation, context);
    } else addUser(message, conversation, context);
  }
  const written = conversation.finish();
  cache.storeMessages({ basis: context, messages, checkpoints, written });
  return written;
}

/** The results of the message's calls right behind it, in the order of the calls, and then what they showed. @returns how many calls it has */
function addResults(message: RequestMessage, conversation: AnyConversation, context: Context): number {
  const media: ChatContentPart[] = [];
  let calls = 0;
  for (const call of typeof message.content === 'string' ? [] : message.content) {
    if (call.type !== 'tool_use') continue;
    calls += 1;
    const result = translateResult(call, context);
    const id = context.toolIds.get(call) ?? '';
    const name = context.toolNames.toProvider(String(call['name']));
    conversation.addResult({ id, name }, result.parts);
    for (const part of result.media) media.push(part);
  }
  if (media.length > 0) conversation.addUser(media);
  return calls;
}

/** What the user says beside tool results; the results themselves already stand behind their calls. */
function addUser(message: RequestMessage, conversation: AnyConversation, context: Context): void {
  const parts = userParts(message, context);
  const { open } = conversation;
  if (parts.length === 0) {
    // An empty message that keeps two answers apart must not vanish.
    const isNeeded = hasResult(message) ? conversation.endsWithAnswer : open === undefined;
    if (isNeeded) conversation.addUser([textPart('(no content)')]);
  } else if (open === 'result' && hasResult(message) && joinsResult(parts, context)) {
    for (const part of parts) conversation.append(part);
  } else {
    conversation.addUser(parts);
  }
}

function userParts({ content }: RequestMessage, context: Context): ChatContentPart[] {
  if (typeof content === 'string') return translateContent(content, context);
  const parts: ChatContentPart[] = [];
  for (const block of content) {
    const isOrphan = context.pairing.orphans.has(block);
    // A result that answers a call stands behind the call.
    if (block.type === 'tool_result' && !isOrphan) continue;
    const added = isOrphan ? describeOrphan(block, context) : translateBlock(block, context);
    for (const part of added) parts.push(part);
  }
  return parts;
}

/** Whether a message answers a call of a tool. */
export function hasResult({ content }: RequestMessage): boolean {
  return typeof content !== 'string' && content.some((block) => block.type === 'tool_result');
}

const REMINDER = '<system-reminder>';

/** Whether what stands beside results is appended to the last of them. */
function joinsResult(parts: readonly ChatContentPart[], { settings }: Context): boolean {
  if (settings.textAfterTools === 'user') return false;
  const isAppended = settings.textAfterTools === 'merge' ? () => true : (text: string) => text.startsWith(REMINDER);
  return parts.every((part) => part.type === 'text' && isAppended(part.text));
}

/**
 * All that becomes the system prompt, as parts.
 * @param joined system messages of the conversation that have joined it
 * @param instruction is appended
 */
export function systemPrompt(
  request: MessagesRequest,
  joined: readonly RequestMessage[],
  instruction: string | undefined,
  { breakpoints }: Context,
): ChatContentPart[] {
  const parts = systemParts(request['system'], breakpoints);
  for (const text of [...joined.map(systemMessageText), instruction ?? '']) {
    if (text !== '') parts.push(textPart(text));
  }
  return parts;
}

/**
 * The texts of a system prompt or inline system message; empty blocks and the attribution line are left out.
 * `marked` names the blocks whose cache breakpoint is kept.
 */
export function systemParts(content: unknown, marked: ReadonlySet<JsonObject>): ChatContentPart[] {
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  if (!Array.isArray(blocks)) return [];
  const parts: ChatContentPart[] = [];
  for (const block of blocks) {
    const text = isObject(block) && block['type'] === 'text' ? removeAttribution(asString(block['text']) ?? '') : '';
    if (text === '') continue;
    parts.push({ type: 'text', text, ...(marked.has(block) ? { cache_control: { type: 'ephemeral' } } : {}) });
  }
  return parts;
}

export function isSystem(message: RequestMessage): boolean {
  return message.role === 'system' || message.role === 'developer';
}

/** The text of a system message inside the conversation; blocks other than text are dropped. */
export function systemMessageText(message: RequestMessage): string {
  return systemParts(message.content, new Set())
    .map((part) => (part.type === 'text' ? part.text : ''))
    .join('\n\n');
}

/** How many messages at the front are system messages, which join the system prompt. */
export function countLeadingSystem(messages: readonly RequestMessage[]): number {
  let count = 0;
  for (const message of messages) {
    if (!isSystem(message)) break;
    count += 1;
  }
  return count;
}

/**
 * Puts a system message into its place: folded into its neighbour it neither rewrites the prompt's head, which would
 * lose the prefix cache, nor stands where chat templates refuse it.
 */
export function placeSystemMessage(
  message: RequestMessage,
  conversation: AnyConversation,
  { settings }: Context,
): void {
  const text = systemMessageText(message);
  if (text === '') return;
  if (settings.inlineSystem === 'fold') {
    const reminder = textPart(`${REMINDER}\n${text}\n</system-reminder>`);
    if (!conversation.append(reminder)) conversation.addUser([reminder]);
  } else if (settings.inlineSystem !== 'hoist') {
    conversation.addSystem(settings.inlineSystem, text);
  }
}

/** The effort that the last system message with one sets for the turns after it. */
export function effortOfSystemMessages(request: MessagesRequest): string | undefined {
  const efforts = request.messages
    .filter(isSystem)
    .map((message) => (isObject(message['output_config']) ? asString(message['output_config']['effort']) : undefined));
  return efforts.findLast((effort) => effort !== undefined);
}
