import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.ts';
import { parseRequest } from '../../../../src/protocol/anthropic/request.ts';
import type { ChatMessage } from '../../../../src/protocol/openai/types.ts';
import { ConversationCache } from '../../../../src/translate/conversationCache.ts';
import { leavesSomething, requestsOf } from '../../../helpers/sessions.ts';
import { createTarget, translateToChat } from '../createTarget.ts';
import { deepFreeze } from '../deepFreeze.ts';

const isLong = process.env['LONG'] !== undefined;
const runs = { numRuns: isLong ? 100_000 : 2000 };
const timeout = isLong ? 900_000 : 60_000;

const word = fc.constantFrom('', ' ', 'a', 'deux', '三', '\ud800', 'x-anthropic-billing-header: 1');
const textBlock = fc.record(
  { type: fc.constant('text'), text: word, cache_control: fc.constant({ type: 'ephemeral' }) },
  { requiredKeys: ['type', 'text'] },
);
const image = fc.constant({ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo' } });
const document = fc.constant({ type: 'document', source: { type: 'text', data: 'doc' }, title: 't' });
const userBlock = fc.oneof({ weight: 4, arbitrary: textBlock }, image, document, fc.constant({ type: 'unknown' }));
const thinking = fc.record({
  type: fc.constant('thinking'),
  thinking: word,
  signature: fc.constantFrom('', 'ccp1.test.W10'),
});
/** Few ids, so that they repeat. */
const callId = fc.constantFrom('a', 'b', 'c', 'functions.T:0');
const callBlock = fc.record({
  type: fc.constant('tool_use'),
  id: callId,
  name: fc.constantFrom('Read', 'mcp__x.y', 'mcp__x_y'),
  input: fc.constantFrom({}, { path: 'x\ud800' }),
});
const resultBlock = fc.record({
  type: fc.constant('tool_result'),
  tool_use_id: callId,
  content: fc.oneof(word, fc.array(fc.oneof(textBlock, image), { maxLength: 2 })),
  is_error: fc.boolean(),
});
const systemMessage = fc.record({
  role: fc.constant('system'),
  content: fc.oneof(word, fc.array(textBlock, { maxLength: 2 })),
});

const settings = fc.record({
  inlineSystem: fc.constantFrom('fold', 'system', 'developer'),
  content: fc.constantFrom('parts', 'string'),
  toolImages: fc.constantFrom('after', 'inline'),
  textAfterTools: fc.constantFrom('user', 'merge'),
  emptyContent: fc.constantFrom('empty', 'null', 'omit'),
  toolId: fc.constantFrom('keep', 'functions', 'nine'),
  toolResultName: fc.boolean(),
  vision: fc.boolean(),
  reasoningReplay: fc.constantFrom('none', 'reasoning_content', 'reasoning_details', 'think_tag'),
  reasoningRequired: fc.constantFrom('no', 'placeholder'),
  thoughtSignature: fc.boolean(),
} as const);

function messagesOf(messages: readonly unknown[], quirks: Parameters<typeof createTarget>[0]): ChatMessage[] {
  const request = deepFreeze(parseRequest({ model: 'm', system: 'S', messages }));
  return translateToChat(request, createTarget(quirks)).body.messages;
}

/** One turn of the client: what the user says, perhaps a system message, and the model's answer. */
const turn = fc.record({
  blocks: fc.array(userBlock, { maxLength: 3 }),
  reminder: fc.option(systemMessage),
  answer: fc.array(fc.oneof(textBlock, thinking, callBlock), { minLength: 1, maxLength: 4 }),
  reversed: fc.boolean(),
});

describe('R104', () => {
  test('the same request gives the same bytes, and its input stays as it was', { timeout }, () => {
    fc.assert(
      fc.property(fc.array(turn, { minLength: 1, maxLength: 4 }), settings, (turns, quirks) => {
        const messages = requestsOf(turns).at(-1) ?? [];
        expect(JSON.stringify(messagesOf(messages, quirks))).toBe(JSON.stringify(messagesOf(messages, quirks)));
      }),
      runs,
    );
  });

  test('a turn more keeps the bytes of all turns before it', { timeout }, () => {
    fc.assert(
      fc.property(fc.array(turn, { minLength: 2, maxLength: 5 }), settings, (turns, quirks) => {
        const texts = requestsOf(turns).map((messages) => JSON.stringify(messagesOf(messages, quirks)));
        for (const [index, text] of texts.slice(1).entries()) {
          // After an answer that says nothing the next user message joins the one before it, as roles must alternate.
          if (!turns[index]?.answer.some(leavesSomething)) continue;
          const before = texts[index]?.slice(0, -1) ?? '';
          expect(text.slice(0, before.length)).toBe(before);
        }
      }),
      runs,
    );
  });
});

const anyMessage = fc.oneof(
  fc.record({ role: fc.constant('user'), content: fc.array(fc.oneof(userBlock, resultBlock), { maxLength: 4 }) }),
  fc.record({
    role: fc.constant('assistant'),
    content: fc.array(fc.oneof(textBlock, callBlock, callBlock), { maxLength: 4 }),
  }),
  systemMessage,
);

describe('what is remembered of earlier requests', () => {
  const tools = ['Read', 'mcp__x.y', 'mcp__x_y'].map((name) => ({ name, input_schema: { type: 'object' } }));
  /** Positions in one list of messages: requests that share some, in any order, and mostly grow. */
  const picks = fc.array(
    fc.record({
      kept: fc.nat(8),
      added: fc.array(fc.nat(7), { maxLength: 4 }),
      tools: fc.nat(3),
      other: fc.boolean(),
    }),
    { minLength: 2, maxLength: 6 },
  );

  test('changes nothing about any request, whatever those before it were', { timeout }, () => {
    fc.assert(
      fc.property(
        fc.array(anyMessage, { minLength: 8, maxLength: 8 }),
        picks,
        settings,
        fc.boolean(),
        (pool, requests, quirks, cacheControl) => {
          const target = createTarget({ ...quirks, cacheControl });
          const other = createTarget({ content: 'parts', toolId: 'nine' });
          const cache = new ConversationCache();
          let history: unknown[] = [];
          for (const { kept, added, tools: count, other: isOther } of requests) {
            // As in JSON, no object stands at two places.
            history = [...new Set([...history.slice(0, kept), ...added.map((position) => pool[position])])];
            if (history.length === 0) continue;
            const request = { model: 'm', messages: history, tools: tools.slice(0, count) };
            const chosen = isOther ? other : target;
            const remembered = translateToChat(parseRequest(deepFreeze(request), cache), chosen, undefined, cache);
            const alone = translateToChat(parseRequest(structuredClone(request)), createTarget(chosen.settings));
            expect(JSON.stringify(remembered.body)).toBe(JSON.stringify(alone.body));
            expect(remembered.notes.toSorted()).toEqual(alone.notes.toSorted());
          }
        },
      ),
      runs,
    );
  });

  /** Translates one request after the other, and says whether each is what it would be alone. */
  function areAsAlone(
    requests: readonly (readonly JsonObject[])[],
    quirks: Parameters<typeof createTarget>[0],
  ): boolean[] {
    const target = createTarget(quirks);
    const cache = new ConversationCache();
    return requests.map((messages) => {
      const request = { model: 'm', messages };
      const remembered = translateToChat(parseRequest(request, cache), target, undefined, cache).body;
      const alone = translateToChat(parseRequest(structuredClone(request)), createTarget(quirks)).body;
      return JSON.stringify(remembered) === JSON.stringify(alone);
    });
  }

  test('does not hold once a call that was interrupted has got its result', () => {
    const rounds = ['one', 'two', 'three', 'four'].flatMap((text): JsonObject[] => [
      { role: 'assistant', content: [{ type: 'tool_use', id: text, name: 'Read', input: {} }] },
      { role: 'user', content: text },
    ]);
    const history: JsonObject[] = [{ role: 'user', content: 'begin' }, ...rounds];
    const late = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'two', content: 'late' }] };
    const requests = [3, 5, 7, 9].map((length) => history.slice(0, length));
    expect(areAsAlone([...requests, [...history, late]], {})).not.toContain(false);
  });

  test('does not hold where breakpoints move', () => {
    const marked = (text: string) => [{ type: 'text', text, cache_control: { type: 'ephemeral' } }];
    const history = ['1', '2', '3', '4', '5', '6', '7'].flatMap((text): JsonObject[] => [
      { role: 'user', content: marked(text) },
      { role: 'assistant', content: text },
    ]);
    const requests = [3, 5, 7, 9, 11, 13].map((length) => history.slice(0, length));
    expect(areAsAlone(requests, { cacheControl: true })).not.toContain(false);
  });

  test('is taken over, so that a turn more has the same objects before it', () => {
    const history = ['one', 'two', 'three'].flatMap((text) => [
      { role: 'user', content: text },
      { role: 'assistant', content: [{ type: 'tool_use', id: text, name: 'Read', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: text, content: 'done' }] },
    ]);
    const target = createTarget();
    const cache = new ConversationCache();
    const [before, after] = [history.slice(0, 6), history].map(
      (messages) =>
        translateToChat(parseRequest({ model: 'm', messages, tools }, cache), target, undefined, cache).body.messages,
    );
    // The last answer before is looked at once more, as what follows it belongs to it.
    for (const index of [0, 1, 2, 3]) expect(after?.[index]).toBe(before?.[index]);
  });
});

