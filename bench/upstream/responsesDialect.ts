import type { Dialect } from './dialect.ts';

function event(type: string, number: number, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: number, ...fields })}\n\n`;
}

const RESPONSE = { id: 'resp_bench', object: 'response', created_at: 1_790_000_000, model: 'bench', error: null };
const PLACE = { item_id: 'msg_bench', output_index: 0, content_index: 0 };

/** Events before the first delta. */
const OPENING = 4;

const message = (text: string) => ({
  id: 'msg_bench',
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [] }],
});

const response = (output: readonly object[], prompt: number, completion: number) => ({
  ...RESPONSE,
  status: 'completed',
  output,
  usage: {
    input_tokens: prompt,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: completion,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: prompt + completion,
  },
});

const begun = { ...RESPONSE, status: 'in_progress', output: [] };

/** OpenAI's Responses API. The text is not repeated at the end, as the upstream keeps none. */
export const responsesDialect: Dialect = {
  opening: [
    event('response.created', 0, { response: begun }),
    event('response.in_progress', 1, { response: begun }),
    event('response.output_item.added', 2, { output_index: 0, item: { ...message(''), status: 'in_progress' } }),
    event('response.content_part.added', 3, { ...PLACE, part: { type: 'output_text', text: '', annotations: [] } }),
  ].join(''),
  delta: (text, index) => event('response.output_text.delta', OPENING + index, { ...PLACE, delta: text, logprobs: [] }),
  closing: (prompt, completion) =>
    event('response.completed', OPENING + completion, { response: response([], prompt, completion) }),
  whole: (text, prompt, completion) => JSON.stringify(response([message(text)], prompt, completion)),
};
