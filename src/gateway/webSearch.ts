import type { JsonObject } from '../core/json.ts';
import type { MessagesRequest } from '../protocol/anthropic/request.ts';
import { createId } from './requestContext.ts';
import type { ResponseWriter } from './responseWriter.ts';

const EXPLANATION = 'Web search is not available from this provider.';
const USAGE = { input_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0 };

function eventOf(type: string, fields: JsonObject): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

function queryOf(request: MessagesRequest): string {
  const text = JSON.stringify(request.messages.at(-1)?.content ?? '');
  return /search for the query: ((?:(?!"|\\n).){0,1000})/.exec(text)?.[1] ?? '';
}

/**
 * Answers a request whose only purpose is a web search that nobody can do: an honest failure, so that the user does
 * not read "Did 0 searches" or an invented answer.
 */
export function answerWebSearch(writer: ResponseWriter, request: MessagesRequest): void {
  const id = createId('srvtoolu_');
  const input = { query: queryOf(request) };
  const call = { type: 'server_tool_use', id, name: 'web_search', input };
  const failure = {
    type: 'web_search_tool_result',
    tool_use_id: id,
    content: { type: 'web_search_tool_result_error', error_code: 'unavailable' },
  };
  const text = { type: 'text', text: EXPLANATION };
  const message = {
    id: createId('msg_'),
    type: 'message',
    role: 'assistant',
    model: request.model,
    content: [call, failure, text],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: USAGE,
  };
  if (request['stream'] !== true) {
    writer.sendJson(200, {}, JSON.stringify(message));
    return;
  }
  const block = (index: number, start: JsonObject, delta?: JsonObject) =>
    eventOf('content_block_start', { index, content_block: start }) +
    (delta === undefined ? '' : eventOf('content_block_delta', { index, delta })) +
    eventOf('content_block_stop', { index });
  writer.openStream();
  writer.end(
    eventOf('message_start', { message: { ...message, content: [], stop_reason: null } }) +
      block(0, { ...call, input: {} }, { type: 'input_json_delta', partial_json: JSON.stringify(input) }) +
      block(1, failure) +
      block(2, { type: 'text', text: '' }, { type: 'text_delta', text: EXPLANATION }) +
      eventOf('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: USAGE }) +
      eventOf('message_stop', {}),
  );
}

/** What is noted of a search that no candidate can do, which the proxy itself answers. */
export const SEARCH_REFUSED = 'web search refused';
