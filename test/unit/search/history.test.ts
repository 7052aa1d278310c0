import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ContentBlock, MessagesRequest, RequestMessage } from '../../../src/protocol/anthropic/request.ts';
import {
  findSearch,
  HistoryMemory,
  queryOfClient,
  toResultBlock,
  toServerCall,
  toToolRequestInSteps,
} from '../../../src/search/history.ts';
import { isInDomain, type SearchOutcome } from '../../../src/search/pages.ts';

function toToolRequest(...request: Parameters<typeof toToolRequestInSteps>): MessagesRequest {
  const steps = toToolRequestInSteps(...request);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

const TOOL = { type: 'web_search_20250305', name: 'web_search' };

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const outcome: fc.Arbitrary<SearchOutcome> = fc.oneof(
  fc.record({
    pages: fc.array(
      fc.record({
        url: fc.webUrl(),
        title: text,
        text,
        age: fc.option(fc.constantFrom('2 days ago', '2026-11-01'), { nil: null }),
      }),
      { maxLength: 3 },
    ),
  }),
  fc
    .constantFrom('unavailable', 'too_many_requests', 'max_uses_exceeded')
    .map((error) => ({ error, reason: 'r' }) as const),
);
const textBlock = text.map((words): ContentBlock => ({ type: 'text', text: `t${words}` }));

/** The searches of one answer of the model, and what it has said before them. */
const step = fc.record({
  said: fc.array(textBlock, { maxLength: 1 }),
  found: fc.array(outcome, { minLength: 1, maxLength: 2 }),
});

/** The blocks of an answer with searches, with the lengths that it had when the model was asked anew. */
const answer = fc
  .record({ steps: fc.array(step, { minLength: 1, maxLength: 3 }), end: textBlock })
  .map(({ steps, end }) => {
    const content: ContentBlock[] = [];
    const lengths = [0];
    for (const { said, found } of steps) {
      content.push(...said);
      for (const one of found) {
        const call = toServerCall({
          type: 'tool_use',
          id: `toolu_${content.length}`,
          name: 'web_search',
          input: { query: 'q' },
        });
        content.push(call, toResultBlock(String(call['id']), one));
      }
      lengths.push(content.length);
    }
    content.push(end);
    return { content, lengths };
  });

function request(messages: readonly RequestMessage[]): MessagesRequest {
  return { model: 'm', messages: [...messages], tools: [TOOL] };
}

const asked = (messages: readonly RequestMessage[], content: readonly ContentBlock[]) => {
  const whole = request(messages);
  return toToolRequest(whole, findSearch(whole), content, 'maySearch').messages;
};

test('R224 every request of a conversation begins with exactly the messages of those before it', () => {
  fc.assert(
    fc.property(fc.array(answer, { minLength: 1, maxLength: 3 }), (answers) => {
      let history: RequestMessage[] = [{ role: 'user', content: 'hello' }];
      let before: RequestMessage[] = [];
      for (const { content, lengths } of answers) {
        for (const length of lengths) {
          const now = asked(history, content.slice(0, length));
          expect(JSON.stringify(now.slice(0, before.length))).toBe(JSON.stringify(before));
          before = now;
        }
        // What the client sends back has been through JSON.
        const returned = JSON.parse(JSON.stringify(content)) as ContentBlock[];
        history = [...history, { role: 'assistant', content: returned }, { role: 'user', content: 'go on' }];
      }
    }),
  );
});

test('every call has its result in the next message, and no block of a server is left', () => {
  fc.assert(
    fc.property(answer, fc.boolean(), ({ content }, hasOwnCall) => {
      const own = { type: 'tool_use', id: 'toolu_own', name: 'Read', input: {} };
      const result = { type: 'tool_result', tool_use_id: 'toolu_own', content: 'text' };
      const messages = asked(
        [
          { role: 'user', content: 'hello' },
          { role: 'assistant', content: hasOwnCall ? [...content, own] : content },
          { role: 'user', content: hasOwnCall ? [result] : 'go on' },
        ],
        [],
      );
      const blocks = messages.map(({ content: one }) => (typeof one === 'string' ? [] : one));
      for (const [index, list] of blocks.entries()) {
        const calls = list.filter(({ type }) => type === 'tool_use').map(({ id }) => id);
        const results = (blocks[index + 1] ?? []).filter(({ type }) => type === 'tool_result');
        expect(results.map((one) => one['tool_use_id'])).toEqual(calls);
        expect(list.some(({ type }) => /server_tool_use|web_search/.test(type))).toBe(false);
      }
      const roles = messages.map(({ role }) => role);
      expect(roles.some((role, index) => role === roles[index + 1])).toBe(false);
    }),
  );
});

test('a call of the client’s own beside a search has its result behind that of the search', () => {
  const call = toServerCall({ type: 'tool_use', id: 'toolu_1', name: 'web_search', input: { query: 'q' } });
  const own = { type: 'tool_use', id: 'toolu_2', name: 'Read', input: {} };
  const messages = asked(
    [
      { role: 'user', content: 'hello' },
      { role: 'assistant', content: [own, call, toResultBlock(String(call['id']), { pages: [] })] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_2', content: 'text' }] },
    ],
    [],
  );
  expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
  expect(messages[2]?.content).toMatchObject([{ tool_use_id: 'toolu_1' }, { tool_use_id: 'toolu_2' }]);
});

test('citations of pages stay with the client: no other server knows what they refer to', () => {
  const call = toServerCall({ type: 'tool_use', id: 'toolu_1', name: 'web_search', input: { query: 'q' } });
  const cited = { type: 'text', text: 'Sunny.', citations: [{ type: 'web_search_result_location' }] };
  const content = [call, toResultBlock(String(call['id']), { pages: [] }), cited];
  const messages = asked(
    [
      { role: 'user', content: 'hello' },
      { role: 'assistant', content },
    ],
    [],
  );
  expect(messages.at(-1)?.content).toEqual([{ type: 'text', text: 'Sunny.' }]);
});

test('messages without a search stay the same objects', () => {
  const plain: RequestMessage = { role: 'assistant', content: [{ type: 'text', text: 'hello' }] };
  expect(asked([{ role: 'user', content: 'hi' }, plain], [])[1]).toBe(plain);
});

test('what was made of the searches of a conversation is made once: the next request has the same objects', () => {
  const call = toServerCall({ type: 'tool_use', id: 'toolu_1', name: 'web_search', input: { query: 'q' } });
  const result = toResultBlock(String(call['id']), { pages: [] });
  const history: RequestMessage[] = [
    { role: 'user', content: 'hello' },
    { role: 'assistant', content: [call, result, { type: 'text', text: 'Nothing.' }] },
    { role: 'user', content: 'go on' },
    { role: 'assistant', content: [call, result] },
    { role: 'user', content: 'go on' },
  ];
  const memory = new HistoryMemory();
  const expand = (messages: RequestMessage[]) =>
    toToolRequest(request(messages), undefined, [], 'maySearch', memory).messages;
  const before = expand(history);
  const later = expand([...history, { role: 'assistant', content: 'done' }]);
  expect(before).toHaveLength(7);
  for (const [index, message] of before.entries()) expect(later[index]).toBe(message);
});

describe('what a request offers', () => {
  test.each([
    [{}, { maxUses: 5, wishes: { allowedDomains: [], blockedDomains: [], country: undefined } }],
    [{ max_uses: 3 }, { maxUses: 3 }],
    [{ max_uses: 1000 }, { maxUses: 10 }],
    [{ max_uses: -1 }, { maxUses: 0 }],
    [{ max_uses: 'many' }, { maxUses: 5 }],
    [{ user_location: { type: 'approximate', country: 'pl' } }, { wishes: { country: 'PL' } }],
    [{ user_location: { country: 'Poland' } }, { wishes: { country: undefined } }],
    [{ allowed_domains: ['a.test', 5, 'b c', '"'] }, { wishes: { allowedDomains: ['a.test'] } }],
  ])('%j', (fields, expected) => {
    expect(findSearch({ tools: [{ ...TOOL, ...fields }] })).toMatchObject(expected);
  });

  test('is no search where a tool of the client has its name, or where there is none', () => {
    expect(findSearch({ tools: [TOOL, { name: 'web_search', input_schema: {} }] })).toBeUndefined();
    expect(findSearch({ tools: [{ name: 'Read' }] })).toBeUndefined();
    expect(findSearch({})).toBeUndefined();
  });

  test('a search that was forced is forced once', () => {
    for (const choice of [{ type: 'any' }, { type: 'tool', name: 'web_search' }]) {
      const forced = { ...request([{ role: 'user', content: 'hi' }]), tool_choice: choice };
      const search = findSearch(forced);
      expect(toToolRequest(forced, search, [], 'asClientWants')['tool_choice']).toEqual(choice);
      expect(toToolRequest(forced, search, [], 'maySearch')['tool_choice']).toEqual({ type: 'auto' });
      expect(toToolRequest(forced, search, [], 'mayNot')['tool_choice']).toEqual({ type: 'none' });
    }
  });
});

test.each([
  ['Perform a web search for the query: the weather', 'the weather'],
  ['Perform a web search for the query: "the weather"', 'the weather'],
  ['Perform a web search for the query: one\ntwo', 'one'],
  ['Search the web', undefined],
])('the query of %j', (words, query) => {
  expect(queryOfClient(request([{ role: 'user', content: words }]))).toBe(query);
  expect(queryOfClient(request([{ role: 'user', content: [{ type: 'text', text: words }] }]))).toBe(query);
});

test.each([
  ['https://a.test/x', 'a.test', true],
  ['https://sub.a.test/x', 'a.test', true],
  ['https://nota.test/x', 'a.test', false],
  ['https://a.test/blog/1', 'a.test/blog', true],
  ['https://a.test/other', 'a.test/blog', false],
  ['https://a.test/x', 'https://A.test', true],
  ['https://sub.a.test/', '*.a.test', true],
  ['https://a.test/', '', false],
])('%s in %s: %s', (url, domain, expected) => {
  expect(isInDomain(url, domain)).toBe(expected);
});
