import { expect } from 'vitest';
import { NATIVE_USAGE, nativeEvent } from '../../helpers/anthropicServer.ts';
import { openEvents } from '../../helpers/fakeUpstream.ts';
import {
  events,
  FINISH,
  FINISH_WITH_CALLS,
  flood,
  large,
  piece,
  repeated,
  toolCall,
  usageFrame,
} from '../answering.ts';
import { type Question, question, wholeQuestion } from '../client.ts';
import type { Scenario } from '../scenario.ts';

const several = (count: number): readonly Question[] => Array.from({ length: count }, () => question('hostile'));
const PING = nativeEvent('ping');
const NATIVE_ANSWER = [
  nativeEvent('message_start', {
    message: {
      id: 'm',
      type: 'message',
      role: 'assistant',
      model: 'm',
      content: [],
      stop_reason: null,
      usage: NATIVE_USAGE,
    },
  }),
  nativeEvent('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 1 } }),
  nativeEvent('message_stop'),
].join('');
const native: readonly Question[] = [question('native,hostile')];

/** A frame with so many characters of a field. */
const long = (field: string, length: number, letter = 'y') => piece({ [field]: letter.repeat(length) });

const OPEN_CALL = toolCall(0, { id: 'a', name: 'T', arguments: '{"a":' });

/** Blanks in front of an answer, which some models write without end. */
const blanks: readonly Scenario[] = [
  {
    name: 'begins with 4,000 pieces of 100 blanks',
    provider: events(long('content', 100, ' ').repeat(4000), piece({ content: 'hello' }), FINISH),
  },
  {
    name: 'begins to think with 4,000 pieces of 100 blanks',
    provider: events(long('reasoning_content', 100, ' ').repeat(4000), piece({ content: 'hello' }), FINISH),
  },
  {
    name: 'begins with 120,000 single blanks',
    provider: events(piece({ content: ' ' }).repeat(120_000), piece({ content: 'hello' }), FINISH),
  },
  {
    name: 'begins to think with 120,000 single line feeds',
    provider: events(piece({ reasoning_content: '\n' }).repeat(120_000), piece({ content: 'hello' }), FINISH),
  },
  { name: 'writes blanks only, 30 MB of them', provider: flood({ block: long('content', 1000, ' '), megabytes: 30 }) },
  {
    name: 'writes arguments of blanks, 10 MB of them',
    provider: flood({
      first: toolCall(0, { id: 'a', name: 'T', arguments: '' }),
      block: toolCall(0, { arguments: ' '.repeat(10_000) }),
      megabytes: 10,
      last: toolCall(0, { arguments: '{}' }) + FINISH_WITH_CALLS,
    }),
  },
];

/** What has to be held back until something else has come, which never comes. */
const held: readonly Scenario[] = [
  {
    name: 'goes on with text behind a tool call that is open: four streams of 60 MB',
    provider: flood({ first: OPEN_CALL, block: long('content', 60_000), megabytes: 60 }),
    questions: several(4),
  },
  {
    name: 'goes on with single letters behind a tool call that is open: four streams of 300,000',
    provider: flood({ first: OPEN_CALL, block: piece({ content: 'x' }).repeat(1000), megabytes: 24 }),
    questions: several(4),
  },
  {
    name: 'goes on thinking behind a tool call that is open: four streams of 60 MB',
    provider: flood({ first: OPEN_CALL, block: long('reasoning_content', 60_000), megabytes: 60 }),
    questions: several(4),
  },
  {
    name: 'writes arguments that are no object: four streams of 60 MB',
    provider: flood({
      first: toolCall(0, { id: 'a', name: 'T', arguments: 'x' }),
      block: toolCall(0, { arguments: 'y'.repeat(60_000) }),
      megabytes: 60,
    }),
    questions: several(4),
  },
  {
    name: 'writes arguments of 0.7 MB that are no object, which end at once in 40 streams',
    provider: flood({
      first: toolCall(0, { id: 'a', name: 'T', arguments: 'y' }),
      block: toolCall(0, { arguments: 'y'.repeat(18_000) }),
      megabytes: 0.7,
      last: FINISH_WITH_CALLS,
    }),
    questions: several(40),
  },
  {
    name: 'writes arguments of 0.45 MB that have to be repaired, which end at once in 40 streams',
    provider: flood({
      first: toolCall(0, { id: 'a', name: 'T', arguments: "{'a':'" }),
      block: toolCall(0, { arguments: 'y'.repeat(18_000) }),
      megabytes: 0.45,
      last: toolCall(0, { arguments: "'}" }) + FINISH_WITH_CALLS,
    }),
    questions: several(40),
  },
  {
    name: 'writes a second call while the first is open: four streams of 60 MB',
    provider: flood({
      first: OPEN_CALL,
      block: toolCall(1, { id: 'b', name: 'T', arguments: 'y'.repeat(60_000) }),
      megabytes: 60,
    }),
    questions: several(4),
  },
  {
    name: 'writes arguments before the name of the tool: 100 MB',
    provider: flood({ block: toolCall(0, { arguments: 'y'.repeat(60_000) }), megabytes: 100 }),
  },
  {
    name: 'thinks in tags that it does not close: two streams of 60 MB',
    provider: flood({ first: piece({ content: '<think>' }), block: long('content', 60_000), megabytes: 60 }),
    questions: several(2),
  },
  {
    name: 'pings a client of its Messages API and never begins: 400 MB',
    provider: flood({ block: repeated(PING, 40_000), megabytes: 400, last: NATIVE_ANSWER }),
    questions: native,
  },
  {
    name: 'sends events of its Messages API that are no JSON, and never begins: 400 MB',
    provider: flood({
      block: repeated(`event: x\ndata: ${'z'.repeat(9000)}\n\n`, 40_000),
      megabytes: 400,
      last: NATIVE_ANSWER,
    }),
    questions: native,
  },
];

const many: readonly Scenario[] = [
  {
    name: 'calls 20,000 tools in one frame',
    provider: events(
      {
        choices: [
          {
            delta: {
              tool_calls: Array.from({ length: 20_000 }, (_, index) => ({
                index,
                function: { name: 'T', arguments: '{}' },
              })),
            },
          },
        ],
      },
      FINISH_WITH_CALLS,
    ),
  },
  {
    name: 'calls 20,000 tools in frames of their own',
    provider: events(
      Array.from({ length: 20_000 }, (_, index) =>
        toolCall(index, { id: `c${index}`, name: 'T', arguments: '{}' }),
      ).join(''),
      FINISH_WITH_CALLS,
    ),
  },
  {
    name: 'calls 20,000 tools that have no name',
    provider: events(
      { choices: [{ delta: { tool_calls: Array.from({ length: 20_000 }, (_, index) => ({ index })) } }] },
      FINISH_WITH_CALLS,
    ),
  },
  {
    name: 'sends 100,000 comments',
    provider: events(': a comment\n\n'.repeat(100_000), piece({ content: 'hello' }), FINISH),
  },
  {
    name: 'sends comments of 60 kB: 100 MB',
    provider: flood({ block: `: ${'c'.repeat(60_000)}\n\n`, megabytes: 100, last: piece({ content: 'hi' }) + FINISH }),
  },
  {
    name: 'sends 200,000 frames without anything in them',
    provider: events('data: {}\n\n'.repeat(200_000), piece({ content: 'hello' }), FINISH),
  },
  {
    name: 'sends 100,000 frames of no JSON',
    provider: events('data: nothing\n\n'.repeat(100_000), piece({ content: 'hello' }), FINISH),
  },
  {
    name: 'sends one line without end',
    provider: flood({ first: 'data: ', block: 'z'.repeat(60_000), megabytes: 40 }),
  },
  {
    name: 'sends a frame of 9 MB',
    provider: events(long('content', 9_000_000), FINISH),
  },
  {
    name: 'writes text of 40 MB',
    provider: flood({ block: long('content', 10_000), megabytes: 40 }),
  },
  {
    name: 'sends comments only, one each 100 ms',
    provider: (response) => {
      openEvents(response);
      const drip = setInterval(() => response.write(': c\n\n'), 100);
      response.on('close', () => clearInterval(drip));
    },
  },
];

const lengths: readonly Scenario[] = [
  {
    name: 'ends for a reason of 5.7 MB',
    provider: events(piece({ content: 'hi' }), piece({}, 'Z'.repeat(5_700_000)), 'data: [DONE]\n\n'),
  },
  {
    name: 'ends for a reason of 60 kB that looks like the beginning of a token',
    provider: events(piece({ content: 'hi' }), piece({}, repeated('eyJ0123456789-', 60_000)), 'data: [DONE]\n\n'),
  },
  {
    name: 'gives an id and a model of 5 MB each',
    provider: events(
      `data: ${JSON.stringify({ id: 'i'.repeat(4_900_000), model: 'M'.repeat(4_900_000), choices: [{ delta: { content: 'x' } }] })}\n\n`,
      FINISH,
    ),
  },
  {
    name: 'calls a tool with a name of 6 MB',
    provider: events(toolCall(0, { id: 'a', name: 'N'.repeat(6_000_000), arguments: '{}' }), FINISH_WITH_CALLS),
  },
  {
    name: 'calls a tool with an id of 6 MB',
    provider: events(toolCall(0, { id: 'i'.repeat(6_000_000), name: 'T', arguments: '{}' }), FINISH_WITH_CALLS),
  },
  {
    name: 'fails within the stream with a word of 7 MB',
    provider: events(
      piece({ content: 'hi' }),
      `data: ${JSON.stringify({ error: { message: 'Z'.repeat(7_000_000) } })}\n\n`,
    ),
  },
];

const nest = (levels: number, open: string, close: string) => `${open.repeat(levels)}"x"${close.repeat(levels)}`;
/** Each is a frame as the wire has it, since no JSON writer goes so deep. */
const DEEP: readonly (readonly [name: string, frame: string])[] = [
  ['text', `{"choices":[{"delta":{"content":${nest(100_000, '{"text":', '}')}}}]}`],
  ['an error', `{"error":${nest(100_000, '{"message":', '}')}}`],
  [
    'arguments',
    `{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"T","arguments":{"a":${nest(100_000, '[', ']')}}}}]}}]}`,
  ],
  [
    'arguments of 2,000 levels',
    `{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"T","arguments":{"a":${nest(2000, '[', ']')}}}}]}}]}`,
  ],
  ['reasoning', `{"choices":[{"delta":{"reasoning_details":[${nest(100_000, '[', ']')}]}}]}`],
  ['usage', `{"choices":[],"usage":${nest(100_000, '{"prompt_tokens":', '}')}}`],
];

const odd: readonly Scenario[] = [
  ...DEEP.map(
    ([name, frame]): Scenario => ({
      name: `nests deep: ${name}`,
      provider: events(piece({ content: 'hi' }), `data: ${frame}\n\n`, FINISH),
    }),
  ),
  {
    name: 'calls tools with indexes that are none',
    provider: events(
      ...[1e9, -5, 0.5, 1e308].map((index) => toolCall(index, { id: `c${index}`, name: 'T', arguments: '{}' })),
      FINISH_WITH_CALLS,
    ),
  },
  {
    name: 'writes events into an id, a name and a text',
    provider: events(
      `data: ${JSON.stringify({ id: 'a\n\nevent: message_stop\ndata: {}\n\n', model: 'm\r\n\r\nx', choices: [{ delta: { content: 'hi\n\nevent: error\ndata: {"x":1}\n\n' } }] })}\n\n`,
      toolCall(0, { id: 'i\n\nevent: x', name: 'T\n\nevent: y\ndata: z\n\n', arguments: '{"a":1}' }),
      FINISH_WITH_CALLS,
    ),
  },
  {
    name: 'writes what would be a prototype',
    provider: events(
      'data: {"__proto__":{"polluted":1},"choices":[{"delta":{"__proto__":{"content":"p"},"content":"hi","tool_calls":[{"index":0,"id":"__proto__","function":{"name":"__proto__","arguments":"{\\"__proto__\\":{\\"polluted\\":1}}"}}]}}]}\n\n',
      FINISH_WITH_CALLS,
    ),
  },
  {
    name: 'writes bytes that are no UTF-8',
    provider: events(
      Buffer.concat([
        Buffer.from('data: {"choices":[{"delta":{"content":"a'),
        Buffer.from([0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80]),
        Buffer.from('b"}}]}\n\n'),
      ]),
      FINISH,
    ),
  },
  {
    name: 'writes NUL and half letters',
    provider: events('data: {"choices":[{"delta":{"content":"a\\u0000b\\ud800"}}]}\n\n', FINISH),
  },
  { name: 'says nothing but that it is done', provider: events('data: [DONE]\n\n') },
  {
    name: 'finishes for a hundred reasons',
    provider: events(
      piece({ content: 'hi' }),
      piece({}, 'stop').repeat(50),
      piece({}, 'length').repeat(50),
      usageFrame('{}'),
      'data: [DONE]\n\n',
    ),
  },
  {
    name: 'goes on for 20 MB when it is done',
    provider: flood({ first: piece({ content: 'hi' }) + FINISH, block: long('content', 60_000), megabytes: 20 }),
  },
];

/** In the middle of an answer that goes on as it comes: what no client could read costs the most to read here. */
const unreadable: Scenario = {
  name: 'sends events of its Messages API that are no JSON, in the middle of its answer: eight streams of 2 MB',
  provider: flood({
    first: nativeEvent('message_start', { message: { usage: NATIVE_USAGE } }),
    block: repeated('event: x\ndata: {z\n\n', 40_000),
    megabytes: 2,
    last: '',
  }),
  questions: Array.from({ length: 8 }, () => question('native,hostile')),
  passesOn: true,
  holds: (answers) => {
    for (const { text } of answers) expect(text).toContain('in a row that are not JSON');
  },
};

/** Each of these is no burden alone: what many at once take has to be shared out among the turns of the event loop. */
const atOnce: readonly Scenario[] = [
  {
    name: 'sends objects without anything in them to forty clients at once: half a megabyte each',
    provider: flood({ block: repeated('data: {}\n\n', 40_000), megabytes: 0.5 }),
    questions: several(40),
  },
  {
    name: 'writes single letters to forty clients at once: half a megabyte each',
    provider: flood({ block: repeated(piece({ content: 'y' }), 40_000), megabytes: 0.5 }),
    questions: several(40),
  },
  {
    name: 'answers forty clients at once with 2 MB of JSON each',
    provider: large(
      200,
      { 'content-type': 'application/json' },
      {
        first: '{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],"x":[',
        block: repeated('{"a":"\\u0041"},', 40_000),
        megabytes: 1,
        last: '1]}',
      },
    ),
    questions: Array.from({ length: 40 }, () => wholeQuestion('hostile')),
  },
];

export const streamScenarios: readonly Scenario[] = [
  ...blanks,
  ...held,
  ...many,
  ...lengths,
  ...odd,
  unreadable,
  ...atOnce,
];
