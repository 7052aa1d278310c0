import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.ts';
import { finishMeaning } from '../../../../src/translate/response/finish.ts';
import { RepairBudget, repairArguments } from '../../../../src/translate/response/toolArguments.ts';
import { Translator } from '../../../../src/translate/response/translator.ts';
import { growth, LINEAR } from '../../../helpers/growth.ts';
import { type ContextOptions, createResponseContext } from '../../../helpers/responseContext.ts';

const frame = (data: unknown) => `data: ${JSON.stringify(data)}\n\n`;
const delta = (value: object) => frame({ choices: [{ index: 0, delta: value }] });
const call = (piece: JsonObject, index = 0, more: JsonObject = {}) =>
  delta({ tool_calls: [{ index, function: piece, ...more }] });
const DONE = 'data: [DONE]\n\n';

const translatorOf = (options: ContextOptions = {}, output: 'events' | 'message' = 'events') =>
  new Translator(createResponseContext(options), output);

/** Pushes the same frame again and again until the answer ends; the frames that it took. */
function flood(translator: Translator, piece: string, most: number): number {
  const bytes = Buffer.from(piece);
  for (let count = 1; count <= most; count += 1) {
    translator.pushBytes(bytes);
    if (translator.outcome.ended) return count;
  }
  return Number.POSITIVE_INFINITY;
}

describe('an answer takes work in proportion to its length, whatever it is made of', () => {
  const letters = (size: number, each: (position: number) => string) =>
    Array.from({ length: size }, (_, position) => Buffer.from(each(position)));

  const answers: Record<string, { size: number; each: (position: number) => string; options?: ContextOptions }> = {
    'blanks before the text': { size: 16_000, each: () => delta({ content: ' ' }) },
    'blanks before the text, without tags': {
      size: 16_000,
      each: () => delta({ content: '\n' }),
      options: { settings: { thinkTags: 'off' } },
    },
    'blanks before the reasoning': { size: 16_000, each: () => delta({ reasoning_content: ' ' }) },
    'calls, each with its index': { size: 8000, each: (at) => call({ name: 'Read', arguments: '{"a":1}' }, at) },
    'calls, each with its id': {
      size: 8000,
      each: (at) => delta({ tool_calls: [{ id: `call_${at}`, function: { name: 'Read', arguments: '{}' } }] }),
    },
    'pieces that repeat the name': {
      size: 16_000,
      each: (at) => call({ name: 'Read', arguments: at > 0 ? `${at},` : '{"a":[' }),
    },
    'pieces of held arguments that repeat the name': {
      size: 16_000,
      each: (at) => call({ name: 'Read', arguments: at > 0 ? `${at},` : '{"a":[' }),
      options: { settings: { toolArgs: 'buffer' } },
    },
    'reasoning state before a call has a name': {
      size: 8000,
      each: (at) =>
        delta({
          reasoning_details: [{ type: 'reasoning.text', index: at }],
          tool_calls: [{ index: 0, function: { arguments: `${at},` } }],
        }),
      options: { settings: { reasoningReplay: 'reasoning_details' } },
    },
  };

  test.each(Object.entries(answers))('%s', { timeout: 120_000 }, (_name, { size, each, options }) => {
    const ratio = growth((length) => {
      const frames = letters(length, each);
      return () => {
        const translator = translatorOf(options);
        for (const bytes of frames) translator.pushBytes(bytes);
        translator.end();
      };
    }, size);
    expect(ratio).toBeLessThan(LINEAR);
  });

  test('text that is nearly a stop sequence', { timeout: 120_000 }, () => {
    const ratio = growth((length) => {
      const bytes = Buffer.from(delta({ content: `${'a'.repeat(length)}c` }));
      const options = { stopSequences: [`${'a'.repeat(length)}b`] };
      return () => void translatorOf(options).pushBytes(bytes);
    }, 32_000);
    expect(ratio).toBeLessThan(LINEAR);
  });
});

