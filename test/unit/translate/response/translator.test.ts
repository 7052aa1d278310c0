import { describe, expect, test } from 'vitest';
import { ApiError } from '../../../../src/core/errors.ts';
import { Translator } from '../../../../src/translate/response/translator.ts';
import { checkEvents } from '../../../helpers/eventGrammar.ts';
import { type ContextOptions, createResponseContext } from '../../../helpers/responseContext.ts';

const event = (data: unknown) => Buffer.from(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
const delta = (value: object) => event({ id: 'c1', model: 'up', choices: [{ index: 0, delta: value }] });
const finish = (reason: string) => event({ choices: [{ index: 0, delta: {}, finish_reason: reason }] });
const usage = event({ choices: [], usage: { prompt_tokens: 20, completion_tokens: 5 } });
const DONE = event('[DONE]');

const events = (options?: ContextOptions) => new Translator(createResponseContext(options), 'events');
const types = (text: string) => [...text.matchAll(/^event: (\w+)$/gm)].map((match) => match[1]);

describe('R317 the message starts with the first thing to say', () => {
  test('and not with a role, an empty text, a blank or a half tag', () => {
    const translator = events();
    for (const value of [{ role: 'assistant', content: '' }, { content: '\n' }, { content: '<thi' }]) {
      expect(translator.pushBytes(delta(value))).toBe('');
    }
    expect(translator.outcome.started).toBe(false);
    expect(types(translator.pushBytes(delta({ content: 's is it' })))).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
    ]);
    expect(translator.outcome.started).toBe(true);
  });

  test('a failure before it writes nothing and is kept for the answer', () => {
    const translator = events();
    expect(translator.fail(new ApiError('upstream_timeout', 'too late'))).toBe('');
    expect(translator.outcome).toMatchObject({
      started: false,
      ended: true,
      error: { status: 504, message: 'too late' },
    });
  });
});

describe('R313 the end waits for the usage', () => {
  test('until [DONE]', () => {
    const translator = events();
    translator.pushBytes(delta({ content: 'Hi' }));
    expect(translator.outcome.finished).toBe(false);
    expect(translator.pushBytes(finish('stop'))).toBe('');
    expect(translator.outcome).toMatchObject({ finished: true, ended: false });
    expect(translator.pushBytes(usage)).toBe('');
    expect(types(translator.pushBytes(DONE))).toEqual(['content_block_stop', 'message_delta', 'message_stop']);
    expect(translator.outcome).toMatchObject({
      ended: true,
      usageEstimated: false,
      stopReason: 'end_turn',
      finishReason: 'stop',
      usage: { input_tokens: 20, output_tokens: 5 },
    });
  });

  test('or until the caller has waited long enough', () => {
    const translator = events();
    translator.pushBytes(delta({ content: 'Hi' }));
    expect(translator.settle()).toBe('');
    translator.pushBytes(finish('stop'));
    expect(types(translator.settle())).toEqual(['content_block_stop', 'message_delta', 'message_stop']);
    expect(translator.outcome).toMatchObject({ ended: true, usageEstimated: true });
  });

  test('a stop string that was found here counts as the finish', () => {
    const translator = events({ stopSequences: ['END'] });
    translator.pushBytes(delta({ content: 'one EN' }));
    expect(translator.outcome.finished).toBe(false);
    translator.pushBytes(delta({ content: 'D two' }));
    expect(translator.outcome.finished).toBe(true);
    translator.settle();
    expect(translator.outcome.stopReason).toBe('stop_sequence');
  });
});

test('R329 nothing is written after the end', () => {
  const translator = events();
  let text = translator.pushBytes(Buffer.concat([delta({ content: 'Hi' }), finish('stop'), DONE]));
  text += translator.pushBytes(Buffer.concat([delta({ content: 'more' }), DONE]));
  text +=
    translator.end() +
    translator.settle() +
    translator.fail(new ApiError('overloaded', 'x')) +
    translator.pushJson('{}');
  checkEvents(text);
  expect(text).not.toContain('more');
});

test('R319 a failure after the start is an error event, and the last one', () => {
  const translator = events();
  translator.pushBytes(delta({ content: 'Hi' }));
  const text = translator.fail(new ApiError('overloaded', 'connection lost'));
  expect(text).toBe(
    'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"connection lost"}}\n\n',
  );
  expect(translator.pushBytes(delta({ content: 'more' })) + translator.end()).toBe('');
  // What was answered until then, for the log (R320).
  expect(translator.outcome).toMatchObject({ usage: { input_tokens: 7, output_tokens: 1 }, usageEstimated: true });
});

describe('R215 an answer that says nothing', () => {
  test.each([
    [[finish('stop'), DONE], true],
    [[delta({ content: ' \n' }), finish('stop'), DONE], true],
    [[delta({ content: 'Hi' }), finish('stop'), DONE], false],
    [[delta({ reasoning_content: 'Hm' }), finish('stop'), DONE], false],
    [[finish('length'), DONE], false],
    [[finish('content_filter'), DONE], false],
  ])('case %#', (frames, empty) => {
    const translator = events();
    checkEvents(translator.pushBytes(Buffer.concat(frames)));
    expect(translator.outcome.empty).toBe(empty);
  });
});

