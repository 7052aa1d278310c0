import type { Dialect } from './dialect.ts';

function event(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

const MESSAGE = { id: 'msg_bench', type: 'message', role: 'assistant', model: 'bench' };
const END = { stop_reason: 'end_turn', stop_sequence: null };

/** Anthropic's Messages API, for what is measured without a translation. */
export const messagesDialect: Dialect = {
  opening:
    event('message_start', {
      message: {
        ...MESSAGE,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: 0, output_tokens: 0 },
      },
    }) + event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
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
