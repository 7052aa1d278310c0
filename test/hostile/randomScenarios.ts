import { gzipSync } from 'node:zlib';
import { nativeEvent } from '../helpers/anthropicServer.ts';
import { type Behaviour, json } from '../helpers/fakeUpstream.ts';
import { head } from '../helpers/rawUpstream.ts';
import {
  events,
  FINISH,
  FINISH_WITH_CALLS,
  flood,
  large,
  piece,
  rawBytes,
  repeated,
  toolCall,
  usageFrame,
} from './answering.ts';
import { COUNT_TOKENS, type Question, question, wholeQuestion } from './client.ts';
import { count, list, named, type Random, text } from './random.ts';
import { localUser } from './randomLocalUsers.ts';
import { spokenAnswer, spokenFlood, spokenRequest, wholeAnswer } from './randomProtocols.ts';
import type { Scenario } from './scenario.ts';
import { looking } from './scenarios/pictures.ts';
import { searching } from './scenarios/searches.ts';
import { LIMITED } from './stage.ts';

let limited = 0;

/** 1: how long to wait. */
function pause(random: Random): Scenario {
  const value = random.pick([
    () => `${random.size(1, 10)}e${random.size(1, 400)}`,
    () => String(-random.size(1, 1e9)),
    () => '9'.repeat(random.size(1, 2000)),
    () => `${random.size(1, 1e9)}${random.pick(['ms', 's', 'm', 'h', 'd', 'x'])}`,
    () => new Date(random.size(1, 8.64e15)).toUTCString(),
  ])();
  const name = random.pick(['retry-after', 'retry-after-ms', 'x-ratelimit-reset-tokens', 'in the text'] as const);
  const headers = name === 'in the text' ? {} : { [name]: value, 'x-ratelimit-remaining-tokens': '0' };
  const model = `${LIMITED[limited++ % LIMITED.length]?.name},model`;
  return {
    name: named('pause', name, value.slice(0, 40)),
    provider: json(random.pick([429, 503, 529]), { error: { message: `try again in ${value}` } }, headers),
    questions: [wholeQuestion(model), question(model)],
  };
}

/** 2: words that are logged. */
function words(random: Random): Scenario {
  const length = random.size(1000, 7_000_000);
  const word = text(random, length);
  const place = random.pick(['finish', 'id', 'model', 'tool', 'call id', 'error', 'stream error', 'tool server']);
  const providers: Record<string, Behaviour> = {
    finish: events(piece({ content: 'hi' }), piece({}, word), 'data: [DONE]\n\n'),
    id: events(`data: ${JSON.stringify({ id: word, choices: [{ delta: { content: 'x' } }] })}\n\n`, FINISH),
    model: events(`data: ${JSON.stringify({ model: word, choices: [{ delta: { content: 'x' } }] })}\n\n`, FINISH),
    tool: events(toolCall(0, { id: 'a', name: word, arguments: '{}' }), FINISH_WITH_CALLS),
    'call id': events(toolCall(0, { id: word, name: 'T', arguments: '{}' }), FINISH_WITH_CALLS),
    error: json(500, { error: { message: word, code: word, type: word } }),
    'stream error': events(piece({ content: 'hi' }), `data: ${JSON.stringify({ error: { message: word } })}\n\n`),
  };
  const provider = providers[place];
  if (provider !== undefined) return { name: named('words', place, length), provider };
  return { name: named('words', place, length), questions: [wholeQuestion('hostile', { tools: [{ name: word }] })] };
}

/** 3: texts that are searched. */
function searched(random: Random): Scenario {
  const length = random.size(100, 400_000);
  const status = random.pick([400, 404, 413, 422, 500, 502, 529]);
  if (random.next() < 0.3) {
    const model = text(random, random.size(10, 200_000));
    return {
      name: named('model name', model.length, model.slice(0, 30)),
      questions: [wholeQuestion(model), { path: COUNT_TOKENS, body: { model, messages: [] } }],
    };
  }
  const message = text(random, length);
  const isJson = random.coin;
  return {
    name: named('error text', status, length, message.slice(0, 30), isJson ? 'JSON' : 'page'),
    provider: isJson
      ? json(status, { error: { message, code: text(random, 100) }, x: text(random, length) })
      : (response) => void response.writeHead(status, { 'content-type': 'text/html' }).end(`<html>${message}`),
    questions: [wholeQuestion('hostile'), question('hostile')],
  };
}

