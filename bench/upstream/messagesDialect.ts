import type { Dialect } from './dialect.ts';

function event(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

const MESSAGE = { id: 'msg_bench', type: 'message', role: 'assistant', model: 'bench' };
const END = { stop_reason: 'end_turn', stop_sequence: null };

const START = event('message_start', {
  message: {
    ...MESSAGE,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 0, output_tokens: 0 },
  },
});

/** Anthropic's Messages API, for what is measured without a translation. */
export const messagesDialect: Dialect = {
  opening: START + event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
  delta: (text) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }),
  closing: (prompt, completion) =>
    event('content_block_stop', { index: 0 }) +
    event('message_delta', { delta: END, usage: { input_tokens: prompt, output_tokens: completion } }) +
    event('message_stop', {}),
  whole: (text, prompt, completion) =>
    JSON.stringify({
      ...MESSAGE,
      content: [{ type: 'text', text }],
      ...END,
      usage: { input_tokens: prompt, output_tokens: completion },
    }),
};

const CALL = { type: 'tool_use', id: 'toolu_bench', name: 'bench_tool' };
const CALL_END = { stop_reason: 'tool_use', stop_sequence: null };
const piece = (text: string) =>
  event('content_block_delta', { index: 0, delta: { type: 'input_json_delta', partial_json: text } });

/** The same, answered with one tool call: the deltas are pieces of `{"text": "..."}`. */
export const messagesCalls: Dialect = {
  opening:
    START + event('content_block_start', { index: 0, content_block: { ...CALL, input: {} } }) + piece('{"text":"'),
  delta: piece,
  closing: (prompt, completion) =>
    piece('"}') +
    event('content_block_stop', { index: 0 }) +
    event('message_delta', { delta: CALL_END, usage: { input_tokens: prompt, output_tokens: completion } }) +
    event('message_stop', {}),
  whole: (text, prompt, completion) =>
    JSON.stringify({
      ...MESSAGE,
      content: [{ ...CALL, input: { text } }],
      ...CALL_END,
      usage: { input_tokens: prompt, output_tokens: completion },
    }),
};
