import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRequest } from '../../../../src/protocol/anthropic/request.ts';
import { encodeReasoningItem } from '../../../../src/protocol/openai/reasoningItem.ts';
import type { ResponseItem, ResponsesRequest } from '../../../../src/protocol/openai/types.ts';
import { ConversationCache } from '../../../../src/translate/conversationCache.ts';
import { RefusedReasoning } from '../../../../src/translate/request/reasoningReplay.ts';
import { translateRequest } from '../../../../src/translate/request/request.ts';
import { leavesSomething, requestsOf } from '../../../helpers/sessions.ts';
import { createResponsesTarget } from '../createTarget.ts';
import { deepFreeze } from '../deepFreeze.ts';

const isLong = process.env['LONG'] !== undefined;
const runs = { numRuns: isLong ? 100_000 : 2000 };
const timeout = isLong ? 900_000 : 60_000;

const FINGERPRINT = '0a1b2c3d';
const REFUSED = 'refused';

const word = fc.constantFrom('', ' ', 'a', 'deux', '三', '\ud800');
const text = fc.record({ type: fc.constant('text'), text: word });
const image = fc.constant({ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo' } });

function carrier(provider: string, fingerprint: string, encryptedContent: string): string {
  const summary = [{ type: 'summary_text', text: encryptedContent }];
  return encodeReasoningItem(provider, { summary, encryptedContent }, fingerprint);
}

const thinking = fc.record({
  type: fc.constant('thinking'),
  thinking: word,
  signature: fc.constantFrom(
    carrier('test', FINGERPRINT, 'one'),
    carrier('test', FINGERPRINT, 'two'),
    carrier('test', FINGERPRINT, REFUSED),
    carrier('test', 'ffffffff', 'of another key'),
    carrier('other', FINGERPRINT, 'of another provider'),
    'EqQBCgYIAxgCIkD',
    '',
  ),
});
/** Few ids, so that they repeat. */
const callId = fc.constantFrom('a', 'b', 'c');
const call = fc.record(
  {
    type: fc.constant('tool_use'),
    id: callId,
    name: fc.constantFrom('Read', 'mcp__x.y'),
    input: fc.constantFrom({}, { path: 'x\ud800' }),
    provider_fields: fc.record({
      provider: fc.constantFrom('test', 'other'),
      fields: fc.record({ call_id: fc.constantFrom('call_1', 'call_2', 'a', '', 'c'.repeat(65)) }),
    }),
  },
  { requiredKeys: ['type', 'id', 'name', 'input'] },
);
const result = fc.record({
  type: fc.constant('tool_result'),
  tool_use_id: callId,
  content: fc.oneof(word, fc.array(fc.oneof(text, image), { maxLength: 2 })),
  is_error: fc.boolean(),
});
const system = fc.record({ role: fc.constant('system'), content: word });

const settings = fc.record({
  inlineSystem: fc.constantFrom('fold', 'developer'),
  toolImages: fc.constantFrom('after', 'inline'),
  textAfterTools: fc.constantFrom('user', 'merge', 'reminders'),
  reasoningReplay: fc.constantFrom('encrypted', 'reasoning_text', 'none'),
  reasoningRequired: fc.constantFrom('no', 'placeholder'),
  assistantText: fc.constantFrom('parts', 'string'),
  phase: fc.boolean(),
} as const);

type Settings = Parameters<typeof createResponsesTarget>[0];

function refusedReasoning(): RefusedReasoning {
  const refused = new RefusedReasoning();
  refused.add(REFUSED);
  return refused;
}

function bodyOf(
  messages: readonly unknown[],
  target: ReturnType<typeof createResponsesTarget>,
  cache?: ConversationCache,
) {
  const request = parseRequest(deepFreeze({ model: 'm', system: 'S', max_tokens: 100, messages }), cache);
  const replay = { fingerprint: FINGERPRINT, refused: refusedReasoning() };
  return translateRequest(request, target, undefined, cache, replay).body as ResponsesRequest;
}

const inputOf = (messages: readonly unknown[], quirks: Settings): ResponseItem[] =>
  bodyOf(messages, createResponsesTarget(quirks)).input;

/** One turn of the client: what the user says, perhaps a system message, and the model's answer. */
const turn = fc.record({
  blocks: fc.array(fc.oneof(text, image), { maxLength: 3 }),
  reminder: fc.option(system),
  answer: fc.array(fc.oneof(text, thinking, call), { minLength: 1, maxLength: 6 }),
  reversed: fc.boolean(),
});

describe('R603', () => {
  test('a turn more keeps the bytes of all items before it', { timeout }, () => {
    fc.assert(
      fc.property(fc.array(turn, { minLength: 2, maxLength: 5 }), settings, (turns, quirks) => {
        const inputs = requestsOf(turns).map((messages) =>
          inputOf(messages, quirks).map((item) => JSON.stringify(item)),
        );
        for (const [index, items] of inputs.slice(1).entries()) {
          // An answer that says nothing closes nothing, so that a reminder may still join what is before it.
          if (!turns[index]?.answer.some(leavesSomething)) continue;
          const before = inputs[index] ?? [];
          expect(items.slice(0, before.length)).toEqual(before);
        }
      }),
      runs,
    );
  });

  test('what is remembered of a conversation changes nothing about a request', { timeout }, () => {
    fc.assert(
      fc.property(fc.array(turn, { minLength: 2, maxLength: 4 }), settings, (turns, quirks) => {
        const target = createResponsesTarget(quirks);
        const cache = new ConversationCache();
        for (const messages of requestsOf(turns)) {
          const alone = bodyOf(structuredClone(messages), createResponsesTarget(quirks));
          expect(JSON.stringify(bodyOf(messages, target, cache))).toBe(JSON.stringify(alone));
        }
      }),
      runs,
    );
  });

  test('another key, or reasoning that was refused since, is no longer what was remembered', () => {
    const messages = [
      { role: 'user', content: 'go' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: '', signature: carrier('test', FINGERPRINT, 'one') },
          { type: 'text', text: 'a' },
        ],
      },
      { role: 'user', content: 'on' },
      { role: 'assistant', content: 'b' },
      { role: 'user', content: 'on' },
    ];
    const target = createResponsesTarget();
    const cache = new ConversationCache();
    const refused = new RefusedReasoning();
    const reasoning = (fingerprint: string) => {
      const request = parseRequest({ model: 'm', messages }, cache);
      const { body } = translateRequest(request, target, undefined, cache, { fingerprint, refused });
      return (body as ResponsesRequest).input.filter(({ type }) => type === 'reasoning').length;
    };
    expect([reasoning(FINGERPRINT), reasoning('ffffffff'), reasoning(FINGERPRINT)]).toEqual([1, 0, 1]);
    refused.add('one');
    expect(reasoning(FINGERPRINT)).toBe(0);
  });
});

