import { isObject, type JsonObject } from '../core/json.ts';
import type { MessagesRequest } from '../protocol/anthropic/request.ts';

/** More are refused ("maximum of 4 blocks", R147). */
const BREAKPOINTS_MAX = 4;

/** Text blocks and tool results whose cache breakpoint is kept: the last four, as each covers all that stands before it. */
export function selectBreakpoints(request: MessagesRequest): ReadonlySet<JsonObject> {
  const marked: JsonObject[] = [];
  collect(request['system'], marked);
  for (const message of request.messages) {
    if (message.role === 'user') collect(message.content, marked);
  }
  return new Set(marked.slice(-BREAKPOINTS_MAX));
}

function collect(content: unknown, marked: JsonObject[]): void {
  if (!Array.isArray(content)) return;
  for (const block of content) {
    const carries = isObject(block) && (block['type'] === 'text' || block['type'] === 'tool_result');
    if (carries && isObject(block['cache_control'])) marked.push(block);
  }
}