describe('a model that writes nothing but white space', () => {
  test.each([
    ['as text', delta({ content: ' '.repeat(100) }), {}],
    ['as text, where tags are not looked for', delta({ content: '\n'.repeat(100) }), { thinkTags: 'off' } as const],
    ['as reasoning', delta({ reasoning_content: ' '.repeat(100) }), {}],
  ])('%s is given up after some kB', (_name, piece, settings) => {
    const translator = translatorOf({ settings });
    expect(flood(translator, piece, 1000)).toBeLessThan(200);
    expect(translator.outcome.error).toMatchObject({
      code: 'overloaded',
      message: 'the model is stuck in white space',
    });
  });

  test('is waited for that long', () => {
    const translator = translatorOf();
    expect(flood(translator, delta({ content: ' '.repeat(100) }), 150)).toBe(Number.POSITIVE_INFINITY);
    expect(translator.pushBytes(Buffer.from(delta({ content: 'word' })))).toContain(`${' '.repeat(100)}word`);
  });
});

describe('an answer that has to be held back', () => {
  const large = 'x '.repeat(50_000);
  const begun = call({ name: 'Read', arguments: '{"a":"' }, 0, { id: 'one' });
  const floods: Record<string, { first: string; piece: string; settings?: ContextOptions['settings'] }> = {
    'text after a call': { first: begun, piece: delta({ content: large }) },
    'text after a call, in small pieces': { first: begun, piece: delta({ content: 'ab' }) },
    'a second call while the first is open': { first: begun, piece: call({ arguments: large }, 1) },
    'arguments that are held': {
      first: call({ name: 'Read', arguments: '{"a":"' }),
      piece: `${call({ arguments: large })}${call({ arguments: 'x' })}`,
      settings: { toolArgs: 'buffer' },
    },
    'reasoning in tags': { first: delta({ content: '<think>' }), piece: delta({ content: large }) },
    'opaque state': {
      first: delta({ reasoning_content: 'so' }),
      piece: delta({ reasoning_details: [{ type: 'reasoning.encrypted', data: large }] }),
      settings: { reasoningReplay: 'reasoning_details' },
    },
  };

  test.each(Object.entries(floods))('is given up after 4 MiB: %s', { timeout: 60_000 }, (_name, flooded) => {
    const translator = translatorOf({ settings: flooded.settings ?? {} });
    translator.pushBytes(Buffer.from(flooded.first));
    const taken = flood(translator, flooded.piece, 2_000_000) * flooded.piece.length;
    expect(taken).toBeLessThan(64 * 1024 * 1024);
    expect(translator.outcome.error?.code).toBe('bad_gateway');
    expect(translator.outcome.error?.message).toContain('held back for more than 4194304 bytes');
  });

  test('ends with an error event when it has begun', () => {
    const translator = translatorOf();
    translator.pushBytes(Buffer.from(begun));
    let text = '';
    while (!translator.outcome.ended) text = translator.pushBytes(Buffer.from(delta({ content: large })));
    expect(text).toMatch(/^event: error\n.*4194304/);
  });

  test('more calls than anybody means count as well', { timeout: 60_000 }, () => {
    const translator = translatorOf();
    let index = 0;
    while (!translator.outcome.ended && index < 100_000) {
      translator.pushBytes(Buffer.from(call({ name: 'Read', arguments: '{"a":1}' }, index)));
      index += 1;
    }
    expect(index).toBeLessThan(10_000);
    expect(translator.outcome.error?.code).toBe('bad_gateway');
  });

  test('what was let go counts no more: many large calls one after the other', () => {
    const translator = translatorOf();
    for (let index = 0; index < 120; index += 1) {
      translator.pushBytes(Buffer.from(call({ name: 'Write', arguments: '{"text":"' }, index)));
      translator.pushBytes(Buffer.from(call({ arguments: large }, index)));
      translator.pushBytes(Buffer.from(call({ arguments: '"}' }, index)));
    }
    translator.pushBytes(Buffer.from(`${frame({ choices: [{ delta: {}, finish_reason: 'tool_calls' }] })}${DONE}`));
    expect(translator.outcome).toMatchObject({ ended: true, toolCalls: 120, stopReason: 'tool_use' });
  });

  test('a whole answer is no larger than 4 MiB, also when it comes as a stream', { timeout: 60_000 }, () => {
    const translator = translatorOf({}, 'message');
    expect(flood(translator, delta({ content: large }), 2000)).toBeLessThan(45);
    expect(translator.outcome.error?.code).toBe('bad_gateway');
    const whole = translatorOf({}, 'message');
    whole.pushJson(JSON.stringify({ choices: [{ message: { content: 'x'.repeat(4 * 1024 * 1024) } }] }));
    expect(whole.outcome.error?.message).toBe('the answer is larger than 4194304 bytes');
  });
});

