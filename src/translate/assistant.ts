import { asString, isObject, type JsonObject } from '../core/json.ts';
import type { ContentBlock, RequestMessage } from '../protocol/anthropic/request.ts';
import { decodeCallFields } from '../protocol/delta.ts';
import type { ChatMessage, ChatToolCall } from '../protocol/openai/types.ts';
import type { Context } from './context.ts';
import { describeServerResult } from './serverTools.ts';
import { replayReasoning } from './thinking.ts';
import { replaceLoneSurrogates } from './wellFormed.ts';

/** The vendor's documented value for a call whose signature was lost (R135). */
const STAND_IN_SIGNATURE = { google: { thought_signature: 'skip_thought_signature_validator' } };

/** An assistant message as one message (R130); undefined when it has neither text nor calls. */
export function translateAssistant(message: RequestMessage, context: Context): ChatMessage | undefined {
  const blocks: readonly ContentBlock[] =
    typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : message.content;
  const calls = blocks.filter((block) => block.type === 'tool_use').map((call) => translateCall(call, context));
  if (context.settings.thoughtSignature) ensureSignature(calls);
  const text = blocks.flatMap((block) => assistantText(block, context)).join('\n\n');
  if (text === '' && calls.length === 0) return undefined;
  const reasoning = replayReasoning(blocks, calls.length > 0, context.target);
  return {
    role: 'assistant',
    ...contentField(`${reasoning.prefix}${text}`, context),
    ...reasoning.fields,
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
}

function assistantText(block: ContentBlock, context: Context): string[] {
  if (block.type === 'text') return block['text'] === '' ? [] : [asString(block['text']) ?? ''];
  if (block.type === 'thinking' || block.type === 'redacted_thinking' || block.type === 'tool_use') return [];
  const result = describeServerResult(block);
  if (result === undefined) context.notes.add(`block_dropped:${block.type}`);
  return result === undefined ? [] : [result];
}

function contentField(text: string, { settings }: Context): Pick<ChatMessage, 'content'> {
  if (text !== '' || settings.emptyContent === 'empty') return { content: text };
  return settings.emptyContent === 'null' ? { content: null } : {};
}

/** What calls were given, as text: requests of one conversation share their calls as objects. */
const argumentTexts = new WeakMap<JsonObject, string>();

function argumentsOf(call: ContentBlock): string {
  let text = argumentTexts.get(call);
  if (text === undefined) {
    text = JSON.stringify(replaceLoneSurrogates(isObject(call['input']) ? call['input'] : {}));
    argumentTexts.set(call, text);
  }
  return text;
}

function translateCall(call: ContentBlock, context: Context): ChatToolCall {
  return {
    ...restoreFields(call, context),
    id: context.toolIds.get(call) ?? '',
    type: 'function',
    function: {
      name: context.toolNames.toProvider(asString(call['name']) ?? ''),
      arguments: argumentsOf(call),
    },
  };
}

/** The call's own fields of this provider; a signature that another proxy left uncovered is good as well. */
function restoreFields(call: ContentBlock, { target, settings }: Context): JsonObject {
  const uncovered = settings.thoughtSignature && isObject(call['extra_content']) ? call['extra_content'] : undefined;
  return {
    ...(uncovered === undefined ? {} : { extra_content: uncovered }),
    ...decodeCallFields(call, target.provider),
  };
}

/** Only the first of parallel calls carries a signature, so only the first needs a stand-in. */
function ensureSignature(calls: ChatToolCall[]): void {
  const first = calls[0];
  if (first !== undefined && calls.every((call) => call['extra_content'] === undefined)) {
    calls[0] = { ...first, extra_content: STAND_IN_SIGNATURE };
  }
}
