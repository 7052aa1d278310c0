import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { MessageAssembler } from '../../../../src/protocol/anthropic/message.ts';

const frames = [
  [
    'message_start',
    {
      message: {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model: 'm',
        content: [],
        usage: { input_tokens: 7, output_tokens: 0 },
      },
    },
  ],
  ['ping', {}],
  ['content_block_start', { index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } }],
  ['content_block_delta', { index: 0, delta: { type: 'thinking_delta', thinking: 'hm ' } }],
  ['content_block_delta', { index: 0, delta: { type: 'thinking_delta', thinking: '…' } }],
  ['content_block_delta', { index: 0, delta: { type: 'signature_delta', signature: 'sig' } }],
  ['content_block_stop', { index: 0 }],
  ['content_block_start', { index: 1, content_block: { type: 'text', text: '' } }],
  ['content_block_delta', { index: 1, delta: { type: 'text_delta', text: 'grüß 👋' } }],
  ['content_block_delta', { index: 1, delta: { type: 'citations_delta', citation: { url: 'u' } } }],
  ['content_block_stop', { index: 1 }],
  ['content_block_start', { index: 2, content_block: { type: 'tool_use', id: 't', name: 'Bash', input: {} } }],
  ['content_block_delta', { index: 2, delta: { type: 'input_json_delta', partial_json: '{"command"' } }],
  ['content_block_delta', { index: 2, delta: { type: 'input_json_delta', partial_json: ':"ls"}' } }],
  ['content_block_stop', { index: 2 }],
  ['message_delta', { delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 5 } }],
  ['message_stop', {}],
] as const;

const write = (some: readonly (typeof frames)[number][]) =>
  some.map(([type, fields]) => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`).join('');

const MESSAGE = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content: [
    { type: 'thinking', thinking: 'hm …', signature: 'sig' },
    { type: 'text', text: 'grüß 👋', citations: [{ url: 'u' }] },
    { type: 'tool_use', id: 't', name: 'Bash', input: { command: 'ls' } },
  ],
  usage: { input_tokens: 7, output_tokens: 5 },
  stop_reason: 'tool_use',
  stop_sequence: null,
};

test('a stream becomes the message that it carries, wherever its bytes are cut', () => {
  const bytes = Buffer.from(write(frames));
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length)), (cuts) => {
      const assembler = new MessageAssembler();
      const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      places.forEach((place, index) => {
        assembler.push(bytes.subarray(places[index - 1] ?? 0, place));
      });
      expect(assembler.end()).toEqual(MESSAGE);
    }),
  );
});

test('a stream that ends too early, or says nothing, is no message', () => {
  const assembler = new MessageAssembler();
  assembler.push(write(frames.slice(0, -1)));
  expect(assembler.end()).toBeUndefined();
  expect(new MessageAssembler().end()).toBeUndefined();
});

test('frames in a wrong place are passed over', () => {
  const assembler = new MessageAssembler();
  assembler.push('data: no json\n\nevent: content_block_delta\ndata: {"index":4,"delta":{}}\n\n');
  assembler.push(write(frames));
  expect(assembler.end()).toEqual(MESSAGE);
});

test('an answer whose arguments are nested too deep is no message, and whoever hands it on meanwhile is not disturbed', () => {
  const deep = `{"a":${'['.repeat(300)}${']'.repeat(300)}}`;
  const hostile = frames.map(([type, fields]) =>
    JSON.stringify(fields).includes('"{\\"command')
      ? [type, { index: 2, delta: { type: 'input_json_delta', partial_json: deep } }]
      : [type, fields],
  );
  const text = hostile
    .filter(([, fields]) => !JSON.stringify(fields).includes(':\\"ls'))
    .map(([type, fields]) => `event: ${type}\ndata: ${JSON.stringify(fields)}\n\n`)
    .join('');
  const assembler = new MessageAssembler();
  assembler.push(text);
  expect(assembler.end()).toBeUndefined();
});