describe('an answer that is nested 10,000 levels deep', () => {
  const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
  const chunk = (value: string) => `data: ${value}\n\n`;

  test.each([
    ['in its content', `{"choices":[{"delta":{"content":${deep}}}]}`],
    ['in an error', `{"error":${deep}}`],
    ['in the details of an error', `{"error":{"message":"no","detail":${deep}}}`],
    ['in its reasoning', `{"choices":[{"delta":{"reasoning_details":[{"data":${deep}}]}}]}`],
    [
      'in the arguments',
      `{"choices":[{"delta":{"tool_calls":[{"function":{"name":"a","arguments":{"a":${deep}}}}]}}]}`,
    ],
  ])('fails as an answer, and is no fault of the proxy: %s', (_name, body) => {
    for (const form of ['chunk', 'whole'] as const) {
      const translator = translatorOf({ settings: { reasoningReplay: 'reasoning_details' } });
      if (form === 'chunk') translator.pushBytes(Buffer.from(chunk(body)));
      else translator.pushJson(body.replace('"delta"', '"message"'));
      expect(translator.outcome.error).toMatchObject({ code: 'bad_gateway', status: 502 });
      expect(translator.outcome.error?.message).toContain('nested deeper');
    }
  });

  test('fails when only the words of an error are nested', () => {
    const translator = translatorOf();
    translator.pushBytes(Buffer.from(`event: error\n${chunk(deep)}`));
    expect(translator.outcome.error).toBeDefined();
  });

  test('arguments as text go to the client as they came', () => {
    const text = `{"a":${deep}}`;
    const translator = translatorOf({ tools: { Read: { properties: { a: { type: 'object' } } } } }, 'message');
    translator.pushJson(
      JSON.stringify({ choices: [{ message: { tool_calls: [{ function: { name: 'Read', arguments: text } }] } }] }),
    );
    expect(translator.message().content).toMatchObject([
      { type: 'tool_use', input: { __unparsedToolInput: { raw: text } } },
    ]);
    expect(() => JSON.stringify(translator.message())).not.toThrow();
  });
});

describe('arguments that would have to be repaired all over', () => {
  test.each([
    ['quotes', `{"a":"${'b"c "d" '.repeat(64_000)}"}`],
    ['numbers', `[${'1 '.repeat(256_000)}`],
    ['objects', `[${'{a:1} '.repeat(64_000)}`],
  ])('are left as they are: %s', (_name, text) => {
    const start = performance.now();
    expect(repairArguments(text)).toBeUndefined();
    // The repair alone would take minutes.
    expect(performance.now() - start).toBeLessThan(5000);
  });

  test('all calls of an answer together are repaired as long as that takes, and left as they are beyond', () => {
    const budget = new RepairBudget();
    const text = `{'a':'${'b '.repeat(3000)}'}`;
    const repaired = Array.from({ length: 100 }, () => repairArguments(text, budget)).map((each) => each !== undefined);
    expect(repaired.slice(0, 5)).toEqual(Array(5).fill(true));
    expect(repaired.filter(Boolean).length).toBeLessThan(40);
  });

  test('nor are more than 100,000 values of an answer parsed', () => {
    const budget = new RepairBudget();
    const text = `{"a":[${'1,'.repeat(29_000)}1]}`;
    const parsed = Array.from({ length: 5 }, () => repairArguments(text, budget));
    expect(parsed).toEqual([text, text, text, undefined, undefined]);
  });

  test('nor are more than 500,000 letters of an answer repaired', () => {
    const budget = new RepairBudget();
    const text = `{"a":"${'x'.repeat(200_000)}",}`;
    const repaired = Array.from({ length: 3 }, () => repairArguments(text, budget));
    expect(repaired.map((each) => each?.length)).toEqual([text.length - 1, text.length - 1, undefined]);
  });

  test('and words in which there is no brace take none of them', () => {
    const budget = new RepairBudget();
    const words = 'y'.repeat(450_000);
    for (let count = 0; count < 5; count += 1) expect(repairArguments(words, budget)).toBeUndefined();
    expect(repairArguments('{"a":1,}', budget)).toBe('{"a":1}');
  });

  test('a whole answer counts the values of all its calls', () => {
    const translator = translatorOf({}, 'message');
    const text = JSON.stringify({ a: Array(20_000).fill({}) });
    const calls = Array.from({ length: 4 }, () => ({ function: { name: 'Read', arguments: text } }));
    translator.pushJson(JSON.stringify({ choices: [{ message: { tool_calls: calls } }] }));
    expect(translator.outcome.error).toMatchObject({
      code: 'bad_gateway',
      message: 'the answer is larger than 4194304 bytes',
    });
    const few = translatorOf({}, 'message');
    few.pushJson(JSON.stringify({ choices: [{ message: { tool_calls: calls.slice(0, 2) } }] }));
    expect(few.message().content).toHaveLength(2);
  });

  test('but a long text that lacks its end is repaired', () => {
    const content = `it's a "quoted" line\n`.repeat(20_000);
    const text = JSON.stringify({ path: 'x', content }).slice(0, -1);
    expect(JSON.parse(repairArguments(text) ?? '{}')).toEqual({ path: 'x', content });
  });
});