test('R322 an endless frame ends the answer', () => {
  const translator = events();
  translator.pushBytes(delta({ content: 'Hi' }));
  const text = translator.pushBytes(Buffer.alloc(9 * 1024 * 1024, 'x'));
  expect(types(text)).toEqual(['error']);
  expect(translator.outcome.error?.code).toBe('bad_gateway');
});

test('R322 bad lines are counted, and good ones between them forgive', () => {
  const translator = events();
  for (let round = 0; round < 3; round += 1) {
    translator.pushBytes(Buffer.concat([event('x'), event('y'), delta({ content: 'Hi' })]));
  }
  expect(translator.outcome).toMatchObject({ skippedLines: 6, ended: false });
});

test('R220 a JSON body is recognised by its first byte, after blank lines of a keep-alive and a byte order mark', () => {
  const body = JSON.stringify({ choices: [{ message: { content: 'Hä' }, finish_reason: 'stop' }] });
  const bytes = Buffer.from(`\ufeff\n \n${body}`);
  for (const size of [1, 7, bytes.length]) {
    const translator = new Translator(createResponseContext(), 'message');
    for (let at = 0; at < bytes.length; at += size) translator.pushBytes(bytes.subarray(at, at + size));
    translator.end();
    expect(translator.message().content).toEqual([{ type: 'text', text: 'Hä' }]);
  }
});

test('the outcome holds what the log wants to know', () => {
  const translator = events({ settings: { reasoningReplay: 'none' } });
  translator.pushBytes(delta({ reasoning_content: 'Hm', content: 'Hello' }));
  translator.pushBytes(
    delta({ tool_calls: [{ index: 0, id: 'a', function: { name: 'Read', arguments: '{"p":1}' } }] }),
  );
  expect(translator.outcome).toMatchObject({
    upstreamId: 'c1',
    upstreamModel: 'up',
    thinkingCharacters: 2,
    textCharacters: 5,
    argumentCharacters: 7,
    toolCalls: 1,
  });
});

describe('R218 the message', () => {
  test('writes no events on the way', () => {
    const translator = new Translator(createResponseContext(), 'message');
    expect(translator.pushBytes(Buffer.concat([delta({ content: 'Hi' }), finish('stop'), usage, DONE]))).toBe('');
    expect(translator.message()).toMatchObject({ id: 'msg_test', model: 'claude-test', stop_reason: 'end_turn' });
  });

  test('of a failed answer is its error', () => {
    const translator = new Translator(createResponseContext(), 'message');
    translator.pushBytes(event({ error: { message: 'boom' } }));
    expect(() => translator.message()).toThrow(ApiError);
  });

  test('is not there before the end', () => {
    const translator = new Translator(createResponseContext(), 'message');
    translator.pushBytes(delta({ content: 'Hi' }));
    expect(() => translator.message()).toThrow('not complete');
  });
});

describe('an answer of the Responses API', () => {
  const event = (type: string, fields: object) => Buffer.from(`data: ${JSON.stringify({ type, ...fields })}\n\n`);
  const item = { type: 'message', id: 'msg_1', role: 'assistant', content: [] };
  const begun = [
    event('response.created', { response: { id: 'resp_1', model: 'gpt-6-sol', status: 'in_progress' } }),
    event('response.in_progress', { response: { id: 'resp_1' } }),
    event('keepalive', {}),
    event('response.output_item.added', { output_index: 0, item }),
  ];
  const text = event('response.output_text.delta', { output_index: 0, content_index: 0, delta: 'Hi' });
  const last = event('response.completed', { response: { status: 'completed', output: [], service_tier: 'flex' } });

  test('R661 begins with its first block, so that what fails before has a status of its own', () => {
    const translator = new Translator(createResponseContext({ protocol: 'responses' }), 'events');
    expect(begun.map((bytes) => translator.pushBytes(bytes)).join('')).toBe('');
    expect(translator.outcome).toMatchObject({ started: false, upstreamId: 'resp_1', upstreamModel: 'gpt-6-sol' });
    expect(translator.pushBytes(text)).toContain('message_start');
    expect(translator.outcome.started).toBe(true);
  });

  test('R668 ends with its last event, while the body stays open', () => {
    const translator = new Translator(createResponseContext({ protocol: 'responses' }), 'events');
    for (const bytes of [...begun, text]) translator.pushBytes(bytes);
    expect(translator.outcome.finished).toBe(false);
    expect(translator.pushBytes(last)).toContain('message_stop');
    expect(translator.outcome).toMatchObject({ ended: true, stopReason: 'end_turn' });
    expect(translator.pushBytes(text) + translator.end()).toBe('');
  });

  test('R656 a stop string that was found counts, whether the last event comes or not', () => {
    const context = createResponseContext({ protocol: 'responses', stopSequences: ['i'] });
    const translator = new Translator(context, 'events');
    for (const bytes of [...begun, text]) translator.pushBytes(bytes);
    expect(translator.outcome).toMatchObject({ finished: true, ended: false });
    expect(translator.settle()).toContain('"stop_reason":"stop_sequence","stop_sequence":"i"');
  });
});
