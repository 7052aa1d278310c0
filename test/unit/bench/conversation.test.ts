import { expect, test } from 'vitest';
import { createConversation } from '../../../bench/bodies/conversation.ts';
import { SERIAL_MARK } from '../../../bench/bodies/serialMark.ts';
import { RequestTemplate } from '../../../bench/load/requestTemplate.ts';
import { findOrder } from '../../../bench/upstream/order.ts';
import { isObject } from '../../../src/core/json.ts';

const order = { deltas: 50, everyMs: 0 };
const shape = { rounds: 50, resultBytes: 3700, order };
const conversation = createConversation(shape);

test('a large request has the shape of Claude Code’s, and the same bytes on every machine', () => {
  const body = conversation.bodyAt(50);
  const request = JSON.parse(body);
  expect(Object.keys(request)).toEqual(['model', 'messages', 'system', 'tools', 'metadata', 'max_tokens', 'stream']);
  expect(request.tools).toHaveLength(40);
  expect(request.messages).toHaveLength(101);
  expect(Buffer.byteLength(body)).toBeGreaterThan(300_000);
  expect(Buffer.byteLength(body)).toBeLessThan(330_000);
  expect(findOrder(body)).toEqual(order);
  expect(createConversation(shape).bodyAt(50)).toBe(body);
});

test('turn N+1 begins with the messages of turn N, and only its last one carries the mark of the cache', () => {
  const messagesAt = (rounds: number): unknown[] => JSON.parse(conversation.bodyAt(rounds)).messages;
  const marked = (messages: unknown[]) => messages.map((message) => JSON.stringify(message).includes('cache_control'));
  const [earlier, later] = [messagesAt(7), messagesAt(8)];
  expect(later).toHaveLength(earlier.length + 2);
  expect(later.slice(0, earlier.length - 1)).toEqual(earlier.slice(0, -1));
  for (const messages of [earlier, later]) expect(marked(messages).lastIndexOf(true)).toBe(messages.length - 1);
  expect(marked(later).filter(Boolean)).toHaveLength(1);
});

test('the question for a token count holds the same words without what only an answer needs', () => {
  const request: unknown = JSON.parse(conversation.countBodyAt(3));
  expect(isObject(request) && Object.keys(request)).toEqual(['model', 'messages', 'system', 'tools']);
});

test('each request gets a number of its own and stays as long as it was', () => {
  const bytes = Buffer.from(conversation.bodyAt(1));
  const template = new RequestTemplate(bytes);
  const first = template.next(1).toString();
  const second = template.next(12_345).toString();
  expect(second).not.toBe(first);
  expect(second).toContain('0012345:');
  expect(second).toHaveLength(bytes.toString().length);
  expect(bytes.toString()).toContain(SERIAL_MARK);
});
