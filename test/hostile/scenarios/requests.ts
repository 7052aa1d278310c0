import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { json, openEvents, words } from '../../helpers/fakeUpstream.ts';
import { flood, piece, repeated } from '../answering.ts';
import { type Answer, COUNT_TOKENS, type Question, question, wholeQuestion } from '../client.ts';
import type { Scenario } from '../scenario.ts';

const counted = (fields: Record<string, unknown>): Question => ({
  path: COUNT_TOKENS,
  body: { model: 'hostile', messages: [{ role: 'user', content: 'x' }], ...fields },
});

/** A body whose JSON is written by hand: a list of so many bytes in a field that nobody knows. */
const listBody = (item: string, bytes: number) =>
  `{"model":"hostile","max_tokens":5,"x":[${repeated(`${item},`, bytes)}${item}],"messages":[{"role":"user","content":"x"}]}`;

const packed = (text: string, isChunked = false): Question => ({
  path: COUNT_TOKENS,
  headers: { 'content-encoding': 'gzip' },
  body: gzipSync(text),
  isChunked,
});

const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;

/** A history of tool calls and their results, in which all calls have one id. */
function repeatedIds(calls: number): Question {
  const messages = Array.from({ length: calls }, () => [
    { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'T', input: {} }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'x' }] },
  ]).flat();
  return wholeQuestion('hostile', { messages: [{ role: 'user', content: 'x' }, ...messages] });
}

/** A history of tool calls and their results. */
export const callHistory = (calls: number) =>
  Array.from({ length: calls }, (_, index) => [
    { role: 'assistant', content: [{ type: 'tool_use', id: `toolu_${index}`, name: 'T', input: {} }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: `toolu_${index}`, content: 'x' }] },
  ]).flat();

const statuses = (answers: readonly Answer[]) => answers.map(({ status }) => status);

export const isTaken = (answers: readonly Answer[]) => {
  expect(statuses(answers).filter((status) => status !== 200)).toEqual([]);
};
const blocks = (count: number) => Array.from({ length: count }, () => ({ type: 'text', text: 'x' }));

const isRefused = (answers: readonly Answer[]) => {
  for (const { status, path, text } of answers) {
    expect([400, 413, 415, 429, 501, 529], `${path} is answered ${text.slice(0, 200)}`).toContain(status);
  }
};