const anyMessage = fc.oneof(
  fc.record({ role: fc.constant('user'), content: fc.array(fc.oneof(text, image, result, result), { maxLength: 4 }) }),
  fc.record({
    role: fc.constant('assistant'),
    content: fc.array(fc.oneof(text, call, call, thinking), { maxLength: 6 }),
  }),
  system,
);

/** What a strict server would refuse about the order of the items. */
function faultsOf(input: readonly ResponseItem[]): string[] {
  const faults: string[] = [];
  const open: string[] = [];
  const used = new Set<string>();
  for (const [index, item] of input.entries()) {
    const next = input[index + 1];
    if (item.type === 'reasoning') {
      const follows = next?.type === 'function_call' || next?.type === 'reasoning' || next?.role === 'assistant';
      if (!follows) faults.push(`reasoning ${index} has nothing behind it`);
    }
    if (item.type === 'function_call') {
      if (used.has(item.call_id) || item.call_id === '' || item.call_id.length > 64) faults.push(`id ${item.call_id}`);
      used.add(item.call_id);
      open.push(item.call_id);
    } else if (item.type === 'function_call_output') {
      if (open.shift() !== item.call_id) faults.push(`output ${index} does not answer the next call`);
    } else if (item.type === undefined && item.role !== 'assistant' && open.length > 0) {
      faults.push(`${item.role} ${index} stands before the output of ${open.join()}`);
    }
  }
  if (open.length > 0) faults.push(`calls without output: ${open.join()}`);
  return faults;
}

describe('R615 R621 R624', () => {
  test('in any history, each call is answered once, and each reasoning has its follower', { timeout }, () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { minLength: 1, maxLength: 8 }), settings, (messages, quirks) => {
        const input = inputOf(messages, quirks);
        expect(faultsOf(input)).toEqual([]);
        expect(input.length).toBeGreaterThan(0);
        const encrypted = input.map((item) => (item.type === 'reasoning' ? item.encrypted_content : undefined));
        expect(encrypted.filter((blob) => ![undefined, 'one', 'two'].includes(blob))).toEqual([]);
      }),
      runs,
    );
  });
});

describe('R680 reasoning that was refused', () => {
  test('is remembered up to a bound, the least asked for forgotten first', () => {
    const refused = new RefusedReasoning(2);
    for (const encrypted of ['a', 'b']) refused.add(encrypted);
    expect(refused.has('a')).toBe(true);
    refused.add('c');
    expect(['a', 'b', 'c'].map((encrypted) => refused.has(encrypted))).toEqual([true, false, true]);
    expect(refused.count).toBe(3);
  });
});
