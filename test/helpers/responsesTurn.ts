import { isObject, type JsonObject } from '../../src/core/json.ts';
import { ALL_KEPT, eventsOf, writeEvents } from './arbitraryResponse.ts';
import { type Behaviour, json, openEvents, type ReceivedRequest } from './fakeUpstream.ts';
import type { Call } from './turn.ts';

export const inputOf = ({ body }: Pick<ReceivedRequest, 'body'>): JsonObject[] =>
  Array.isArray(body['input']) ? body['input'].filter(isObject) : [];

/** The results of calls in a request of the Responses API, in their order. */
export const outputsOf = (request: Pick<ReceivedRequest, 'body'>): JsonObject[] =>
  inputOf(request).filter(({ type }) => type === 'function_call_output');

export const textItem = (text: string): JsonObject => ({
  type: 'message',
  id: `msg_${text.length}`,
  status: 'completed',
  role: 'assistant',
  content: [{ type: 'output_text', text, annotations: [] }],
});

export const callItem = ({ id = 'call_same', name, input }: Call): JsonObject => ({
  type: 'function_call',
  id: `fc_${id}`,
  status: 'completed',
  call_id: id,
  name,
  arguments: JSON.stringify(input),
});

/** What an item of reasoning is bound to: the text or the call behind it, whatever else of it may have changed. */
export function boundTo(item: JsonObject | undefined): string {
  if (item?.['type'] === 'function_call') return `call of ${item['name']}`;
  const parts = Array.isArray(item?.['content']) ? item['content'].filter(isObject) : [];
  return `${item?.['role']}: ${parts.map(({ text }) => text).join('')}`;
}

/**
 * Reasoning and the item that it belongs to. What is encrypted says which summary and which item these are, so that a server
 * sees without any memory whether they came back unchanged.
 */
export function reasoned(summary: readonly string[], next: JsonObject): JsonObject[] {
  const parts = summary.map((text) => ({ type: 'summary_text', text }));
  const encrypted = Buffer.from(JSON.stringify({ summary: parts, next: boundTo(next) })).toString('base64');
  return [{ type: 'reasoning', id: `rs_${encrypted.length}`, summary: parts, encrypted_content: encrypted }, next];
}

const USAGE = { input_tokens: 10, output_tokens: 2, total_tokens: 12 };

/** Answers with these items, streamed or whole as the request asks. */
export function responseTurn(output: JsonObject[], usage: JsonObject = USAGE): Behaviour {
  const response = { id: 'resp_1', object: 'response', model: 'm', status: 'completed', error: null, output, usage };
  return (httpResponse, request) => {
    if (request.body['stream'] !== true) return json(200, response)(httpResponse, request);
    openEvents(httpResponse);
    httpResponse.end(
      writeEvents([
        { type: 'response.created', response: { ...response, status: 'in_progress', output: [] } },
        ...output.flatMap((item, index) => eventsOf(item, index, ALL_KEPT)),
        { type: 'response.completed', response },
      ]),
    );
  };
}