export const requestScenarios: readonly Scenario[] = [
  {
    name: 'asks for a model of 50,000 dashes',
    questions: [
      counted({ model: `claude-${'-'.repeat(50_000)}\nx` }),
      wholeQuestion(`claude-${'-'.repeat(50_000)}\nx`),
    ],
  },
  {
    name: 'asks for a model of 7 MB',
    questions: [wholeQuestion('m'.repeat(7_000_000))],
    holds: isRefused,
  },
  {
    name: 'asks for a model that the provider does not know, by the longest name that is read',
    provider: json(404, { error: { message: 'model not found', code: 'model_not_found' } }),
    questions: [wholeQuestion('m'.repeat(1000))],
  },
  {
    name: 'asks for models of 100 kB full of commas and slashes',
    questions: [
      wholeQuestion(repeated('a,', 100_000)),
      wholeQuestion(repeated('custom/', 100_000)),
      wholeQuestion(repeated('[1m]', 100_000)),
      wholeQuestion(repeated('claude-3-', 100_000)),
    ],
  },
  {
    name: 'asks for 120 models with names of 1 MB, and then has a question of 4 MB',
    act: async (stage) => {
      const answers: Answer[] = [];
      for (let round = 0; round < 12; round += 1) {
        const asked = Array.from({ length: 10 }, (_, index) =>
          counted({ model: `${round}-${index}`.padEnd(1_000_000, 'm') }),
        );
        answers.push(...(await Promise.all(asked.map(stage.ask))));
      }
      const messages = [{ role: 'user', content: 'a word '.repeat(600_000) }];
      const last = await stage.ask(wholeQuestion('ordinary', { messages }));
      expect(last.status, last.text.slice(0, 300)).toBe(200);
      return answers;
    },
    holds: async (_answers, stage) => {
      const { usedMib } = await stage.memory();
      expect(Math.round(usedMib - stage.atRest.usedMib), 'what is left of the names, in MiB').toBeLessThanOrEqual(20);
    },
  },
  {
    name: 'packs 60 MB of objects into 60 kB',
    questions: () => [packed(listBody('{}', 60_000_000))],
  },
  {
    name: 'packs 60 MB of objects into 60 kB, in chunks',
    questions: () => [packed(listBody('{}', 60_000_000), true)],
  },
  {
    name: 'packs 60 MB of text into 60 kB, eight times at once',
    questions: () => {
      const body = packed(`{"model":"hostile","messages":[{"role":"user","content":"${'a'.repeat(60_000_000)}"}]}`);
      return Array.from({ length: 8 }, () => body);
    },
  },
  {
    name: 'packs 300 MB of blanks into 300 kB',
    questions: () => [{ ...packed(''), body: gzipSync(Buffer.alloc(300_000_000, ' ')) }],
    holds: isRefused,
  },
  {
    name: 'says gzip and sends none',
    questions: [{ path: COUNT_TOKENS, headers: { 'content-encoding': 'gzip' }, body: '{}' }],
    holds: isRefused,
  },
  {
    name: 'sends a list of 125,000 objects',
    questions: [
      { path: COUNT_TOKENS, body: listBody('{}', 375_000) },
      { body: listBody('{}', 375_000) },
      { path: COUNT_TOKENS, body: listBody('[1]', 1_000_000) },
    ],
  },
  {
    name: 'sends metadata with 125,000 objects',
    questions: [wholeQuestion('hostile', { metadata: { x: Array.from({ length: 125_000 }, () => ({})) } })],
  },
  {
    name: 'sends 30 MB of numbers',
    questions: () => [{ path: COUNT_TOKENS, body: listBody('1', 30_000_000) }],
  },
  {
    name: 'sends JSON of 100,000 levels in every place',
    questions: [
      { body: `{"model":"hostile","max_tokens":5,"messages":${deep(100_000)}}` },
      { body: `{"model":"hostile","max_tokens":5,"messages":[{"role":"user","content":${deep(100_000)}}]}` },
      {
        body: `{"model":"hostile","max_tokens":5,"tools":${deep(100_000)},"messages":[{"role":"user","content":"x"}]}`,
      },
      { body: deep(100_000), path: COUNT_TOKENS },
      { body: deep(100_000), path: '/v1/chat/completions' },
    ],
    holds: isRefused,
  },
  {
    name: 'has a history of 2,000 tool calls with one id',
    questions: [repeatedIds(2000)],
  },
  {
    name: 'has a history of 10,000 messages',
    questions: () => [
      wholeQuestion('hostile', {
        messages: Array.from({ length: 10_000 }, (_, index) => ({
          role: index % 2 === 0 ? 'user' : 'assistant',
          content: 'x',
        })),
      }),
    ],
    holds: isTaken,
  },
  {
    name: 'has a message of 15,000 blocks',
    questions: () => [wholeQuestion('hostile', { messages: [{ role: 'user', content: blocks(15_000) }] })],
    holds: isTaken,
  },
  {
    name: 'has a message of 50,000 blocks, more than can be parsed at a stretch',
    questions: () => [wholeQuestion('hostile', { messages: [{ role: 'user', content: blocks(50_000) }] })],
    holds: isRefused,
  },
  {
    name: 'has a history of 12,000 tool calls',
    questions: () => [wholeQuestion('hostile', { messages: callHistory(12_000) })],
    holds: isTaken,
  },
  {
    name: 'has a tool whose schema has 20,000 properties',
    questions: () => {
      const properties = Object.fromEntries(
        Array.from({ length: 20_000 }, (_, index) => [`p${index}`, { type: 'string' }]),
      );
      return [wholeQuestion('hostile', { tools: [{ name: 'T', input_schema: { type: 'object', properties } }] })];
    },
  },
  {
    name: 'has a text of 30 MB of escaped letters',
    questions: () => [wholeQuestion('hostile', { messages: [{ role: 'user', content: '\n'.repeat(15_000_000) }] })],
    holds: isRefused,
  },
  {
    name: 'has a system prompt of 50,000 blocks',
    questions: () => {
      const system = Array.from({ length: 50_000 }, () => ({
        type: 'text',
        text: 'x',
        cache_control: { type: 'ephemeral' },
      }));
      return [wholeQuestion('hostile', { system })];
    },
  },
  {
    name: 'has 50,000 stop sequences',
    questions: [question('hostile', { stop_sequences: Array.from({ length: 50_000 }, (_, index) => `stop ${index}`) })],
  },
  {
    name: 'wants numbers that there are not',
    questions: [-1, 0, 1e308, 0.5, '5', null, [], {}].map((value) =>
      wholeQuestion('hostile', { max_tokens: value, temperature: value, top_p: value, top_k: value }),
    ),
  },
  {
    name: 'asks in a hundred ways that are no request',
    questions: [
      'null',
      '[]',
      '1',
      '"x"',
      '{',
      '{"model":1}',
      '\u0000',
      '{"messages":{}}',
      '{"model":"x","messages":[null]}',
      '',
    ].flatMap((body) =>
      ['/v1/messages', COUNT_TOKENS, '/v1/chat/completions', '/v1/messages/test_conversion'].map((path) => ({
        path,
        body,
      })),
    ),
  },
  {
    name: 'sends 58 MB to eight questions at once, for which there is no memory',
    questions: () => {
      const body = `{"model":"hostile","max_tokens":5,"x":"${'x'.repeat(58_000_000)}"}`;
      return Array.from({ length: 8 }, (_, index) => ({ path: COUNT_TOKENS, body, isChunked: index % 2 === 0 }));
    },
  },
  {
    name: 'wants to be shown what a text of 10 MB would be, by three APIs',
    inTurn: true,
    questions: () =>
      ['', 'responses,', 'native,'].map((provider) => ({
        ...question(`${provider}hostile`, { messages: [{ role: 'user', content: 'x'.repeat(10_000_000) }] }),
        path: '/v1/messages/test_conversion',
      })),
    holds: isTaken,
  },
  {
    name: 'uploads a file of 60 MB that is no JSON',
    questions: () => [{ body: 'z'.repeat(60_000_000) }],
    holds: isRefused,
  },
  {
    name: 'leaves in the middle of 100 streams',
    act: async (stage) => {
      stage.behave((response) => {
        openEvents(response);
        const drip = setInterval(() => response.write(piece({ content: 'x'.repeat(1000) })), 100);
        response.on('close', () => clearInterval(drip));
      });
      const asked = Array.from({ length: 100 }, () => stage.ask({ ...question('hostile'), leavesAfterMs: 500 }));
      await Promise.all(asked);
      await expect.poll(async () => (await stage.health()).in_flight, { timeout: 6000 }).toBe(0);
      return [];
    },
  },
  {
    name: 'lets 40 streams of 40 MB be sent and reads nothing of them',
    act: async (stage) => {
      stage.behave(flood({ block: piece({ content: 'y'.repeat(10_000) }), megabytes: 40 }));
      await Promise.all(
        Array.from({ length: 40 }, () =>
          stage.ask({ ...question('hostile'), leavesAfterMs: 1500, readsNothing: true }),
        ),
      );
      return [];
    },
  },
  {
    name: 'tests the connection to a provider that streams without end',
    provider: flood({ block: piece({ content: 'y'.repeat(1000) }), megabytes: 60 }),
    questions: [{ path: '/test-connection', method: 'GET', body: '' }],
  },
  {
    name: 'asks 300 times, and the provider ends each connection just behind its answer',
    act: async (stage) => {
      stage.behave((response, request) => {
        const { socket } = response; // the answer has none any more when it is over
        response.on('finish', () => setTimeout(() => socket?.resetAndDestroy(), Math.random() * 4));
        return words('fine')(response, request);
      });
      const answers: Answer[] = [];
      for (let count = 0; count < 300; count += 1) answers.push(await stage.ask(wholeQuestion('hostile')));
      return answers;
    },
    holds: isTaken,
  },
  {
    name: 'names a host that is none',
    questions: ['[::1]evil', '127.0.0.1:80@x', 'localhost:x', 'evil.example', '127.0.0.1.evil.example'].map((host) => ({
      ...wholeQuestion('hostile'),
      headers: { host },
    })),
    holds: (answers) => {
      for (const status of statuses(answers)) expect([400, 403]).toContain(status);
    },
  },
  {
    name: 'sends a body in a coding that it is not',
    questions: [{ ...wholeQuestion('hostile'), isChunked: true, headers: { 'transfer-encoding': 'gzip, chunked' } }],
    holds: (answers) => {
      for (const status of statuses(answers)) expect([400, 501]).toContain(status);
    },
  },
];
