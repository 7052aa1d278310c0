import { json } from '../../helpers/fakeUpstream.ts';
import { events, flood } from '../answering.ts';
import { type Question, question, wholeQuestion } from '../client.ts';
import type { Scenario } from '../scenario.ts';
import { callHistory, isTaken } from './requests.ts';

const streamed: readonly Question[] = [question('responses,hostile')];
const several = (count: number): readonly Question[] =>
  Array.from({ length: count }, () => question('responses,hostile'));
const whole: readonly Question[] = [wholeQuestion('responses,hostile')];

const event = (type: string, fields: object) => `data: ${JSON.stringify({ type: `response.${type}`, ...fields })}\n\n`;
const textDelta = (at: number, delta: string) =>
  event('output_text.delta', { output_index: at, content_index: 0, delta });
const argumentsDelta = (at: number, delta: string) =>
  event('function_call_arguments.delta', { output_index: at, delta });
const added = (at: number, item: object) => event('output_item.added', { output_index: at, item });
const done = (at: number, item: object) => event('output_item.done', { output_index: at, item });
const callOf = (text: string) => ({ type: 'function_call', call_id: 'c', name: 'T', arguments: text });
const USAGE = { input_tokens: 10, output_tokens: 2, total_tokens: 12 };
const searchOf = (query: string) => ({
  type: 'web_search_call',
  action: {
    type: 'search',
    query,
    sources: many(1000, (at) => `https://a.test/${at} `)
      .split(' ')
      .map((url) => ({ url })),
  },
});
const citing = {
  type: 'message',
  content: [
    {
      type: 'output_text',
      text: 'x'.repeat(100_000),
      annotations: Array.from({ length: 100_000 }, (_, at) => ({
        type: 'url_citation',
        url: `https://b.test/${at}`,
        start_index: -at,
        end_index: 1e308,
      })),
    },
  ],
};
const response = (output: readonly object[]) => ({ object: 'response', status: 'completed', output, usage: USAGE });
const FINISH = event('completed', { response: response([]) });

const many = (count: number, each: (position: number) => string) =>
  Array.from({ length: count }, (_, at) => each(at)).join('');
const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;

/** What a provider of the Responses API may do to an instance. */
const answers: readonly Omit<Scenario, 'questions'>[] = [
  {
    name: 'begins items without end: 60 MB',
    provider: flood({ block: many(1000, (at) => added(at, { type: 'message' })), megabytes: 60, last: FINISH }),
  },
  {
    name: 'begins 100,000 items',
    provider: events(
      many(100_000, (at) => added(at, { type: 'message' })),
      FINISH,
    ),
  },
  {
    name: 'writes a letter into each of 100,000 items',
    provider: events(
      many(100_000, (at) => textDelta(at, 'a')),
      FINISH,
    ),
  },
  {
    name: 'puts items at absurd places',
    provider: events(
      ...[-1, 1.5, 1e15, 2 ** 53, 1e308].map((at) => added(at, { type: 'message' }) + textDelta(at, 'hello')),
      FINISH,
    ),
  },
  { name: 'writes 300,000 single letters', provider: events(textDelta(0, 'a').repeat(300_000), FINISH) },
  {
    name: 'writes single letters of an item whose turn never comes: 60 MB',
    provider: flood({ block: textDelta(1, 'a').repeat(1000), megabytes: 60, last: FINISH }),
  },
  {
    name: 'writes arguments of 8 MB',
    provider: events(
      added(0, callOf('')),
      argumentsDelta(0, '{"a":"'),
      many(800, (at) => argumentsDelta(0, `${at}${'y'.repeat(9990)}`)),
      argumentsDelta(0, '"}'),
      done(0, callOf('')),
      FINISH,
    ),
  },
  {
    name: 'writes arguments without end: 60 MB',
    provider: flood({ block: many(7, (at) => argumentsDelta(0, `${at}`.repeat(9000))), megabytes: 60, last: FINISH }),
  },
  {
    name: 'encrypts a thought of 200 kB',
    provider: events(
      done(0, { type: 'reasoning', summary: [], encrypted_content: 'A'.repeat(200_000) }),
      textDelta(1, 'hello'),
      FINISH,
    ),
  },
  {
    name: 'encrypts thoughts without end: 60 MB',
    provider: flood({
      block: done(1, { type: 'reasoning', summary: [], encrypted_content: 'A'.repeat(60_000) }),
      megabytes: 60,
      last: FINISH,
    }),
  },
  {
    name: 'nests junk 100,000 levels deep',
    provider: events(`data: {"type":"response.output_item.done","output_index":0,"item":${deep}}\n\n`, FINISH),
  },
  {
    name: 'sends 200,000 events that nobody knows',
    provider: events(event('quite_new.delta', { delta: 'no' }).repeat(200_000), textDelta(0, 'hello'), FINISH),
  },
  {
    name: 'invents 20,000 types of items',
    provider: events(
      many(20_000, (at) => done(at, { type: `new_${at}`, id: `i${at}` })),
      FINISH,
    ),
  },
  {
    name: 'says everything at its end, 20,000 calls',
    provider: events(
      event('completed', {
        response: response(Array.from({ length: 20_000 }, () => callOf('{}'))),
      }),
    ),
  },
  {
    name: 'searches 500 times, and cites 100,000 pages',
    provider: events(
      many(500, (at) => done(at, searchOf('q'.repeat(2000)))),
      done(500, citing),
      FINISH,
    ),
  },
  {
    name: 'searches without end: 60 MB',
    provider: flood({ block: many(20, (at) => done(at, searchOf(`${at}`))), megabytes: 60, last: FINISH }),
  },
  {
    name: 'goes on behind its end: 60 MB',
    provider: flood({ first: textDelta(0, 'hello') + FINISH, block: textDelta(0, 'x'.repeat(9000)), megabytes: 60 }),
  },
  { name: 'fails without a word', provider: events(event('failed', { response: { status: 'failed', error: null } })) },
  { name: 'ends its answer before it began', provider: events(event('created', { response: { id: 'r' } })) },
];

const hello = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'hello' }] };

const bodies: readonly Scenario[] = [
  {
    name: 'gets a history of 12,000 tool calls',
    provider: json(200, response([hello])),
    questions: () => [wholeQuestion('responses,hostile', { messages: callHistory(12_000) })],
    holds: isTaken,
  },
  {
    name: 'answers with 20,000 calls in one piece',
    provider: json(200, response(Array.from({ length: 20_000 }, () => callOf('{}')))),
    questions: whole,
  },
  {
    name: 'answers with members of every wrong type',
    provider: json(200, {
      object: 'response',
      status: 7,
      output: [null, 1, 'x', [], {}, { type: 'message', content: 5 }],
    }),
    questions: whole,
  },
];

export const responseScenarios: readonly Scenario[] = [
  ...answers.map((scenario) => ({ ...scenario, questions: streamed })),
  {
    name: 'writes text of an item whose turn never comes: four streams of 60 MB',
    provider: flood({ block: textDelta(1, 'x'.repeat(60_000)), megabytes: 60, last: FINISH }),
    questions: several(4),
  },
  ...bodies,
];
