import { asString, isObject, type Json, type JsonObject } from '../core/json.ts';
import type { ContentBlock } from '../protocol/anthropic/request.ts';
import { decodeSignature, MISSING_REASONING } from '../protocol/delta.ts';
import type { Target } from './target.ts';

/** How an assistant message of the history brings its reasoning back to the provider. */
export interface ReplayedReasoning {
  /** Fields of the message. */
  readonly fields: JsonObject;
  /** Text that goes in front of the content. */
  readonly prefix: string;
}

/** The reasoning of an assistant message in the place where the provider looks for it (R133-R135). */
export function replayReasoning(blocks: readonly ContentBlock[], hasCalls: boolean, target: Target): ReplayedReasoning {
  const { reasoningReplay: place, reasoningRequired } = target.settings;
  if (place === 'none') return { fields: {}, prefix: '' };
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
    const value: unknown = JSON.parse(state);
    return (Array.isArray(value) ? value : [value]).filter(isObject);
  } catch {
    return [];
  }
}
