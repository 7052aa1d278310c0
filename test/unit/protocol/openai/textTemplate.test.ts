import { describe, expect, test } from 'vitest';
import { chatTextForm, responseTextForm, TextTemplate } from '../../../../src/protocol/openai/textTemplate.ts';

const chunk = (delta: object, created = 1) => JSON.stringify({ id: 'c', created, choices: [{ index: 0, delta }] });

function learned(...[data, text]: [string, string]): TextTemplate {
  const frame = new TextTemplate(chatTextForm);
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
  const frame = new TextTemplate(chatTextForm);
  for (let time = 0; time < 8; time += 1) frame.learn(chunk({ content: 'Hi' }, time), 'Hi');
  frame.learn(chunk({ content: 'Hi' }, 8), 'Hi');
  expect(frame.match(chunk({ content: 'a' }, 8))).toBeUndefined();
});

test('learning goes on as long as frames are used now and then', () => {
  const frame = new TextTemplate(chatTextForm);
  for (let time = 0; time < 40; time += 1) {
    frame.learn(chunk({ content: 'Hi' }, time), 'Hi');
    expect(frame.match(chunk({ content: 'a' }, time))).toBe('a');
  }
});

describe('events of the Responses API, which count', () => {
  const event = (delta: string, number: number, isFirst: boolean) => {
    const counter = { sequence_number: number };
    const place = { item_id: 'msg_1', output_index: 1, content_index: 0 };
    const type = 'response.output_text.delta';
    return JSON.stringify(isFirst ? { type, ...counter, ...place, delta } : { type, delta, ...place, ...counter });
  };

  test.each([true, false])('give their text, the counter in front or not: %s', (isFirst) => {
    const template = new TextTemplate(responseTextForm);
    expect(template.learn(event('Hi', 9, isFirst), 'Hi')).toBe(true);
    for (const [at, text] of ['', 'there', 'a "quoted" \\ one\n', '😀', '12', '"sequence_number":5'].entries()) {
      expect(template.match(event(text, 9 + at * 500, isFirst))).toBe(text);
    }
    expect(template.match(event('Hi', 10, isFirst).replace('msg_1', 'msg_2'))).toBeUndefined();
    expect(template.match(event('Hi', 10, isFirst).replace('"output_index":1', '"output_index":2'))).toBeUndefined();
    expect(template.match(event('Hi', 10, isFirst).replace('10', '1x0'))).toBeUndefined();
    expect(template.match(event('Hi', 10, isFirst).replace('output_text', 'refusal'))).toBeUndefined();
  });

  test('teach nothing when the data does not say what they are', () => {
    const template = new TextTemplate(responseTextForm);
    expect(template.learn(JSON.stringify({ output_index: 0, delta: 'Hi' }), 'Hi')).toBe(false);
    const nested = { type: 'response.output_text.delta', x: { sequence_number: 1 }, delta: 'Hi' };
    expect(template.learn(JSON.stringify(nested), 'Hi')).toBe(false);
  });
});