describe('R124 and R129', () => {
  test('each assistant with calls is followed by exactly its tool messages, whatever is missing', { timeout }, () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { minLength: 1, maxLength: 8 }), settings, (history, quirks) => {
        const messages = messagesOf(history, quirks);
        const seen = new Set<string>();
        for (let index = 0; index < messages.length; index += 1) {
          const message = messages[index];
          // Every run of tool messages is skipped behind its calls, so none may be met here.
          expect(message?.role).not.toBe('tool');
          for (const call of message?.tool_calls ?? []) {
            index += 1;
            expect(messages[index]?.tool_call_id).toBe(call.id);
            expect(messages[index]?.content).not.toBe('');
            expect(seen.has(call.id)).toBe(false);
            seen.add(call.id);
          }
        }
      }),
      runs,
    );
  });

  test('no result is lost', { timeout }, () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { minLength: 1, maxLength: 8 }), settings, (history, quirks) => {
        let number = 0;
        const marked = history.map((message) => ({
          ...message,
          content: Array.isArray(message.content)
            ? message.content.map((block) =>
                block.type === 'tool_result' ? { ...block, content: `<${number++}>` } : block,
              )
            : message.content,
        }));
        const text = JSON.stringify(messagesOf(marked, quirks));
        for (let mark = 0; mark < number; mark += 1) expect(text.split(`<${mark}>`)).toHaveLength(2);
      }),
      runs,
    );
  });
});
