import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { json, openEvents, words } from '../../helpers/fakeUpstream.ts';
import { found, pages } from '../../helpers/searchServer.ts';
import { events, FINISH_WITH_CALLS, flood, large, piece, rawBytes, repeated, toolCall } from '../answering.ts';
import { type Answer, question, wholeQuestion } from '../client.ts';
import type { Scenario } from '../scenario.ts';
import { isTaken } from './requests.ts';

const SEARCH = { type: 'web_search_20250305', name: 'web_search', max_uses: 8 };
const READ = { name: 'Read', description: 'reads a file', input_schema: { type: 'object', properties: {} } };

/** Claude Code's own request for a search, streamed and whole. */
export const searching = [question, wholeQuestion].map((ask) =>
  ask('ordinary', {
    system: 'You are an assistant for performing a web search tool use',
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Perform a web search for the query: weather' }] }],
    tools: [SEARCH],
  }),
);

/** A conversation in which the model may search. */
const conversing = [question, wholeQuestion].map((ask) => ask('hostile', { tools: [SEARCH, READ] }));

/** Searches for which the search API answers so; the request is answered whatever that is. */
const answered = (name: string, search: NonNullable<Scenario['search']>): Scenario => ({
  name,
  search,
  questions: searching,
  holds: isTaken,
});

const JSON_TYPE = { 'content-type': 'application/json' };
const page = { url: 'https://a.test/', title: 'a page', content: 'words' };
const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const searchCall = (index: number, query: string) =>
  toolCall(index, { id: `call_${index}`, name: 'web_search', arguments: JSON.stringify({ query }) });

/** Letters that no terminal and no model should get. */
const HIDDEN = '\u001b]52;c;eA==\u0007\u0000\u009b31m\u202e\u200b\u{e0041}\ud800';
const CONTROLS = /(?<!\\)\\u00(?:1b|07|00|9b)/;

function holdsNoControls(answers: readonly Answer[]): void {
  isTaken(answers);
  for (const { text } of answers) expect(text).not.toMatch(CONTROLS);
}

