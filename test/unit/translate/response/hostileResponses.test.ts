import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.ts';
import { indexOf } from '../../../../src/protocol/openai/responseItem.ts';
import { Translator } from '../../../../src/translate/response/translator.ts';
import { growth, LINEAR } from '../../../helpers/growth.ts';
import { createResponseContext } from '../../../helpers/responseContext.ts';

const frame = (data: unknown) => `data: ${JSON.stringify(data)}\n\n`;
const textDelta = (at: number, delta: string, part = 0, more: JsonObject = {}) =>
  frame({
    type: 'response.output_text.delta',
    output_index: at,
    item_id: `m${at}`,
    content_index: part,
    delta,
    ...more,
  });
const textDone = (at: number, text: string) =>
  frame({ type: 'response.output_text.done', output_index: at, item_id: `m${at}`, text });
const argumentsDelta = (at: number, delta: string) =>
  frame({ type: 'response.function_call_arguments.delta', output_index: at, delta });
const added = (at: number, item: JsonObject) =>
  frame({ type: 'response.output_item.added', output_index: at, item: { id: `i${at}`, ...item } });
const done = (at: number, item: JsonObject) =>
  frame({ type: 'response.output_item.done', output_index: at, item: { id: `i${at}`, ...item } });
const call = (text: string) => ({ type: 'function_call', call_id: 'c', name: 'Read', arguments: text });
const completed = (output: readonly JsonObject[] = []) =>
  frame({ type: 'response.completed', response: { status: 'completed', output, usage: null } });

const translatorOf = (output: 'events' | 'message' = 'events') =>
  new Translator(createResponseContext({ protocol: 'responses' }), output);

/** Pushes frames until the answer ends; how many it took. */
function flood(translator: Translator, each: (position: number) => string, most: number): number {
  for (let count = 0; count < most; count += 1) {
    translator.pushBytes(Buffer.from(each(count)));
    if (translator.outcome.ended) return count + 1;
  }
  return Number.POSITIVE_INFINITY;
}

describe('R667 an answer of items takes work in proportion to its length, whatever it is made of', () => {
  const answers: Record<string, { size: number; each: (position: number) => string }> = {
    'pieces of one byte': { size: 16_000, each: () => textDelta(0, 'a') },
    'pieces of one byte that wait': { size: 16_000, each: () => textDelta(1, 'a') },
    'pieces that no shortcut fits': { size: 16_000, each: (at) => textDelta(0, 'a', 0, { [`new_${at}`]: 1 }) },
    'parts in a wrong order': { size: 16_000, each: (at) => textDelta(0, 'a', 20_000 - at) },
    'ends of a text between its pieces': {
      size: 16_000,
      each: (at) => (at % 2 === 0 ? textDelta(0, 'a') : textDone(0, 'b')),
    },
    'pieces of arguments': { size: 16_000, each: (at) => argumentsDelta(0, `${at % 7}`) },
    'items without a meaning': { size: 3200, each: (at) => added(at, { type: 'web_search_call' }) },
    'items without a meaning, each of another kind': { size: 3200, each: (at) => added(at, { type: `new_${at}` }) },
    'messages that are never done': { size: 3200, each: (at) => added(at, { type: 'message' }) },
    calls: { size: 3200, each: (at) => done(at, call('{"a":1}')) },
    'calls behind one that is missing': { size: 3200, each: (at) => done(at + 1, call('{"a":1}')) },
    'calls from the last to the first': { size: 3200, each: (at) => done(3200 - at, call('{"a":1}')) },
    'reasoning without words': {
      size: 3200,
      each: (at) => done(at, { type: 'reasoning', summary: [], encrypted_content: 'x' }),
    },
    'items without a place': {
      size: 3200,
      each: (at) => frame({ type: 'response.output_item.added', item: { id: `i${at}`, type: 'message' } }),
    },
    'events that nobody knows': { size: 16_000, each: () => frame({ type: 'response.quite_new.delta', delta: 'x' }) },
  };

  test.each(Object.entries(answers))('%s', { timeout: 120_000 }, (_name, { size, each }) => {
    const ratio = growth((length) => {
      const frames = Array.from({ length }, (_, position) => Buffer.from(each(position)));
      const last = Buffer.from(completed());
      return () => {
        const translator = translatorOf();
        for (const bytes of frames) translator.pushBytes(bytes);
        translator.pushBytes(last);
        translator.end();
        expect(translator.outcome.ended).toBe(true);
      };
    }, size);
    expect(ratio).toBeLessThan(LINEAR);
  });

  test('a list of items at the end', { timeout: 120_000 }, () => {
    const ratio = growth((length) => {
      const output = Array.from({ length }, (_, at) => ({ id: `i${at}`, ...call('{"a":1}') }));
      const bytes = Buffer.from(completed(output));
      return () => {
        const translator = translatorOf();
        translator.pushBytes(bytes);
        expect(translator.outcome).toMatchObject({ ended: true, toolCalls: length });
      };
    }, 1600);
    expect(ratio).toBeLessThan(LINEAR);
  });
});

