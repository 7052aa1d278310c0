import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import {
  bytesOf,
  findPictures,
  QuestionFinder,
  replacePictures,
  withoutReminders,
} from '../../../src/vision/pictures.ts';
import { growth, LINEAR } from '../../helpers/growth.ts';

const image = (data: string) => ({ type: 'image', source: { type: 'base64', media_type: 'image/png', data } });
const text = (words: string) => ({ type: 'text', text: words });
const pdf = (data: string) => ({
  type: 'document',
  source: { type: 'base64', media_type: 'application/pdf', data },
});
const result = (...content: unknown[]) => ({ type: 'tool_result', tool_use_id: 'toolu_1', content });
const note = (words: string) => text(words);

const BLIND = { image: true, document: true };

/** A message by its content, the bytes of its pictures in order, and the content with notes in their place. */
const PLACES: readonly (readonly [string, unknown, readonly string[], unknown])[] = [
  ['a text', 'hello', [], 'hello'],
  ['text blocks', [text('a'), text('b')], [], [text('a'), text('b')]],
  ['one beside text', [text('a'), image('1')], ['1'], [text('a'), note('n1')]],
  ['several', [image('1'), text('a'), image('2')], ['1', '2'], [note('n1'), text('a'), note('n2')]],
  ['in a tool result', [result(text('a'), image('1'))], ['1'], [result(text('a'), note('n1'))]],
  [
    'a tool result that is one block',
    [{ type: 'tool_result', tool_use_id: 'toolu_1', content: image('1') }],
    ['1'],
    [{ type: 'tool_result', tool_use_id: 'toolu_1', content: note('n1') }],
  ],
  [
    'a tool result of text',
    [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'a' }],
    [],
    [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'a' }],
  ],
  ['a PDF', [pdf('1')], ['1'], [note('n1')]],
  ['a PDF in a tool result', [result(pdf('1'), image('2'))], ['1', '2'], [result(note('n1'), note('n2'))]],
  [
    'nested in a document',
    [{ type: 'document', source: { type: 'content', content: [text('a'), image('1')] } }],
    ['1'],
    [{ type: 'document', source: { type: 'content', content: [text('a'), note('n1')] } }],
  ],
  [
    'a document of text',
    [{ type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'a' } }],
    [],
    [{ type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'a' } }],
  ],
  [
    'text in base64',
    [{ type: 'document', source: { type: 'base64', media_type: 'text/csv', data: 'YQ==' } }],
    [],
    [{ type: 'document', source: { type: 'base64', media_type: 'text/csv', data: 'YQ==' } }],
  ],
  [
    'by an address',
    [{ type: 'image', source: { type: 'url', url: 'https://a/b.png' } }],
    ['https://a/b.png'],
    [note('n1')],
  ],
  [
    'with a cache breakpoint',
    [{ ...image('1'), cache_control: { type: 'ephemeral' } }],
    ['1'],
    [{ ...note('n1'), cache_control: { type: 'ephemeral' } }],
  ],
  ['not an object', [null, 1, 'a'], [], [null, 1, 'a']],
];

describe('pictures are found in order, and words stand in their place', () => {
  test.each(PLACES)('%s', (_name, content, found, replaced) => {
    const message = { role: 'user', content: content as never };
    const pictures = findPictures(message);
    expect(pictures.map(bytesOf)).toEqual(found);
    const texts = pictures.map((_, place) => `n${place + 1}`);
    expect(replacePictures(message, BLIND, texts)).toEqual({ role: 'user', content: replaced });
  });

  test('of what the model can see nothing is replaced', () => {
    const message = { role: 'user', content: [image('1'), pdf('2')] };
    expect(replacePictures(message, { image: false, document: true }, ['n'])).toEqual({
      role: 'user',
      content: [image('1'), note('n')],
    });
  });
});

const conversation = [
  { role: 'user', content: 'Why is it red?<system-reminder>now</system-reminder>' },
  { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'Shot', input: { page: 1 } }] },
  { role: 'user', content: [result(image('1')), text('<system-reminder>later</system-reminder>')] },
  { role: 'assistant', content: 'because' },
  { role: 'user', content: [text('And this?'), image('2')] },
  { role: 'user', content: [image('3')] },
];

const questionOf = (messages: readonly unknown[], index: number) => {
  const [picture] = findPictures(messages[index] as never);
  return picture && new QuestionFinder(messages).questionAt(index, picture);
};

test('what was asked is the text beside a picture, else the last before it, and for a tool its call', () => {
  expect(questionOf(conversation, 2)).toEqual({ tool: { name: 'Shot', input: '{"page":1}' }, asked: 'Why is it red?' });
  expect(questionOf(conversation, 4)).toEqual({ tool: undefined, asked: 'And this?' });
  expect(questionOf(conversation, 5)).toEqual({ tool: undefined, asked: 'And this?' });
  expect(questionOf([{ role: 'user', content: [image('1')] }], 0)).toEqual({ tool: undefined, asked: '' });
});

test('what was asked does not depend on later turns', () => {
  const messages = fc.array(fc.constantFrom(...conversation), { maxLength: 8 });
  fc.assert(
    fc.property(messages, messages, (before, after) => {
      const short = [...before, conversation[2]];
      expect(questionOf([...short, ...after], before.length)).toEqual(questionOf(short, before.length));
    }),
  );
});

test('reminders are left out, whole and broken ones', () => {
  expect(withoutReminders('a<system-reminder>x</system-reminder>b')).toBe('ab');
  expect(withoutReminders('<system-reminder>x</system-reminder>')).toBe('');
  expect(withoutReminders('a<system-reminder>never closed')).toBe('a');
  const many = '<system-reminder>'.repeat(100_000);
  const startedAt = performance.now();
  withoutReminders(many);
  expect(performance.now() - startedAt).toBeLessThan(500);
});

describe('what was asked takes work in proportion to the pictures and the history', () => {
  const dot = image('AAAA');
  const histories: Record<string, (size: number) => { role: string; content: unknown[] }[]> = {
    'many pictures in one message': (size) => [{ role: 'user', content: Array.from({ length: size }, () => dot) }],
    'many messages with a picture and no words': (size) =>
      Array.from({ length: size }, () => ({ role: 'user', content: [dot] })),
    'results of calls that nobody made': (size) =>
      Array.from({ length: size }, (_, at) => ({
        role: at % 2 === 0 ? 'assistant' : 'user',
        content: [
          at % 2 === 0
            ? { type: 'tool_use', id: 'same', name: 'T', input: {} }
            : { type: 'tool_result', tool_use_id: `no-${at}`, content: [dot] },
        ],
      })),
    'many pictures of one call with a large input': (size) => [
      {
        role: 'assistant',
        content: [{ type: 'tool_use', id: 'a', name: 'T', input: { text: 'x'.repeat(100 * size) } }],
      },
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: 'a', content: Array.from({ length: size }, () => dot) }],
      },
    ],
  };

  test.each(Object.entries(histories))('%s', (_name, create) => {
    const work = (size: number) => {
      const messages = create(size);
      return () => {
        const questions = new QuestionFinder(messages);
        for (const [index, message] of messages.entries()) {
          for (const picture of findPictures(message as JsonObject)) questions.questionAt(index, picture);
        }
      };
    };
    expect(growth(work, 3200)).toBeLessThan(LINEAR);
  });
});
