import { describe, expect, test } from 'vitest';
import { checkMessage, checkStream, checkTokenCount, checkToolCall } from '../../../bench/load/checkAnswer.ts';
import type { Reply } from '../../../bench/load/reply.ts';
import { deltaText } from '../../../bench/upstream/deltaText.ts';
import { messagesCalls, messagesDialect } from '../../../bench/upstream/messagesDialect.ts';

const expected = { deltas: 3, promptTokens: 90 };

function reply(body: string, status = 200): Reply {
  return { status, body, askedAt: 0, firstTextAt: 1, endedAt: 2, arrivals: [] };
}

function streamBody(indices: readonly number[], promptTokens = 100): string {
  const { opening, delta, closing } = messagesDialect;
  return opening + indices.map((index) => delta(deltaText(index, 0), index)).join('') + closing(promptTokens, 3);
}

const good = streamBody([0, 1, 2]);

test('a whole stream is right, with or without blanks in its JSON', () => {
  checkStream(reply(good), expected);
  checkStream(reply(good.replaceAll('":', '": ')), expected);
});

describe('a stream is wrong', () => {
  test.each([
    ['with another status', reply(good, 500), 'status 500'],
    ['without a delta', reply(streamBody([0, 1])), '2 deltas of 3'],
    ['with a delta twice', reply(streamBody([0, 1, 1, 2])), 'delta 1 in the place of 2'],
    ['with deltas in another order', reply(streamBody([0, 2, 1])), 'delta 2 in the place of 1'],
    ['with a lost prompt', reply(streamBody([0, 1, 2], 80)), '80 prompt tokens'],
    ['that begins twice', reply(messagesDialect.opening + good), 'message_start'],
    ['without its end', reply(good.slice(0, good.indexOf('event: message_stop'))), 'message_stop'],
    ['with words after its end', reply(`${good}event: ping\ndata: {}\n\n`), 'not the last event'],
    ['with an error', reply(`event: error\ndata: {}\n\n${good}`), 'event: ?error'],
    ['that was cut off', reply(good.replace('end_turn', 'max_tokens')), 'stop_reason'],
  ])('%s', (_, wrong, why) => {
    expect(() => checkStream(wrong, expected)).toThrow(why);
  });
});

function callBody(indices: readonly number[]): string {
  const { opening, delta, closing } = messagesCalls;
  return opening + indices.map((index) => delta(deltaText(index, 0), index)).join('') + closing(100, 3);
}

test('a tool call is right when its arguments are whole and in order', () => {
  const whole = callBody([0, 1, 2]);
  checkToolCall(reply(whole), expected);
  checkToolCall(reply(whole.replaceAll('":', '": ')), expected);
  expect(() => checkToolCall(reply(callBody([0, 2, 1])), expected)).toThrow('delta 2 in the place of 1');
  expect(() => checkToolCall(reply(callBody([0, 1])), expected)).toThrow('2 deltas of 3');
  expect(() => checkToolCall(reply(good), expected)).toThrow('stop_reason');
  expect(() => checkStream(reply(whole), expected)).toThrow('stop_reason');
});

const message = (deltas: number, promptTokens = 100) =>
  messagesDialect.whole(
    Array.from({ length: deltas }, (_, index) => deltaText(index, 0)).join(''),
    promptTokens,
    deltas,
  );

test('a message must hold all of the text, its end and the whole prompt', () => {
  checkMessage(reply(message(3)), expected);
  expect(() => checkMessage(reply(message(2)), expected)).toThrow('2 deltas of 3');
  expect(() => checkMessage(reply(message(3, 10)), expected)).toThrow('10 prompt tokens');
  expect(() => checkMessage(reply(message(3).replace('end_turn', 'max_tokens')), expected)).toThrow('max_tokens');
  expect(() => checkMessage(reply('{"type":"error"}', 529), expected)).toThrow('status 529');
});

test('what came from the cache belongs to the prompt', () => {
  const body = message(3).replace('"input_tokens":100', '"input_tokens":10,"cache_read_input_tokens":90');
  checkMessage(reply(body), expected);
});

test.each([
  { tokens: 250, isPlausible: true },
  { tokens: 20, isPlausible: false },
  { tokens: 1001, isPlausible: false },
])('$tokens tokens for 1,000 bytes: plausible $isPlausible', ({ tokens, isPlausible }) => {
  const check = () => checkTokenCount(reply(`{"input_tokens":${tokens}}`), 1000);
  if (isPlausible) check();
  else expect(check).toThrow('in 1000 bytes');
});