describe('R667 an answer that has to be held back is given up after 4 MiB', () => {
  const large = 'x '.repeat(50_000);
  const floods: Record<string, (position: number) => string> = {
    'text of a later item': () => textDelta(1, large),
    'text of a later item, in pieces of a byte': () => textDelta(1, 'a'),
    'text of a later part': (at) => textDelta(0, large, at + 1),
    arguments: (at) => argumentsDelta(0, large + at),
    'arguments in pieces of a byte': (at) => argumentsDelta(0, `${at % 7}`),
    'pieces for 100,000 items': (at) => textDelta(at, 'a'),
    'calls for 100,000 items': (at) => argumentsDelta(at + 1, '{}'),
    'items without a meaning': (at) => added(at, { type: 'web_search_call' }),
    'items at absurd places': (at) => added(1e15 + at, { type: 'message' }),
    'names that are long': (at) => added(at + 1, { type: 'function_call', name: large }),
    'ids that are long': (at) => added(at + 1, { type: 'message', id: large + at }),
    'reasoning that waits': (at) => done(at + 1, { type: 'reasoning', summary: [], encrypted_content: large }),
    'calls that wait': (at) => done(at + 1, call(JSON.stringify({ large }))),
  };

  test.each(Object.entries(floods))('%s', { timeout: 120_000 }, (_name, each) => {
    const translator = translatorOf();
    expect(flood(translator, each, 600_000)).toBeLessThan(600_000);
    expect(translator.outcome.error?.code).toBe('bad_gateway');
    expect(translator.outcome.error?.message).toContain('held back for more than 4194304 bytes');
  });

  test('what was written counts no more: many large items one after the other', () => {
    const translator = translatorOf();
    const count = 120;
    for (let at = 0; at < count; at += 1) {
      const item = at % 2 === 0 ? call(JSON.stringify({ large })) : { type: 'reasoning', encrypted_content: large };
      translator.pushBytes(Buffer.from(done(at, item)));
    }
    translator.pushBytes(Buffer.from(completed()));
    expect(translator.outcome).toMatchObject({ ended: true, error: undefined, toolCalls: count / 2 });
  });

  test.each([
    ['blanks', '   '],
    ['the same piece', 'ab'],
  ])('a model that is stuck with %s in its arguments is given up', (_name, piece) => {
    const translator = translatorOf();
    expect(flood(translator, () => argumentsDelta(0, piece), 1000)).toBeLessThan(210);
    expect(translator.outcome.error?.message).toBe('the model is stuck in the arguments of a tool call');
  });

  test('a reasoning item of 200 kB travels whole', () => {
    const blob = 'A'.repeat(200_000);
    const translator = translatorOf('message');
    translator.pushBytes(Buffer.from(done(0, { type: 'reasoning', summary: [], encrypted_content: blob })));
    translator.pushBytes(Buffer.from(textDelta(1, 'Hi') + completed()));
    const [block] = translator.message().content;
    expect(block?.type === 'thinking' && block.signature.length).toBeGreaterThan(266_000);
  });

  test('a whole answer is no larger than 4 MiB, also when it comes as a stream', { timeout: 60_000 }, () => {
    const translator = translatorOf('message');
    const each = (at: number) => done(at, { type: 'message', content: [{ type: 'output_text', text: large }] });
    expect(flood(translator, each, 2000)).toBeLessThan(45);
    expect(translator.outcome.error?.code).toBe('bad_gateway');
  });
});

