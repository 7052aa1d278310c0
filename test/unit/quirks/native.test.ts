import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { composeRepairs } from '../../../src/quirks/compose.ts';
import { createToolInputRepair } from '../../../src/quirks/native.ts';
import { mergeSettings, type QuirkSettings } from '../../../src/quirks/settings.ts';

const repair = (settings: Partial<QuirkSettings>, body: JsonObject) =>
  composeRepairs(mergeSettings(settings)).nativeRequest(body);

const MARK = { type: 'ephemeral' };
const call = { type: 'tool_use', id: 'toolu_1', name: 'Read', input: { cache_control: MARK } };
const thought = { type: 'thinking', thinking: 'hm', signature: 'sig' };

test('without settings the very same object comes back', () => {
  const body = { model: 'm', messages: [{ role: 'assistant', content: [call] }], cache_control: MARK, thinking: {} };
  expect(repair({}, body)).toBe(body);
});

describe('dropParams', () => {
  test('a field goes, its namesakes below stay', () => {
    const messages = [{ role: 'assistant', content: [thought] }];
    expect(repair({ dropParams: ['thinking'] }, { model: 'm', messages, thinking: { type: 'enabled' } })).toEqual({
      model: 'm',
      messages,
    });
  });

  test('without the field the very same object comes back', () => {
    const body = { model: 'm', messages: [] };
    expect(repair({ dropParams: ['thinking', 'messages'] }, body)).toBe(body);
  });
});

describe('dropCacheControl', () => {
  test('breakpoints go wherever they may stand, a tool’s own words stay', () => {
    const schema = { type: 'object', properties: { cache_control: { type: 'string' } } };
    const result = {
      type: 'tool_result',
      tool_use_id: 'x',
      content: [{ type: 'text', text: 'r', cache_control: MARK }],
    };
    const body = {
      model: 'm',
      cache_control: MARK,
      system: [{ type: 'text', text: 's', cache_control: MARK }],
      tools: [{ name: 'Read', input_schema: schema, cache_control: MARK }],
      messages: [
        { role: 'assistant', content: [{ ...call, cache_control: MARK }] },
        { role: 'user', content: [{ ...result, cache_control: MARK }] },
        { role: 'user', content: 'words' },
      ],
    };
    expect(repair({ dropCacheControl: true }, body)).toEqual({
      model: 'm',
      system: [{ type: 'text', text: 's' }],
      tools: [{ name: 'Read', input_schema: schema }],
      messages: [
        { role: 'assistant', content: [call] },
        { role: 'user', content: [{ ...result, content: [{ type: 'text', text: 'r' }] }] },
        { role: 'user', content: 'words' },
      ],
    });
    expect(body.cache_control).toBe(MARK);
  });

  test('without breakpoints the very same object comes back', () => {
    const body = { model: 'm', system: 's', messages: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }] };
    expect(repair({ dropCacheControl: true }, body)).toBe(body);
  });
});

describe('effortNeedsThinking', () => {
  const settings = { effortNeedsThinking: true };

  test('an effort beside disabled thinking goes, its neighbours stay', () => {
    const thinking = { type: 'disabled' };
    expect(repair(settings, { thinking, output_config: { effort: 'low', format: 1 } })).toEqual({
      thinking,
      output_config: { format: 1 },
    });
    expect(repair(settings, { thinking, output_config: { effort: 'low' } })).toEqual({ thinking });
  });

  test.each([
    { thinking: { type: 'enabled' }, output_config: { effort: 'low' } },
    { output_config: { effort: 'low' } },
    { thinking: { type: 'disabled' }, output_config: { format: 1 } },
    { thinking: { type: 'disabled' } },
  ])('%j stays', (body) => {
    expect(repair(settings, body)).toBe(body);
  });
});

describe('reasoningRequired', () => {
  const turns = (content: JsonObject[]) => ({
    messages: [
      { role: 'user', content: 'go' },
      { role: 'assistant', content },
    ],
  });

  test('R134 a tool turn that lacks its thoughts gets a block before it', () => {
    const block = { type: 'thinking', thinking: '', signature: '' };
    expect(repair({ reasoningRequired: 'empty' }, turns([call]))).toEqual(turns([block, call]));
    expect(repair({ reasoningRequired: 'placeholder' }, turns([call]))).toEqual(
      turns([{ ...block, thinking: '(reasoning not available)' }, call]),
    );
  });

  test.each([
    ['has thoughts', turns([thought, call])],
    ['has hidden thoughts', turns([{ type: 'redacted_thinking', data: 'x' }, call])],
    ['calls nothing', turns([{ type: 'text', text: 'x' }])],
    ['is not to think', { ...turns([call]), thinking: { type: 'disabled' } }],
  ])('R134 a turn that %s stays', (_name, body) => {
    expect(repair({ reasoningRequired: 'empty' }, body)).toBe(body);
  });
});

describe('unwrapToolInput', () => {
  const tools = [
    { name: 'Read', input_schema: { properties: { path: {} } } },
    { name: 'Report', input_schema: { properties: { result: {}, arguments: {} } } },
  ];
  const unwrap = createToolInputRepair(tools);
  const meant = { path: 'a' };

  test.each([
    ['JSON text', '{"path":"a"}'],
    ['wrapped in result', { result: meant }],
    ['wrapped in arguments, as text', { arguments: '{"path":"a"}' }],
    ['wrapped in the tool’s name', { Read: meant }],
    ['wrapped twice, in text', '{"Read":{"arguments":"{\\"path\\":\\"a\\"}"}}'],
  ])('%s', (_name, input) => {
    expect(unwrap('Read', input)).toEqual(meant);
  });

  test.each([
    ['Read', { path: 'a' }],
    ['Read', { result: 'words' }],
    ['Read', { result: meant, more: 1 }],
    ['Read', 'words'],
    ['Read', {}],
    ['Report', { result: meant }],
    ['Report', { arguments: '{"path":"a"}' }],
  ])('%s %j is as it should be', (name, input) => {
    expect(unwrap(name, input)).toBe(input);
  });

  test('a request without tools', () => {
    expect(createToolInputRepair(undefined)('Read', { arguments: meant })).toEqual(meant);
  });
});
