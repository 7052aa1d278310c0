import { expect, test } from 'vitest';
import { readAnswer } from '../../../../src/cli/providerTest/messagesClient.ts';

const TIMING = { firstPieceMs: 5, totalMs: 9 };
const events = (...data: object[]) =>
  data.map((one) => `event: ${'type' in one ? one.type : ''}\ndata: ${JSON.stringify(one)}\n\n`).join('');
const delta = (index: number, fields: object) => ({ type: 'content_block_delta', index, delta: fields });
const start = {
  type: 'message_start',
  message: { usage: { input_tokens: 7, cache_read_input_tokens: 3, output_tokens: 0 } },
};

const WHOLE = events(
  start,
  { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
  delta(0, { type: 'thinking_delta', thinking: 'so ' }),
  { type: 'ping' },
  delta(0, { type: 'thinking_delta', thinking: 'be it' }),
  delta(0, { type: 'signature_delta', signature: 'abc' }),
  { type: 'content_block_stop', index: 0 },
  { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
  delta(1, { type: 'text_delta', text: 'hello' }),
  {
    type: 'content_block_start',
    index: 2,
    content_block: { type: 'tool_use', id: 'toolu_1', name: 'Bash', input: {} },
  },
  delta(2, { type: 'input_json_delta', partial_json: '{"comm' }),
  delta(2, { type: 'input_json_delta', partial_json: 'and":"ls"}' }),
  { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 4 } },
  { type: 'message_stop' },
);

test('an event stream becomes blocks that can go back, words, calls and counts', () => {
  expect(readAnswer(WHOLE, TIMING)).toEqual({
    error: undefined,
    content: [
      { type: 'thinking', thinking: 'so be it', signature: 'abc' },
      { type: 'text', text: 'hello' },
      { type: 'tool_use', id: 'toolu_1', name: 'Bash', input: { command: 'ls' } },
    ],
    text: 'hello',
    thinking: 'so be it',
    toolUses: [{ id: 'toolu_1', name: 'Bash', input: { command: 'ls' } }],
    stopReason: 'tool_use',
    usage: { input: 7, cacheRead: 3, cacheWrite: 0, output: 4 },
    pieces: 5,
    ...TIMING,
  });
});

test.each([
  ['an error event', events(start, { type: 'error', error: { type: 'overloaded_error', message: 'broke' } }), 'broke'],
  ['a JSON body', JSON.stringify({ type: 'error', error: { type: 'not_found_error', message: 'gone' } }), 'gone'],
  ['a stream without its end', events(start), 'the answer ended before it was complete'],
  ['nothing', '', 'the answer ended before it was complete'],
])('%s is an error', (_name, body, message) => {
  expect(readAnswer(body, TIMING).error?.message).toBe(message);
});