describe('R671 an answer that is nested 10,000 levels deep', () => {
  const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;

  test.each([
    ['in a delta', `{"type":"response.output_text.delta","output_index":0,"delta":${deep}}`],
    [
      'in an item',
      `{"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","summary":${deep}}}`,
    ],
    ['in an error', `{"type":"error","error":${deep}}`],
    ['in the response', `{"type":"response.completed","response":{"output":${deep}}}`],
    ['in arguments', `{"type":"response.output_item.done","item":{"type":"function_call","arguments":{"a":${deep}}}}`],
    ['in what nobody knows', `{"type":"new","value":${deep}}`],
  ])('fails as an answer, and is no fault of the proxy: %s', (_name, body) => {
    const translator = translatorOf();
    translator.pushBytes(Buffer.from(`data: ${body}\n\n`));
    expect(translator.outcome.error).toMatchObject({ code: 'bad_gateway', status: 502 });
    expect(translator.outcome.error?.message).toContain('nested deeper');
  });

  test('members of every wrong type are passed over', () => {
    const wrong = [null, 0, -1, 1.5, true, '', 'x', [], [null], {}, { type: 1 }, { text: 5 }];
    const types = [
      'response.created',
      'response.output_item.added',
      'response.output_item.done',
      'response.content_part.done',
      'response.output_text.delta',
      'response.output_text.done',
      'response.reasoning_summary_text.delta',
      'response.reasoning_summary_part.done',
      'response.reasoning_text.done',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.done',
    ];
    const names = [
      'output_index',
      'content_index',
      'summary_index',
      'item_id',
      'item',
      'part',
      'delta',
      'text',
      'arguments',
    ];
    const translator = translatorOf();
    for (const type of types) {
      for (const name of names) {
        for (const value of wrong) translator.pushBytes(Buffer.from(frame({ type, output_index: 0, [name]: value })));
      }
    }
    expect(translator.outcome.error).toBeUndefined();
    translator.pushBytes(Buffer.from(frame({ type: 'response.completed', response: { output: wrong, usage: wrong } })));
    expect(translator.outcome.ended).toBe(true);
  });
});

test.each([
  [0, 0],
  [1_000_000, 1_000_000],
  [1_000_001, undefined],
  [-1, undefined],
  [0.5, undefined],
  [1e308, undefined],
  ['0', undefined],
])('the place %j of an item is %j', (given, place) => {
  expect(indexOf(given)).toBe(place);
});

test('an id of a call that cannot go back is not carried along', () => {
  const written = (id: string) => {
    const translator = translatorOf('message');
    translator.pushBytes(Buffer.from(done(0, { ...call('{}'), call_id: id }) + completed()));
    return JSON.stringify(translator.message());
  };
  expect(written('c'.repeat(64))).not.toBe(written('d'.repeat(64)));
  expect(written('c'.repeat(65)).length).toBe(written('d'.repeat(1_000_000)).length);
});

test.each<[string, (word: string) => string]>([
  [
    'reason of an end before the end',
    (word) =>
      done(0, call('{}')) +
      frame({ type: 'response.incomplete', response: { status: 'incomplete', incomplete_details: { reason: word } } }),
  ],
  [
    'status',
    (word) => done(0, call('{}')) + frame({ type: 'response.completed', response: { status: word, output: [] } }),
  ],
  [
    'type of an item',
    (word) => Array.from({ length: 50 }, (_, at) => done(at, { type: `${at}${word}` })).join('') + completed(),
  ],
])('a %s of any length is kept as a word, and some of them', (_name, answer) => {
  const translator = translatorOf();
  translator.pushBytes(Buffer.from(answer('w'.repeat(20_000))));
  translator.end();
  const { notes, finishReason, error } = translator.outcome;
  const kept = [...notes, finishReason ?? '', error?.message ?? ''].join('');
  expect(kept).toContain('www');
  expect(kept.length).toBeLessThan(1500);
});
