import { expect, test } from 'vitest';
import { TextChunkTemplate } from '../../../../src/protocol/openai/chunk.ts';

const chunk = (delta: object, created = 1) => JSON.stringify({ id: 'c', created, choices: [{ index: 0, delta }] });

function learned(...[data, text]: [string, string]): TextChunkTemplate {
  const frame = new TextChunkTemplate();
  frame.learn(data, text);
  return frame;
}

test('a chunk with the frame of an earlier one gives its text', () => {
  const frame = learned(chunk({ content: 'Hi' }), 'Hi');
  for (const text of ['', 'there', 'a "quoted" \\ one\n', '😀', '\ud83d']) {
    expect(frame.match(chunk({ content: text }))).toBe(text);
  }
});

test.each([
  ['another member', chunk({ content: 'a', reasoning: 'b' })],
  ['another member that ends the same way', chunk({ content: 'a', refusal: 'b' })],
  ['another chunk', chunk({ content: 'a' }, 2)],
  ['a broken string', chunk({ content: 'a' }).replace('"a"', '"a\\"')],
  ['a raw line end', chunk({ content: 'a' }).replace('"a"', '"a\n"')],
  ['less than the frame', chunk({}).slice(0, 20)],
])('%s must be parsed', (_name, data) => {
  expect(learned(chunk({ content: 'Hi' }), 'Hi').match(data)).toBeUndefined();
});

test.each([
  ['when the text stands elsewhere', JSON.stringify({ note: { content: 'Hi' }, choices: [{ delta: { text: 'Hi' } }] })],
  ['when the text stands twice', JSON.stringify({ note: { content: 'Hi' }, choices: [{ delta: { content: 'Hi' } }] })],
  ['from a whole answer', JSON.stringify({ object: 'chat.completion', choices: [{ delta: { content: 'Hi' } }] })],
  ['from spaced JSON', JSON.stringify({ choices: [{ delta: { content: 'Hi' } }] }).replaceAll(':', ': ')],
])('nothing is learned %s', (_name, data) => {
  expect(learned(data, 'Hi').match(data)).toBeUndefined();
});

test('learning is given up when no chunk has the frame of the one before', () => {
  const frame = new TextChunkTemplate();
  for (let time = 0; time < 8; time += 1) frame.learn(chunk({ content: 'Hi' }, time), 'Hi');
  frame.learn(chunk({ content: 'Hi' }, 8), 'Hi');
  expect(frame.match(chunk({ content: 'a' }, 8))).toBeUndefined();
});

test('learning goes on as long as frames are used now and then', () => {
  const frame = new TextChunkTemplate();
  for (let time = 0; time < 40; time += 1) {
    frame.learn(chunk({ content: 'Hi' }, time), 'Hi');
    expect(frame.match(chunk({ content: 'a' }, time))).toBe('a');
  }
});
