import { describe, expect, test } from 'vitest';
import { ApiError } from '../../../../src/core/errors.ts';
import { parseCountRequest, parseRequest } from '../../../../src/protocol/anthropic/request.ts';
import { createTarget, translateToChat } from '../../translate/createTarget.ts';

const hi = { role: 'user', content: 'hi' };

function withContent(...content: unknown[]) {
  return { model: 'm', messages: [hi, { role: 'assistant', content: ['text', ...content] }] };
}

function failure(value: unknown): ApiError {
  try {
    parseRequest(value);
  } catch (error) {
    if (error instanceof ApiError) return error;
  }
  throw new Error('was accepted');
}

describe('R105 refuses only what cannot be served', () => {
  test.each([
    ['no object', [], 'body: must be a JSON object'],
    ['no model', { messages: [hi] }, 'model: is missing'],
    ['blank model', { model: ' ', messages: [hi] }, 'model: is missing'],
    ['no messages', { model: 'm' }, 'messages: must be a list'],
    ['empty messages', { model: 'm', messages: [] }, 'messages: needs at least one message'],
    ['message no object', { model: 'm', messages: ['hi'] }, 'messages.0: must be an object'],
    [
      'unknown role',
      { model: 'm', messages: [{ role: 'tool' }] },
      'messages.0.role: must be user, assistant or system',
    ],
    [
      'content a number',
      { model: 'm', messages: [{ role: 'user', content: 7 }] },
      'messages.0.content: must be a string or a list of blocks',
    ],
    ['block null', withContent(null), 'messages.1.content.1: must be an object'],
    ['block without type', withContent({ text: 'x' }), 'messages.1.content.1: needs type'],
    ['call without id', withContent({ type: 'tool_use', name: 'x' }), 'messages.1.content.1: tool_use needs id'],
    [
      'call with empty id',
      withContent({ type: 'tool_use', id: '', name: 'x' }),
      'messages.1.content.1: tool_use needs id',
    ],
    ['call without name', withContent({ type: 'tool_use', id: 'x' }), 'messages.1.content.1: tool_use needs name'],
    ['result without id', withContent({ type: 'tool_result' }), 'messages.1.content.1: tool_result needs tool_use_id'],
    [
      'named tool without name',
      { model: 'm', messages: [hi], tool_choice: { type: 'tool' } },
      'tool_choice: type tool needs name',
    ],
  ])('%s', (_name, value, message) => {
    const error = failure(value);
    expect(error.code).toBe('invalid_request');
    expect(error.message).toBe(message);
  });

  test.each([-1, -0.5, -4096, -1e308])('max_tokens of %d is below any limit', (maxTokens) => {
    expect(failure({ model: 'm', messages: [hi], max_tokens: maxTokens }).message).toBe(
      'max_tokens: must not be negative',
    );
  });

  test('a body nested too deep to walk, also when it is very deep', () => {
    for (const depth of [257, 20_000]) {
      const tools = JSON.parse(`${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}`);
      expect(failure({ model: 'm', messages: [hi], tools }).message).toBe('body: is nested deeper than 256 levels');
    }
    const allowed = JSON.parse(`${'['.repeat(255)}${']'.repeat(255)}`);
    expect(parseRequest({ model: 'm', messages: [hi], tools: allowed }).model).toBe('m');
  });
});

describe('R101 tolerates the rest', () => {
  test('unknown fields, roles and blocks stay in place', () => {
    const body = {
      model: 'm',
      unheard: { of: 1 },
      messages: [{ role: 'developer', content: [{ type: 'new', x: 1 }], y: 2 }],
    };
    expect(parseRequest(body)).toEqual(body);
  });

  test('missing content is empty, and a bare string among blocks is text', () => {
    const { messages } = parseRequest({
      model: 'm',
      messages: [{ role: 'user' }, { role: 'user', content: null }, { role: 'user', content: ['a'] }],
    });
    expect(messages.map((message) => message.content)).toEqual(['', '', [{ type: 'text', text: 'a' }]]);
  });

  test('R502 count_tokens needs neither max_tokens nor messages', () => {
    expect(parseCountRequest({ model: 'm' }).messages).toEqual([]);
    expect(parseCountRequest({ model: 'm', messages: [] }).messages).toEqual([]);
    expect(() => parseCountRequest({ messages: [] })).toThrow('model: is missing');
  });

  test('names of the prototype do no harm', () => {
    const evil = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}';
    const body = JSON.parse(`{"model":"m","__proto__":{"polluted":true},"messages":[
      {"role":"assistant","__proto__":{"content":"x"},"content":[{"type":"tool_use","id":"toString","name":"__proto__","input":${evil}}]},
      {"role":"user","content":[{"type":"tool_result","tool_use_id":"toString","content":"ok"}]}],
      "tools":[{"name":"__proto__","input_schema":{"type":"object","properties":${evil},"$defs":${evil}}}]}`);
    for (const schema of ['openai', 'openapi', 'mfjs'] as const) {
      const { body: translated } = translateToChat(parseRequest(body), createTarget({ schema }));
      expect(translated.messages[0]?.tool_calls?.[0]?.function).toEqual({ name: '__proto__', arguments: evil });
      const parameters = JSON.stringify(translated.tools?.[0]?.function.parameters);
      expect(parameters).toContain('"__proto__"');
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
