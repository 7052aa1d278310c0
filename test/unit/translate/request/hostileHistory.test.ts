import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.ts';
import { parseRequest } from '../../../../src/protocol/anthropic/request.ts';
import { encodeSignature } from '../../../../src/protocol/delta.ts';
import { translateInSteps, translateRequest } from '../../../../src/translate/request/request.ts';
import { growth, LINEAR } from '../../../helpers/growth.ts';
import { createResponsesTarget, createTarget, translateToChat } from '../createTarget.ts';

const many = <T>(count: number, create: (position: number) => T): T[] =>
  Array.from({ length: count }, (_, position) => create(position));

const use = (id: string): JsonObject => ({ type: 'tool_use', id, name: 'Read', input: {} });
const result = (id: string): JsonObject => ({ type: 'tool_result', tool_use_id: id, content: 'done' });
const conversation = (...turns: (string | JsonObject[])[]): JsonObject => ({
  model: 'm',
  messages: turns.map((content, index) => ({ role: index % 2 === 0 ? 'user' : 'assistant', content })),
});

const translate = (request: JsonObject, quirks: Parameters<typeof createTarget>[0] = {}) =>
  translateToChat(parseRequest(request), createTarget(quirks));

describe('a history takes work in proportion to its length, whatever is in it', () => {
  type History = (size: number) => JsonObject;
  const histories: Record<string, { create: History; quirks?: Parameters<typeof createTarget>[0] }> = {
    'the same tool id in one message': {
      create: (size) =>
        conversation(
          'go',
          many(size, () => use('same')),
          many(size, () => result('same')),
        ),
    },
    'the same tool id in every round': {
      create: (size) => conversation('go', ...many(size, () => [[use('same')], [result('same')]]).flat()),
    },
    'the same tool id, hashed': {
      create: (size) =>
        conversation(
          'go',
          many(size, () => use('same')),
        ),
      quirks: { toolId: 'nine' },
    },
    'tool ids that are the same after cleaning': {
      create: (size) =>
        conversation(
          'go',
          many(size, (at) => use(String.fromCodePoint(0x4e00 + (at % 1000), 0x4e00 + Math.floor(at / 1000)))),
        ),
    },
    'rounds that nobody answered before one that many answer': {
      create: (size) =>
        conversation(
          'go',
          many(size, () => use('same')),
          'on',
          many(size, () => use('same')),
          many(size, () => result('same')),
        ),
    },
    'deferred tools': {
      create: (size) => ({
        ...conversation('go'),
        tools: many(size, (at) => ({
          name: `tool${at}`,
          input_schema: { type: 'object' },
          defer_loading: at % 2 === 0,
        })),
      }),
      quirks: { defer: 'all' },
    },
    'answers with blocks that nobody knows': {
      create: (size) => conversation('go', ...many(size, (at) => [[{ type: `kind${at}` }], 'on']).flat()),
    },
  };

  test.each(Object.entries(histories))('%s', { timeout: 120_000 }, (_name, { create, quirks }) => {
    const ratio = growth((size) => {
      const request = create(size);
      return () => void translate(request, quirks);
    }, 8000);
    expect(ratio).toBeLessThan(LINEAR);
  });
});

test('a message of 130,000 blocks is a message like any other', () => {
  const blocks = many(130_000, () => ({ type: 'text', text: 'x' }));
  const pictures = many(130_000, () => ({ type: 'image', source: { type: 'base64', data: '/9j/' } }));
  const { body } = translate({
    model: 'm',
    messages: [
      { role: 'user', content: 'go' },
      { role: 'assistant', content: [use('one')] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'one', content: pictures }, ...blocks] },
    ],
    tools: many(130_000, (at) => ({ name: `tool${at}` })),
  });
  expect(body.messages.map(({ role, content }) => [role, content?.length])).toEqual([
    ['user', 2],
    ['assistant', 0],
    ['tool', expect.any(Number)],
    ['user', 390_000],
  ]);
});

test('what is noted of a request has a bound, in words and in letters', () => {
  const { notes } = translate({
    ...conversation('go'),
    tools: many(10_000, (at) => ({ name: `${'n'.repeat(1000)}${at}` })),
    ...Object.fromEntries(many(10_000, (at) => [`field${at}`, 1])),
  });
  expect(notes.join(' ').length).toBeLessThan(20_000);
});

test('state that comes back nested 10,000 levels deep is left out', () => {
  const deep = encodeSignature('test', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`);
  const { body } = translate(
    conversation('go', [{ type: 'thinking', thinking: '', signature: deep }, use('one')], [result('one')]),
    { reasoningReplay: 'reasoning_details' },
  );
  expect(() => JSON.stringify(body)).not.toThrow();
  expect(body.messages[1]).not.toHaveProperty('reasoning_details');
});

describe('repeated ids', () => {
  const idsOf = (...ids: string[]) =>
    translate(conversation('go', ids.map(use))).body.messages[1]?.tool_calls?.map(({ id }) => id);

  test('are numbered in their order, around those that the history has itself', () => {
    expect(idsOf('a', 'a_2', 'a', 'a', 'b', 'a_2', 'a')).toEqual(['a', 'a_2', 'a_3', 'a_4', 'b', 'a_2_2', 'a_5']);
  });

  test('stay what they were when a turn is added', () => {
    const before = idsOf('x!', 'x?', 'x!', 'x_');
    expect(idsOf('x!', 'x?', 'x!', 'x_', 'x!', 'x?')?.slice(0, 4)).toEqual(before);
    expect(new Set(before).size).toBe(4);
  });
});

test.each([
  ['chat completions', createTarget()],
  ['the Responses API', createResponsesTarget()],
])('a long request for %s is translated in steps, and comes to the same', (_name, target) => {
  const request = parseRequest({
    model: 'm',
    tools: Array.from({ length: 300 }, (_, index) => ({ name: `t${index}`, input_schema: { type: 'object' } })),
    messages: Array.from({ length: 2000 }, (_, index) =>
      index % 2 === 0
        ? { role: 'user', content: `${index}` }
        : { role: 'assistant', content: [{ type: 'text', text: `${index}` }] },
    ),
  });
  const steps = translateInSteps(request, target);
  let pauses = 0;
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) {
      expect(step.value.body).toEqual(translateRequest(request, target).body);
      break;
    }
    pauses += 1;
  }
  // After each tool and each 16 messages.
  expect(pauses).toBeGreaterThanOrEqual(300 + 2000 / 16);
  const many = { role: 'user', content: Array(20).fill({ type: 'text', text: 'x' }) };
  const large = parseRequest({ model: 'm', messages: Array(100).fill(many) });
  expect([...translateInSteps(large, target)].length).toBeGreaterThanOrEqual(100);
});
