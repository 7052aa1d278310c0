import { asString } from '../core/json.ts';
import type { ContentBlock, RequestMessage } from '../protocol/anthropic/request.ts';

/** Which result answers which call of a conversation (R129). Blocks are told apart by identity: ids may repeat. */
export interface Pairing {
  /** Every tool_use block, in order. */
  readonly calls: readonly ContentBlock[];
  /** Call to result; a call that was interrupted has none. */
  readonly results: ReadonlyMap<ContentBlock, ContentBlock>;
  /** Results that answer no call. */
  readonly orphans: ReadonlySet<ContentBlock>;
}

interface OpenCall {
  readonly round: number;
  readonly call: ContentBlock;
}

/**
 * Pairs by round: a result answers the latest round that holds an unanswered call with its id, however much later it
 * comes, and within that round the first such call.
 */
export function pairResults(messages: readonly RequestMessage[]): Pairing {
  const calls: ContentBlock[] = [];
  const results = new Map<ContentBlock, ContentBlock>();
  const orphans = new Set<ContentBlock>();
  const open = new Map<string, OpenCall[]>();
  for (const [round, message] of messages.entries()) {
    if (typeof message.content === 'string') continue;
    for (const block of message.content) {
      if (block.type === 'tool_use') {
        const id = asString(block['id']) ?? '';
        const waiting = open.get(id) ?? [];
        waiting.push({ round, call: block });
        open.set(id, waiting);
        calls.push(block);
      } else if (block.type === 'tool_result') {
        const call = takeLatest(open.get(asString(block['tool_use_id']) ?? ''));
        if (call === undefined) orphans.add(block);
        else results.set(call, block);
      }
    }
  }
  return { calls, results, orphans };
}

function takeLatest(waiting: OpenCall[] | undefined): ContentBlock | undefined {
  const latest = waiting?.at(-1)?.round;
  const index = waiting?.findIndex((entry) => entry.round === latest) ?? -1;
  return index < 0 ? undefined : waiting?.splice(index, 1)[0]?.call;
}