function toolSchema(random: Random, size: number): unknown {
  const each = <T>(create: (index: number) => T) => Array.from({ length: size }, (_, index) => create(index));
  const keyword = random.pick(['allOf', 'anyOf', 'oneOf']);
  const kinds: readonly [() => unknown, ...(() => unknown)[]] = [
    () => ({ type: 'object', [keyword]: each((index) => ({ properties: { [`p${index % 100}`]: { const: index } } })) }),
    () => ({ type: 'object', properties: { a: { enum: each((index) => (random.coin ? index : `v${index}`)) } } }),
    () => ({
      type: 'object',
      properties: { a: { $ref: '#/$defs/d0' } },
      $defs: Object.fromEntries(each((index) => [`d${index}`, { $ref: `#/$defs/d${index + 1}` }])),
    }),
    () => ({ type: 'object', properties: Object.fromEntries(each((index) => [`p${index}`, { type: 'string' }])) }),
    () => ({
      type: 'object',
      properties: { a: { description: text(random, size * 10), pattern: text(random, size) } },
    }),
  ];
  return random.pick(kinds)();
}

/** 4: many parts. */
function parts(random: Random): Scenario {
  const size = random.size(10, 20_000);
  const each = <T>(create: (index: number) => T) => Array.from({ length: size }, (_, index) => create(index));
  const ids = random.size(1, size + 1);
  const kinds: readonly [() => Scenario, ...(() => Scenario)[]] = [
    () => ({
      name: named('tool calls', size, ids),
      provider: events(
        each((index) => toolCall(index, { id: `c${index % ids}`, name: 'T', arguments: '{}' })).join(''),
        FINISH_WITH_CALLS,
      ),
    }),
    () => ({
      name: named('history of tool calls', size, ids),
      questions: [
        wholeQuestion('hostile', {
          messages: each((index) => [
            { role: 'assistant', content: [{ type: 'tool_use', id: `toolu_${index % ids}`, name: 'T', input: {} }] },
            {
              role: 'user',
              content: [{ type: 'tool_result', tool_use_id: `toolu_${index % ids}`, content: text(random, 10) }],
            },
          ]).flat(),
        }),
      ],
    }),
    () => {
      const provider = random.pick(['', 'openapi,', 'mfjs,']);
      return {
        name: named('schema', provider, size),
        questions: [
          wholeQuestion(`${provider}hostile`, { tools: [{ name: 'T', input_schema: toolSchema(random, size) }] }),
        ],
      };
    },
    () => {
      const field = random.pick(['content', 'reasoning_content']);
      const blanks = random.pick([' ', '\n', '\t', '\u00a0']).repeat(random.size(1, 2000));
      const pieces = Math.min(size * 5, Math.ceil(8_000_000 / blanks.length));
      return {
        name: named('blanks', field, blanks.length, pieces),
        provider: events(piece({ [field]: blanks }).repeat(pieces), piece({ content: 'hello' }), FINISH),
      };
    },
  ];
  return random.pick(kinds)();
}

