import { asString, isObject, type JsonObject, replaceLoneSurrogatesOnce } from '../../core/json.ts';
import { type MessagesRequest, type RequestMessage, removeAttribution } from '../../protocol/anthropic/request.ts';
import type { ChatContentPart, ChatMessage } from '../../protocol/openai/types.ts';
import type { QuirkSettings } from '../../quirks/settings.ts';
import type { Checkpoint } from '../conversationCache.ts';
import { translateAssistant } from './assistant.ts';
import { describeOrphan, textPart, translateBlock, translateContent, translateResult } from './content.ts';
import type { Context } from './context.ts';

/** Builds the provider's message list from front to back; what an answer has followed never changes. */
export class Conversation {
  readonly #textArrays: boolean;
  readonly #messages: ChatMessage[];
  readonly #wellFormed: WeakSet<object>;
  /** Content of the last message, a user's or a tool's, as long as it may grow. */
  #open: ChatContentPart[] | undefined;

  /**
   * @param written complete messages that it begins with
   * @param wellFormed values that are known to hold no lone surrogate; what is written joins them
   */
  constructor(content: QuirkSettings['content'], written: readonly ChatMessage[], wellFormed: WeakSet<object>) {
    this.#textArrays = content === 'parts';
    this.#messages = [...written];
    this.#wellFormed = wellFormed;
  }

  /** Messages so far. */
  get size(): number {
    return this.#messages.length;
  }

  /** Role of the message that may grow; undefined after an answer, a system message and at the start. */
  get openRole(): ChatMessage['role'] | undefined {
    return this.#open === undefined ? undefined : this.lastRole;
  }

  get lastRole(): ChatMessage['role'] | undefined {
    return this.#messages.at(-1)?.role;
  }

  /** Adds a message that is complete. */
  add(message: ChatMessage): void {
    this.#close();
    this.#messages.push(replaceLoneSurrogatesOnce(message, this.#wellFormed));
  }

  /** Adds what the user says: to the message that is open when that is the user's, as many chat templates want roles to alternate. */
  addUser(parts: readonly ChatContentPart[]): void {
    if (this.#open === undefined || this.lastRole !== 'user') this.start({ role: 'user' }, parts);
    else for (const part of parts) this.#open.push(part);
  }

  /** Appends to the open message; says whether there was one. */
  append(part: ChatContentPart): boolean {
    this.#open?.push(part);
    return this.#open !== undefined;
  }

  /** Begins a message that may grow. */
  start(head: ChatMessage, parts: readonly ChatContentPart[]): void {
    this.#close();
    this.#messages.push(head);
    this.#open = [...parts];
  }

  finish(): ChatMessage[] {
    this.#close();
    return this.#messages;
  }

  /** The open message, if there is one, is complete. */
  #close(): void {
    const head = this.#messages.at(-1);
    const parts = this.#open;
    if (head === undefined || parts === undefined) return;
    this.#open = undefined;
    const isTool = head.role === 'tool';
    const isJoined = isTool || parts.length === 1 || !this.#textArrays;
    const content = isJoined ? joinTexts(parts, isTool ? '\n\n' : '\n') : parts;
    this.#messages[this.#messages.length - 1] = replaceLoneSurrogatesOnce({ ...head, content }, this.#wellFormed);
  }
}

/** Plain texts as one string; parts stay parts as soon as one of them is more than text. */
export function joinTexts(parts: ChatContentPart[], separator: string): string | ChatContentPart[] {
  const texts: string[] = [];
  for (const part of parts) {
    if (part.type !== 'text' || part['cache_control'] !== undefined) return parts;
    texts.push(part.text);
  }
  return texts.join(separator);
}

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
  const { settings, notes, cache } = context;
  const earlier = cache.reuseMessages(messages, context);
  const conversation = new Conversation(settings.content, earlier?.written ?? [], cache.wellFormed);
  const checkpoints: Checkpoint[] = [...(earlier?.checkpoints ?? [])];
  const notesBefore = notes.size;
  for (const note of earlier?.notes ?? []) notes.add(note);
  let calls = earlier?.calls ?? 0;
  for (let index = earlier?.index ?? leading; index < messages.length; index += 1) {
    const message = messages[index];
    if (message === undefined) break;
    if (isSystem(message)) placeSystemMessage(message, conversation, context);
    else if (message.role === 'assistant') {
      const noted = [...notes].slice(notesBefore);
      const answer = translateAssistant(message, context);
      // An answer that leaves nothing to send closes nothing.
      if (answer === undefined) continue;
      checkpoints.push({ index, size: conversation.size, calls, notes: noted });
      conversation.add(answer);
      calls += addResults(message, conversation, context);
    } else addUser(message, conversation, context);
  }
  const written = conversation.finish();
  cache.storeMessages({ basis: context, messages, checkpoints, written });
  return written;
}

/** The results of the message's calls right behind it, in the order of the calls, and then what they showed. @returns how many calls it has */
function addResults(message: RequestMessage, conversation: Conversation, context: Context): number {
  const media: ChatContentPart[] = [];
  let calls = 0;
  for (const call of typeof message.content === 'string' ? [] : message.content) {
    if (call.type !== 'tool_use') continue;
    calls += 1;
    const result = translateResult(call, context);
    const id = context.toolIds.get(call) ?? '';
    const name = context.toolNames.toProvider(String(call['name']));
    conversation.start(
      { role: 'tool', tool_call_id: id, ...(context.settings.toolResultName ? { name } : {}) },
      result.parts,
    );
    for (const part of result.media) media.push(part);
  }
  if (media.length > 0) conversation.addUser(media);
  return calls;
}

/** What the user says beside tool results; the results themselves already stand behind their calls. */
function addUser(message: RequestMessage, conversation: Conversation, context: Context): void {
  const parts = userParts(message, context);
  const { openRole } = conversation;
  if (parts.length === 0) {
    // An empty message that keeps two answers apart must not vanish.
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

function areTexts(parts: readonly ChatContentPart[]): boolean {
  return parts.every((part) => part.type === 'text');
}

/** All system texts as one message at the front, or none. */
function systemMessage(
  request: MessagesRequest,
  hoisted: readonly RequestMessage[],
  instruction: string | undefined,
  context: Context,
): ChatMessage | undefined {
  const parts = systemParts(request['system'], context.breakpoints);
  for (const text of [...hoisted.map(systemMessageText), instruction ?? '']) {
    if (text !== '') parts.push(textPart(text));
  }
  if (parts.length === 0) return undefined;
  return { role: context.settings.systemRole, content: joinTexts(parts, '\n\n') };
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
function countLeadingSystem(messages: readonly RequestMessage[]): number {
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
export function placeSystemMessage(message: RequestMessage, conversation: Conversation, { settings }: Context): void {
  const text = systemMessageText(message);
  if (text === '') return;
  if (settings.inlineSystem === 'fold') {
    const reminder = textPart(`<system-reminder>\n${text}\n</system-reminder>`);
    if (!conversation.append(reminder)) conversation.addUser([reminder]);
  } else if (settings.inlineSystem !== 'hoist') {
    conversation.add({ role: settings.inlineSystem, content: text });
  }
}

/** The effort that the last system message with one sets for the turns after it. */
export function effortOfSystemMessages(request: MessagesRequest): string | undefined {
  const efforts = request.messages
    .filter(isSystem)
    .map((message) => (isObject(message['output_config']) ? asString(message['output_config']['effort']) : undefined));
  return efforts.findLast((effort) => effort !== undefined);
}

const CONTINUE = 'Continue from where the last message stops.';

/** Treats a conversation that ends with the assistant as the provider wants it. */
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
