import { asString, isObject } from '../core/json.ts';
import type { ContentBlock } from '../protocol/anthropic/request.ts';
import type { ChatContentPart } from '../protocol/openai/types.ts';
import type { Context } from './context.ts';
import { describeSearchResult, translateDocument } from './documents.ts';
import { textPart, translateImage } from './media.ts';
import { describeServerResult } from './serverTools.ts';
import { elideSkill } from './skills.ts';

/** The content of a user message, tool result or document as parts in the same order; empty texts are skipped (R120). */
export function translateContent(content: unknown, context: Context): ChatContentPart[] {
  if (typeof content === 'string') return nonEmpty(withoutSkill(content, context));
  if (!Array.isArray(content)) return [];
  return content.flatMap((block: unknown) => {
    if (typeof block === 'string') return nonEmpty(block);
    return isObject(block) ? translateBlock(block as ContentBlock, context) : [];
  });
}

/** One block as parts; tool results are the caller's. */
export function translateBlock(block: ContentBlock, context: Context): ChatContentPart[] {
  switch (block.type) {
    case 'text':
      return nonEmpty(withoutSkill(asString(block['text']) ?? '', context)).map((part) =>
        markBreakpoint(part, block, context),
      );
    case 'image':
      return [translateImage(block, context)];
    case 'document':
      return translateDocument(block, context);
    case 'search_result':
      return nonEmpty(describeSearchResult(block));
    case 'tool_reference':
      return [textPart(describeReference(asString(block['tool_name']) ?? '', context))];
    default: {
      const text = describeServerResult(block);
      if (text === undefined) context.notes.add(`block_dropped:${block.type}`);
      return text === undefined ? [] : [textPart(text)];
    }
  }
}

/** Passes a block's cache breakpoint on to the part made of it, without `ttl` and `scope` (R147). */
export function markBreakpoint(part: ChatContentPart, block: ContentBlock, context: Context): ChatContentPart {
  return context.breakpoints.has(block) && part.type === 'text'
    ? { ...part, cache_control: { type: 'ephemeral' } }
    : part;
}

function withoutSkill(text: string, { settings, notes }: Context): string {
  const elided = elideSkill(text, settings.elideSkills);
  if (elided !== undefined) notes.add('skill_elided');
  return elided ?? text;
}

function nonEmpty(text: string): ChatContentPart[] {
  return text === '' ? [] : [textPart(text)];
}

/** Tells the model about a tool that a search has found (R128). */
function describeReference(name: string, { tools, toolNames }: Context): string {
  const tool = tools.get(name);
  const shown = toolNames.toProvider(name);
  if (tool === undefined) return `Loaded tool: ${shown}`;
  return [`Tool ${shown} is now available.`, tool.description, `Parameters: ${JSON.stringify(tool.schema)}`]
    .filter((line) => line !== '')
    .join('\n');
}