/** What a search API may do to an instance, and a model that wants to search. */
export const searchScenarios: readonly Scenario[] = [
  answered('answers with 60 MB of blanks', large(200, JSON_TYPE, { block: ' '.repeat(10_000), megabytes: 60 })),
  answered(
    'answers with 60 MB of pages',
    large(200, JSON_TYPE, {
      first: '{"results":[',
      block: repeated(`${JSON.stringify(page)},`, 10_000),
      megabytes: 60,
    }),
  ),
  answered('answers with 20,000 pages', found(200, { results: Array.from({ length: 20_000 }, () => page) })),
  answered('answers with 600,000 values', found(200, `{"results":[${repeated('{},', 1_900_000)}{}]}`)),
  answered('answers with JSON of 100,000 levels', found(200, `{"results":${deep(100_000)}}`)),
  answered('answers with a page of 100,000 levels', found(200, `{"results":[{"url":${deep(100_000)}}]}`)),
  answered(
    'answers with a million escaped letters',
    found(200, { results: [{ ...page, content: '\n'.repeat(900_000) }] }),
  ),
  answered(
    'answers with a page whose markup never ends',
    found(200, {
      results: ['<', '<a ', '<script', '<!--', '&', '&#', '&amp;', '<b><', ' ', '](', '[', '\u200b'].map((text) => ({
        url: 'https://a.test/',
        title: repeated(text, 80_000),
        content: repeated(text, 80_000),
      })),
    }),
  ),
  answered(
    'answers with addresses of 100 kB',
    found(200, { results: [{ ...page, url: `https://a.test/${'a'.repeat(100_000)}` }] }),
  ),
  {
    ...answered(
      'answers with control characters and hidden letters',
      pages([`https://a.test/${HIDDEN}`, HIDDEN, HIDDEN]),
    ),
    holds: holdsNoControls,
  },
  answered(
    'answers with addresses that are none',
    pages(['javascript:alert(1)', 'a', 'b'], ['file:///etc/passwd', 'a', 'b'], ['', '', ''], ['http://[', 'a', 'b']),
  ),
  ...['', 'null', '[]', '1', '{', '{"results":null}', '{"results":{}}', '{"results":[null,1,[],"x"]}'].map((text) =>
    answered(`answers with what is no list of pages: ${text}`, found(200, text)),
  ),
  answered(
    'answers with fields of other kinds',
    found(
      200,
      '{"__proto__":{"results":[]},"results":[{"url":1,"title":{},"content":[],"__proto__":{"url":"https://a.test"}}]}',
    ),
  ),
  answered('answers with a page of HTML', found(200, '<html><title>'.repeat(10_000), { 'content-type': 'text/html' })),
  answered('answers with bytes that are no UTF-8', (response) => {
    response.writeHead(200, JSON_TYPE);
    response.end(Buffer.alloc(1_000_000, 0xff));
  }),
  answered('hides 200 MB in gzip', (response) => {
    response.writeHead(200, { ...JSON_TYPE, 'content-encoding': 'gzip' });
    response.end(gzipSync(Buffer.alloc(200_000_000, ' ')));
  }),
  ...[301, 302, 307].map((status) => ({
    ...answered(`redirects a search (${status})`, (response, { path }) => {
      expect(path).not.toBe('/elsewhere');
      response.writeHead(status, { location: '/elsewhere' });
      response.end();
    }),
  })),
  answered('wants a pause of 1e30 seconds', found(429, '{}', { 'retry-after': '1e30' })),
  answered('wants a pause that is no number', found(429, '{}', { 'retry-after': 'NaN' })),
  answered('fails with an error of 20 MB', large(500, JSON_TYPE, { block: 'x'.repeat(10_000), megabytes: 20 })),
  answered('speaks no HTTP', rawBytes('\u0000\u0001 not HTTP at all\r\n\r\n')),
  answered('sends headers without end', rawBytes('HTTP/1.1 200 OK\r\n', `${repeated('x: y\r\n', 1_000_000)}\r\n`)),
  answered('sends 100,000 early hints', rawBytes(repeated('HTTP/1.1 103 Early Hints\r\n\r\n', 2_800_000))),
  answered('closes the connection', (response) => void response.socket?.resetAndDestroy()),
  answered('begins and says nothing more', (response) => {
    response.writeHead(200, JSON_TYPE);
    response.write('{"results":[');
  }),
  answered('drips', (response) => {
    response.writeHead(200, JSON_TYPE);
    const drip = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(drip));
  }),
  {
    ...answered(
      'answers forty searches at once with 2 MB each',
      found(200, { results: [{ ...page, content: 'x'.repeat(1_900_000) }] }),
    ),
    questions: Array.from({ length: 20 }, () => searching).flat(),
  },
  {
    name: 'is a model that searches without end',
    provider: events(searchCall(0, 'on and on'), FINISH_WITH_CALLS),
    questions: conversing,
  },
  {
    name: 'is a model that wants 5,000 searches at once',
    provider: events(
      ...Array.from({ length: 5000 }, (_, index) => searchCall(index, `query ${index}`)),
      FINISH_WITH_CALLS,
    ),
    questions: conversing,
  },
  {
    name: 'is a model that searches for 3 MB of words',
    provider: events(searchCall(0, repeated('a word ', 3_000_000)), FINISH_WITH_CALLS),
    questions: conversing,
  },
  {
    name: 'is a model that searches for no text',
    provider: events(
      ...['', '{}', '[]', '{"query":[]}', '{"query":', '{"query":""}', `{"query":${deep(5000)}}`].map((text, index) =>
        toolCall(index, { id: `call_${index}`, name: 'web_search', arguments: text }),
      ),
      FINISH_WITH_CALLS,
    ),
    questions: conversing,
  },
  {
    name: 'is a model that writes 60 MB about what was found',
    provider: flood({ block: piece({ content: 'y'.repeat(5000) }), megabytes: 60 }),
    questions: conversing,
  },
  {
    name: 'is a model that breaks off after a search',
    provider: (response, request) => {
      if (!request.text.includes('"role":"tool"')) {
        return events(searchCall(0, 'once'), FINISH_WITH_CALLS)(response, request);
      }
      openEvents(response);
      response.write(piece({ content: 'the pages' }));
      response.socket?.resetAndDestroy();
    },
    questions: conversing,
  },
  {
    name: 'is a model that fails after a search',
    provider: (response, request) =>
      request.text.includes('"role":"tool"')
        ? json(500, { error: { message: 'x'.repeat(100_000) } })(response, request)
        : events(searchCall(0, 'once'), FINISH_WITH_CALLS)(response, request),
    questions: conversing,
  },
  {
    name: 'has a history of 2,000 searches with pages that are none',
    questions: [
      question('ordinary', {
        tools: [SEARCH, READ],
        messages: [
          { role: 'user', content: 'hello' },
          {
            role: 'assistant',
            content: Array.from({ length: 2000 }, (_, index) => [
              { type: 'server_tool_use', id: `srvtoolu_${index}`, name: 'web_search', input: { query: HIDDEN } },
              {
                type: 'web_search_tool_result',
                tool_use_id: `srvtoolu_${index}`,
                content: [
                  { type: 'web_search_result', url: 'x', title: 'x', encrypted_content: `page1.${'A'.repeat(1000)}` },
                ],
              },
            ]).flat(),
          },
          { role: 'user', content: 'go on' },
        ],
      }),
    ],
    provider: words('fine'),
  },
];
