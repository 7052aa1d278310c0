import { asString, isObject, type Json, type JsonObject, replaceLoneSurrogates } from '../../core/json.ts';
import type { ContentBlock, RequestMessage } from '../../protocol/anthropic/request.ts';
import { parseBounded } from '../../protocol/bounds.ts';
import { decodeCallFields, decodeSignature, MISSING_REASONING } from '../../protocol/delta.ts';
import type { ChatMessage, ChatToolCall } from '../../protocol/openai/types.ts';
import type { ConversationCache } from '../conversationCache.ts';
import { parseArguments } from '../response/toolArguments.ts';
import type { Context, ResolvedModel } from './context.ts';
import { describeServerResult } from './tools.ts';

/** An assistant message as one message; none when it has neither text nor calls. */
export function translateAssistant(message: RequestMessage, context: Context): ChatMessage[] {
  const blocks = blocksOf(message);
  const calls: ChatToolCall[] = [];
  const texts: string[] = [];
  for (const block of blocks) {
    const text = block.type === 'tool_use' ? undefined : assistantText(block, context);
    if (block.type === 'tool_use') calls.push(translateCall(block, context));
    else if (text !== undefined) texts.push(text);
  }
  if (context.settings.thoughtSignature) ensureSignature(calls);
  const text = texts.join('\n\n');
  if (text === '' && calls.length === 0) return [];
  const reasoning = replayReasoning(blocks, calls.length > 0, context.target);
  return [
    {
      role: 'assistant',
      ...contentField(`${reasoning.prefix}${text}`, context),
      ...reasoning.fields,
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
    },
  ];
}

export function blocksOf({ content }: RequestMessage): readonly ContentBlock[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

/** The text of a block that the model wrote; undefined for what leaves none. */
export function assistantText(block: ContentBlock, context: Context): string | undefined {
  if (block.type === 'text') return block['text'] === '' ? undefined : (asString(block['text']) ?? '');
  if (block.type === 'thinking' || block.type === 'redacted_thinking') return undefined;
  const result = describeServerResult(block);
  if (result === undefined) context.notes.add(`block_dropped:${block.type}`);
  return result;
}

function contentField(text: string, { settings }: Context): Pick<ChatMessage, 'content'> {
  if (text !== '' || settings.emptyContent === 'empty') return { content: text };
  return settings.emptyContent === 'null' ? { content: null } : {};
}

function translateCall(call: ContentBlock, context: Context): ChatToolCall {
  return {
    ...restoreFields(call, context),
    id: context.toolIds.get(call) ?? '',
    type: 'function',
    function: {
      name: context.toolNames.toProvider(asString(call['name']) ?? ''),
      arguments: argumentsOf(call, context.cache),
    },
  };
}

/** Some clients write the input of a call as JSON text. Text that is no object is kept under a name of its own. */
function parseInput(input: Json | undefined): JsonObject {
  if (typeof input !== 'string' || input.trim() === '') return {};
  const value = parseArguments(input);
  return isObject(value) ? value : { input };
}

/** What a call was given, as JSON text. */
export function argumentsOf(call: ContentBlock, { argumentTexts, wellFormed }: ConversationCache): string {
  let text = argumentTexts.get(call);
  if (text === undefined) {
    const { input } = call;
    text = JSON.stringify(replaceLoneSurrogates(isObject(input) ? input : parseInput(input), wellFormed));
    argumentTexts.set(call, text);
  }
  return text;
}

/** The call's own fields of this provider; a signature that another proxy left uncovered is good as well. */
function restoreFields(call: ContentBlock, { target, settings }: Context): JsonObject {
  const uncovered = settings.thoughtSignature && isObject(call['extra_content']) ? call['extra_content'] : undefined;
  // The id of a call is a field of its own only in another protocol of the same provider.
  const { call_id: _, ...fields } = decodeCallFields(call, target.provider) ?? {};
  return { ...(uncovered === undefined ? {} : { extra_content: uncovered }), ...fields };
}

/** The vendor's documented value for a call whose signature was lost. */
const PLACEHOLDER_SIGNATURE = { google: { thought_signature: 'skip_thought_signature_validator' } };

/** Only the first of parallel calls carries a signature, so only the first needs a placeholder. */
function ensureSignature(calls: ChatToolCall[]): void {
  const first = calls[0];
  if (first !== undefined && calls.every((call) => call['extra_content'] === undefined)) {
    calls[0] = { ...first, extra_content: PLACEHOLDER_SIGNATURE };
  }
}

/** How an assistant message of the history brings its reasoning back to the provider. */
export interface ReplayedReasoning {
  /** Fields of the message. */
  readonly fields: JsonObject;
  /** Text that goes in front of the content. */
  readonly prefix: string;
}

/** The reasoning of an assistant message in the place where the provider looks for it. */
export function replayReasoning(
  blocks: readonly ContentBlock[],
  hasCalls: boolean,
  target: ResolvedModel,
): ReplayedReasoning {
  const { reasoningReplay: place, reasoningRequired } = target.settings;
  if (place === 'none' || place === 'encrypted' || place === 'reasoning_text') return { fields: {}, prefix: '' };
  const text = blocks
    .map((block) => (block.type === 'thinking' ? (asString(block['thinking']) ?? '') : ''))
    .filter((thought) => thought !== '')
    .join('\n\n');
  if (place === 'think_tag') return { fields: {}, prefix: text === '' ? '' : `<think>\n${text}\n</think>\n\n` };
  if (place === 'reasoning_details') {
    const details = restoreDetails(blocks, target.provider);
    if (details.length > 0) return { fields: { reasoning_details: details }, prefix: '' };
    return { fields: text === '' ? {} : { reasoning_details: [{ type: 'reasoning.text', text }] }, prefix: '' };
  }
  if (text !== '') return { fields: { [place]: text }, prefix: '' };
  if (!hasCalls || reasoningRequired === 'no') return { fields: {}, prefix: '' };
  return { fields: { [place]: reasoningRequired === 'empty' ? '' : MISSING_REASONING }, prefix: '' };
}

/** The provider's own `reasoning_details`, as they came, out of the signatures that carry them. */
function restoreDetails(blocks: readonly ContentBlock[], provider: string): Json[] {
  return blocks.flatMap((block) => {
    const carrier = asString(block.type === 'redacted_thinking' ? block['data'] : block['signature']);
    const state = carrier === undefined ? undefined : decodeSignature(carrier, provider);
    return state === undefined ? [] : parseDetails(state);
  });
}

function parseDetails(state: string): JsonObject[] {
  try {
    const value = parseBounded(state);
    return (Array.isArray(value) ? value : [value]).filter(isObject);
  } catch {
    return [];
  }
}