/** 5: memory. */
function memory(random: Random): Scenario {
  const megabytes = random.size(1, 60);
  const streams = random.size(1, 5);
  const asked: Question[] = Array.from({ length: streams }, () => question('hostile'));
  const length = random.size(1, 60_000);
  const block = (frame: string) => repeated(frame, Math.max(frame.length, 40_000));
  const open = toolCall(0, { id: 'a', name: 'T', arguments: '{"a":' });
  const kinds: readonly [() => Scenario, ...(() => Scenario)[]] = [
    () => {
      const field = random.pick(['content', 'reasoning_content']);
      return {
        name: named('text behind an open call', field, length, megabytes, streams),
        provider: flood({ first: open, block: block(piece({ [field]: 'y'.repeat(length) })), megabytes }),
        questions: asked,
      };
    },
    () => ({
      name: named('arguments', length, megabytes, streams),
      provider: flood({
        first: random.coin ? open : '',
        block: block(toolCall(random.size(1, 3) - 1, { arguments: text(random, length) })),
        megabytes,
      }),
      questions: asked,
    }),
    () => {
      const frame = random.coin ? nativeEvent('ping') : `event: x\ndata: ${'z'.repeat(length)}\n\n`;
      return {
        name: named('native endpoint that does not begin', frame.length, megabytes * 5),
        provider: flood({ block: block(frame), megabytes: megabytes * 5, last: '' }),
        questions: [question('native,hostile')],
      };
    },
    () => {
      const line = text(random, random.size(1, 200_000)).replaceAll(/[\r\n]/g, '');
      const chunk = random.size(1, 50);
      const chunks = Buffer.from(
        (line.match(new RegExp(`.{1,${chunk}}`, 'gsu')) ?? [])
          .map((part) => `${Buffer.byteLength(part).toString(16)}\r\n${part}\r\n`)
          .join(''),
      );
      return {
        name: named('small chunks', line.length, chunk),
        provider: rawBytes(
          head('200 OK', { 'content-type': 'text/event-stream', 'transfer-encoding': 'chunked' }),
          '6\r\ndata: \r\n',
          chunks,
        ),
      };
    },
    () => {
      const bytes = random.size(1000, 63_000_000);
      const items = list(random, bytes);
      const body = `{"model":"hostile","max_tokens":5,"x":${items},"messages":[{"role":"user","content":"x"}]}`;
      const isPacked = random.coin;
      const isChunked = random.coin;
      return {
        name: named('request of items', items.slice(0, 20), bytes, isPacked ? 'gzip' : 'plain', streams),
        questions: Array.from({ length: streams }, () => ({
          path: random.pick([COUNT_TOKENS, '/v1/messages', '/v1/messages/test_conversion']),
          body: isPacked ? gzipSync(body) : body,
          headers: isPacked ? { 'content-encoding': 'gzip' } : {},
          isChunked,
        })),
      };
    },
    () => {
      const bytes = random.size(1000, 30_000_000);
      const items = list(random, 100_000);
      const first = `{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],"x":[`;
      return {
        name: named('answer of items', items.slice(0, 20), bytes),
        provider: large(
          200,
          { 'content-type': 'application/json' },
          { first, block: `${items},`, megabytes: bytes / 1e6, last: '1]}' },
        ),
        questions: [wholeQuestion('hostile')],
      };
    },
    () => {
      const items = list(random, random.size(1000, 7_000_000));
      const field = random.pick(['x', 'content', 'tool_calls', 'reasoning_details']);
      return {
        name: named('frame of items', field, items.slice(0, 20), items.length),
        provider: events(`data: {"choices":[{"delta":{"${field}":${items}}}]}\n\n`, piece({ content: 'hi' }), FINISH),
      };
    },
  ];
  return random.pick(kinds)();
}

/** 6: counts. */
function counts(random: Random): Scenario {
  const usage = `{"prompt_tokens":${count(random)},"completion_tokens":${count(random)},"prompt_tokens_details":${random.coin ? count(random) : `{"cached_tokens":${count(random)}}`}}`;
  const isStreamed = random.coin;
  return {
    name: named('usage', usage.slice(0, 120), isStreamed ? 'streamed' : 'whole'),
    provider: isStreamed
      ? events(piece({ content: 'hi' }), piece({}, 'stop'), usageFrame(usage), 'data: [DONE]\n\n')
      : (response) =>
          void response
            .writeHead(200, { 'content-type': 'application/json' })
            .end(`{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],"usage":${usage}}`),
    questions: [isStreamed ? question('hostile') : wholeQuestion('hostile')],
  };
}

/** 7: what a search API finds. */
function found(random: Random): Scenario {
  const fields = () => ({
    url: random.coin ? `https://a.test/${text(random, random.size(1, 100_000))}` : text(random, random.size(1, 1000)),
    title: text(random, random.size(1, 300_000)),
    content: random.coin ? text(random, random.size(1, 300_000)) : random.size(1, 1e9),
  });
  const pages = JSON.stringify(Array.from({ length: random.size(1, 4) }, fields));
  const results = random.coin ? pages : list(random, random.size(10, 3_000_000));
  const status = random.pick([200, 200, 200, 201, 302, 400, 432, 500]);
  return {
    name: named('found', status, results.slice(0, 40), results.length),
    search: (response) => void response.writeHead(status, { location: '/' }).end(`{"results":${results}}`),
    questions: searching,
  };
}

/** 8: what a side model says of a picture. */
function described(random: Random): Scenario {
  const { name, provider } = random.pick([words, searched, parts, counts])(random);
  return {
    name: `a picture, ${name}`,
    ...(provider === undefined ? {} : { provider }),
    questions: [looking(random.size(1, 30)), looking(1, wholeQuestion)],
  };
}

const OF_CHAT = [pause, words, searched, parts, memory, memory, counts] as const;
const OF_ALL = [
  spokenAnswer,
  wholeAnswer,
  spokenFlood,
  spokenRequest,
  spokenRequest,
  localUser,
  found,
  described,
] as const;

/** A scenario of a random kind, size and shape. */
export function randomScenario(random: Random): Scenario {
  return random.pick(random.coin ? OF_CHAT : OF_ALL)(random);
}
