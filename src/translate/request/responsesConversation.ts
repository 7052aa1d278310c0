import { asString, type Json } from '../../core/json.ts';
import type { ContentBlock, RequestMessage } from '../../protocol/anthropic/request.ts';
import { MISSING_REASONING } from '../../protocol/delta.ts';
import { decodeReasoningItem } from '../../protocol/openai/reasoningItem.ts';
import type { ChatContentPart, InputPart, ResponseItem } from '../../protocol/openai/types.ts';
import type { QuirkSettings } from '../../quirks/settings.ts';
import { argumentsOf, assistantText, blocksOf } from './assistant.ts';
import type { Context } from './context.ts';
import { type ConversationForm, joinTexts } from './conversation.ts';

/** What the pieces of a conversation look like as items of the Responses API. */
export function responsesForm(settings: QuirkSettings): ConversationForm<ResponseItem> {
  return {
    answer: answerItems,
    user: (parts) => userItem(parts, settings),
    result: ({ id }, parts) => {
      const output = joinTexts(parts, '\n\n');
      return {
        type: 'function_call_output',
        call_id: id,
        output: typeof output === 'string' ? output : toInput(output, settings),
      };
    },
    system: systemItem,
    joinsUsers: false,
  };
}

/** Always a list of parts, so that the same message has the same bytes in every turn. */
export function userItem(parts: readonly ChatContentPart[], settings: QuirkSettings): ResponseItem {
  return { role: 'user', content: toInput(parts, settings) };
}

export function systemItem(role: 'system' | 'developer', text: string): ResponseItem {
  return { role, content: [{ type: 'input_text', text }] };
}

function toInput(parts: readonly ChatContentPart[], settings: QuirkSettings): InputPart[] {
  return parts.map((part) => toInputPart(part, settings));
}

/** A part of chat completions as a part of this API, which has all of them by other names. */
function toInputPart(part: ChatContentPart, { fileDetail }: QuirkSettings): InputPart {
  if (part.type === 'text') {
    const { text } = part;
    if (part['cache_control'] === undefined) return { type: 'input_text', text };
    return { type: 'input_text', text, prompt_cache_breakpoint: { mode: 'explicit' } };
  }
  if (part.type === 'image_url') return { type: 'input_image', image_url: part.image_url.url, detail: 'auto' };
  const { filename, file_data } = part.file;
  const detail = fileDetail === '' ? {} : { detail: fileDetail };
  return file_data.startsWith('data:')
    ? { type: 'input_file', filename, file_data, ...detail }
    : { type: 'input_file', file_url: file_data, ...detail };
}

/**
 * One item for each block of an answer, in the same order: reasoning stands directly before what followed it, or the provider refuses
 * the request. Reasoning that nothing follows was cut off, and is left out.
 */
function answerItems(message: RequestMessage, context: Context): ResponseItem[] {
  const blocks = blocksOf(message);
  const lastCall = blocks.findLastIndex(({ type }) => type === 'tool_use');
  const items: ResponseItem[] = [];
  let reasoning: ResponseItem[] = [];
  for (const [index, block] of blocks.entries()) {
    if (block.type === 'thinking' || block.type === 'redacted_thinking') {
      reasoning.push(...reasoningItems(block, context));
      continue;
    }
    const item = block.type === 'tool_use' ? callItem(block, context) : textItem(block, index < lastCall, context);
    if (item === undefined) continue;
    if (item.type === 'function_call' && reasoning.length === 0) reasoning = missingReasoning(items, context);
    items.push(...reasoning, item);
    reasoning = [];
  }
  if (reasoning.length > 0) context.notes.add('reasoning_dropped:nothing_follows');
  return items;
}

function textItem(block: ContentBlock, isBeforeCall: boolean, context: Context): ResponseItem | undefined {
  const text = assistantText(block, context);
  if (text === undefined || text === '') return undefined;
  const { assistantText: form, phase } = context.settings;
  return {
    role: 'assistant',
    content: form === 'string' ? text : [{ type: 'output_text', text }],
    // Without it the model tends to end its turn early. The provider's own word is not kept, but this one never changes later.
    ...(phase ? { phase: isBeforeCall ? 'commentary' : 'final_answer' } : {}),
  };
}

/** Without the id of the item, by which the provider would look for it. */
function callItem(call: ContentBlock, context: Context): ResponseItem {
  return {
    type: 'function_call',
    call_id: context.toolIds.get(call) ?? '',
    name: context.toolNames.toProvider(asString(call['name']) ?? ''),
    arguments: argumentsOf(call, context.cache),
  };
}

/** The reasoning that a thinking block carries, as it came; none where the provider could not read it. */
function reasoningItems(block: ContentBlock, context: Context): ResponseItem[] {
  const { settings, target, replay, notes } = context;
  const place = settings.reasoningReplay;
  if (settings.reasoningStyle === 'none' || (place !== 'encrypted' && place !== 'reasoning_text')) return [];
  const drop = (reason: string) => {
    notes.add(`reasoning_dropped:${reason}`);
    return [];
  };
  const signature = asString(block.type === 'thinking' ? block['signature'] : block['data']);
  const carried = signature === undefined ? undefined : decodeReasoningItem(signature, target.provider);
  if (carried === undefined) return drop('foreign');
  const { summary, encryptedContent, content, fingerprint } = carried;
  if (place === 'reasoning_text') {
    return content === undefined
      ? drop('without_text')
      : [{ type: 'reasoning', summary: [], content: asParts(content) }];
  }
  if (encryptedContent === undefined) return drop('not_encrypted');
  if (fingerprint !== replay.fingerprint) return drop('other_key');
  if (replay.refused.has(encryptedContent)) return drop('refused');
  return [{ type: 'reasoning', summary: asParts(summary), encrypted_content: encryptedContent }];
}

/** The parts as they came, as any change makes the provider refuse them: whatever they are, they have been the provider's own. */
function asParts<Part>(parts: readonly Json[]): Part[] {
  return [...parts] as Part[];
}

/** What stands in for lost reasoning before the first call of an answer, for servers that insist on some. */
function missingReasoning(items: readonly ResponseItem[], { settings }: Context): ResponseItem[] {
  const { reasoningReplay, reasoningRequired, reasoningStyle } = settings;
  if (reasoningReplay !== 'reasoning_text' || reasoningRequired === 'no' || reasoningStyle === 'none') return [];
  if (items.some(({ type }) => type === 'reasoning')) return [];
  const text = reasoningRequired === 'empty' ? '' : MISSING_REASONING;
  return [{ type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text }] }];
}
