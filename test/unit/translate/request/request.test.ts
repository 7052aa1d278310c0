import { describe, expect, test } from 'vitest';
import { parseRequest } from '../../../../src/protocol/anthropic/request.ts';
import type { QuirkSettings } from '../../../../src/quirks/settings.ts';
import { isWebSearchRequest } from '../../../../src/translate/request/tools.ts';
import { createTarget, translateToChat } from '../createTarget.ts';

const schema = { $schema: 'x', type: 'object', properties: {} };

function translate(fields: object, quirks: Partial<QuirkSettings> = {}, inputTokens?: number) {
  const request = { model: 'm', max_tokens: 100, messages: [{ role: 'user', content: 'hi' }], ...fields };
  return translateToChat(parseRequest(request), createTarget(quirks), inputTokens);
}

describe('what comes with the body', () => {
  test('R107 unknown fields are named, those that are dropped on purpose are not', () => {
    const { droppedFields, notes } = translate({ foo: 1, bar: 2, diagnostics: {} });
    expect(droppedFields).toEqual(['foo', 'bar']);
    expect(notes).toEqual(['field_dropped:foo', 'field_dropped:bar']);
  });

  test('R136 the offered tools by the client’s names, with their schemas as the client wrote them', () => {
    const { offeredTools, toolNames } = translate({ tools: [{ name: 'a.b', input_schema: schema }] });
    expect([...offeredTools].map(([name, tool]) => [name, tool.schema])).toEqual([['a.b', schema]]);
    expect(toolNames.toClient('a_b')).toBe('a.b');
  });

  test.each<[string, Partial<QuirkSettings>, readonly string[], readonly string[]]>([
    ['none when the provider gets them all', {}, ['a', 'b'], []],
    ['those beyond the provider’s number', { stopMax: 1, localStop: true }, ['a', 'b'], ['b']],
    ['those that are too long', { stopBytes: 2, localStop: true }, ['a', 'long'], ['long']],
    ['all when the provider takes none', { stopMax: 0, localStop: true }, ['a'], ['a']],
    ['none when they are not matched here', { stopMax: 0 }, ['a'], []],
  ])('R144 stop strings to be matched here: %s', (_name, quirks, stops, expected) => {
    expect(translate({ stop_sequences: stops }, quirks).stopSequences).toEqual(expected);
  });

  test.each<[string, object, unknown]>([
    [
      'an honest answer to each',
      { safeguards: [{ type: 'dangerous_tool_use' }, { type: 'new' }] },
      ['dangerous_tool_use', 'new'],
    ],
    ['none where none are asked for', {}, undefined],
    ['none to what is no list', { safeguards: 'yes' }, undefined],
  ])('R108 safety checks get %s', (_name, fields, types) => {
    const { safeguardResults, body } = translate(fields);
    expect(safeguardResults?.map(({ type }) => type)).toEqual(types);
    for (const { status } of safeguardResults ?? []) expect(status).toEqual({ type: 'unsupported' });
    expect(body).not.toHaveProperty('safeguards');
  });

  test('R140 the limit that was sent', () => {
    expect(translate({}).maxTokens).toBe(100);
    expect(translate({ max_tokens: undefined }).maxTokens).toBeUndefined();
    expect(translate({}, { dropParams: ['max_tokens'] }).maxTokens).toBeUndefined();
    expect(translate({}, { extraBody: { max_tokens: 7 } }).maxTokens).toBe(7);
  });

  test('R405 the output is fitted beside an input that was counted before', () => {
    const quirks = { clampOutput: true, contextWindow: 10_000 };
    expect(translate({ max_tokens: 9000 }, quirks, 8000).maxTokens).toBe(976);
    expect(translate({ max_tokens: 9000 }, quirks, 20_000).maxTokens).toBe(1);
    expect(translate({ max_tokens: 9000 }, { contextWindow: 10_000 }, 8000).maxTokens).toBe(9000);
  });

  test.each<[string, object, Partial<QuirkSettings>, string]>([
    [
      'R122',
      { messages: [{ role: 'user', content: [{ type: 'image' }, { type: 'image' }] }] },
      { vision: false },
      'image_not_seen',
    ],
    ['R123', { messages: [{ role: 'user', content: [{ type: 'document' }] }] }, {}, 'document_not_seen'],
    [
      'R129',
      { messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'x' }] }] },
      {},
      'result_without_call',
    ],
    [
      'R129',
      { messages: [{ role: 'assistant', content: [{ type: 'tool_use', id: 'x', name: 'T' }] }] },
      {},
      'result_missing',
    ],
    [
      'R145',
      { tools: [{ name: 'T', input_schema: schema }], tool_choice: { type: 'any' } },
      { forcedTools: 'auto' },
      'tool_choice_lowered_to_auto',
    ],
    ['R144', { stop_sequences: ['a', 'b'] }, { stopMax: 1 }, 'stop_sequences_dropped:1'],
    [
      'R150',
      { tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
      {},
      'server_tool_removed:web_search_20250305',
    ],
    [
      'R151',
      { messages: [{ role: 'user', content: [{ type: 'container_upload' }] }] },
      {},
      'block_dropped:container_upload',
    ],
  ])('%s is noted once', (_rule, fields, quirks, note) => {
    expect(translate(fields, quirks).notes).toEqual([note]);
  });
});

describe('R150 a request whose only purpose is a search', () => {
  const search = { type: 'web_search_20250305', name: 'web_search', max_uses: 8 };
  test.each([
    ['only web search', [search], true],
    ['another tool beside it', [search, { name: 'Read', input_schema: {} }], false],
    ['another server tool', [{ type: 'bash_20250124', name: 'bash' }], false],
    ['a function of that name', [{ name: 'web_search', input_schema: {} }], false],
    ['no tools', [], false],
    ['tools of a wrong kind', 'none', false],
  ])('%s', (_name, tools, expected) => {
    expect(isWebSearchRequest(parseRequest({ model: 'm', messages: [{ role: 'user' }], tools }))).toBe(expected);
  });
});

test('R101 values of a wrong kind are as good as absent', () => {
  const wrong = {
    system: 7,
    tools: {},
    tool_choice: 'any',
    max_tokens: '5',
    temperature: 'hot',
    stop_sequences: 'x',
    thinking: [],
    output_config: 3,
    metadata: null,
    stream: 'yes',
  };
  expect(translate(wrong).body).toEqual({ model: 'test-model', messages: [{ role: 'user', content: 'hi' }] });
});