test('a tool has no name of a million letters', () => {
  const translator = translatorOf();
  const text = translator.pushBytes(Buffer.from(call({ name: 'a'.repeat(1_000_000), arguments: '{}' })));
  expect(text).not.toContain('aaa');
  expect(translator.outcome.error).toMatchObject({
    code: 'bad_gateway',
    message: 'the provider gave a tool a name of more than 1000 letters',
  });
});

test('what the provider calls things is kept at a length that can be logged', () => {
  const translator = translatorOf();
  const word = 'w'.repeat(100_000);
  translator.pushBytes(
    Buffer.from(frame({ id: word, model: word, service_tier: word, choices: [{ delta: { content: 'Hi' } }] })),
  );
  translator.pushBytes(Buffer.from(frame({ choices: [{ delta: {}, finish_reason: word }] }) + DONE));
  const { upstreamId, upstreamModel, serviceTier, error } = translator.outcome;
  const kept = [upstreamId, upstreamModel, serviceTier, error?.message];
  expect(kept.map((text) => text !== undefined && text.length < 300)).toEqual([true, true, true, true]);
});

describe('a finish reason of any length is kept as a word', () => {
  const word = 'w'.repeat(100_000);
  const call = { tool_calls: [{ index: 0, id: 'a', function: { name: 'Read', arguments: '{"a":1}' } }] };
  const ended = (delta: object, reason: string) => {
    const translator = translatorOf();
    translator.pushBytes(Buffer.from(frame({ choices: [{ delta }] })));
    translator.pushBytes(Buffer.from(frame({ choices: [{ delta: {}, finish_reason: reason }] }) + DONE));
    return translator.outcome;
  };

  test('behind a call that is whole it is a note', () => {
    const { notes } = ended(call, word);
    expect([...notes].map((note) => note.slice(0, 30))).toContain('unknown finish reason wwwwwwww');
    expect(Math.max(...[...notes].map(({ length }) => length))).toBeLessThan(200);
  });

  test('for a call that the provider cannot read it is cut', () => {
    const { error } = ended({ content: 'Hi' }, `${word}: MALFORMED_FUNCTION_CALL`);
    expect(error).toMatchObject({ code: 'broken_tool_call' });
    expect(error?.message.length).toBeLessThan(300);
  });

  test.each(['constructor', '__proto__', 'toString'])('%s is unknown as others are', (reason) => {
    expect(finishMeaning(reason)).toBe('unknown');
  });
});

test('reasoning in tags counts no more when its tag is closed', () => {
  const translator = translatorOf();
  const large = 'x'.repeat(3_000_000);
  translator.pushBytes(Buffer.from(delta({ content: `<think>${large}` }) + delta({ content: '</think>Hi' })));
  translator.pushBytes(Buffer.from(call({ name: 'Read', arguments: '{"a":' }, 0, { id: 'a' })));
  translator.pushBytes(Buffer.from(delta({ content: large })));
  expect(translator.outcome.error).toBeUndefined();
});
