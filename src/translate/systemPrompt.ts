import { asString, isObject, type JsonObject } from '../core/json.ts';
import type { ChatContentPart } from '../protocol/openai/types.ts';

const ATTRIBUTION = 'x-anthropic-billing-header:';

/**
 * The texts of a system prompt or inline system message; empty blocks and the attribution line are left out (R110, R111).
 * `marked` names the blocks whose cache breakpoint is kept (R147).
 */
export function systemParts(content: unknown, marked: ReadonlySet<JsonObject>): ChatContentPart[] {
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  if (!Array.isArray(blocks)) return [];
  return blocks.filter(isObject).flatMap((block) => {
    const text = block['type'] === 'text' ? removeAttribution(asString(block['text']) ?? '') : '';
    if (text === '') return [];
    return [{ type: 'text', text, ...(marked.has(block) ? { cache_control: { type: 'ephemeral' } } : {}) }];
  });
}

/**
 * The text without a leading attribution line and one blank line after it: its checksum differs from request to request and
 * would make every prefix cache miss (R111).
 */
export function removeAttribution(text: string): string {
  const trimmed = text.trimStart();
  if (!trimmed.startsWith(ATTRIBUTION)) return text;
  const end = trimmed.indexOf('\n');
  return end < 0 ? '' : trimmed.slice(end + 1).replace(/^[ \t]*\r?\n/, '');
}
