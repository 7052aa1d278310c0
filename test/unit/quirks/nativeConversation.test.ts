import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { composeRepairs } from '../../../src/quirks/compose.ts';
import { mergeSettings, type QuirkSettings } from '../../../src/quirks/settings.ts';

const repair = (settings: Partial<QuirkSettings>, body: JsonObject) =>
  composeRepairs(mergeSettings(settings)).nativeRequest(body);

const user = (content: JsonObject[] | string) => ({ role: 'user', content });
const assistant = (...content: JsonObject[]) => ({ role: 'assistant', content });
const system = (content: JsonObject[] | string) => ({ role: 'system', content });
const text = (words: string) => ({ type: 'text', text: words });
const use = { type: 'tool_use', id: 'toolu_1', name: 'Tide', input: {} };
const result = (content: JsonObject[] | string) => ({ type: 'tool_result', tool_use_id: 'toolu_1', content });
const reminder = (words: string) => text(`<system-reminder>\n${words}\n</system-reminder>`);

describe('verifiesSignatures', () => {
  const SIGNATURE = Buffer.from('a signature of the endpoint, long enough to be one of its own').toString('base64');
  const thinking = (signature: unknown) => ({ type: 'thinking', thinking: 'hm', signature }) as JsonObject;

  test.each<[string, JsonObject]>([
    ['ours', thinking('ccp1.none')],
    ['ours with a state', thinking(`ccp1.other.${'A'.repeat(200)}`)],
    ['empty', thinking('')],
    ['missing', { type: 'thinking', thinking: 'hm' }],
    ['24 letters', thinking('c2lnbmF0dXJlIG9mIG5vYm9k')],
    ['cut', thinking(SIGNATURE.slice(0, -3))],
    ['of letters that are no base64', thinking(`${SIGNATURE.slice(0, -4)}a_-b`)],
    ['ours, of redacted thinking', { type: 'redacted_thinking', data: 'ccp1.other.AAAA' }],
  ])('thinking whose signature is %s does not reach the endpoint', (_name, block) => {
    const messages = [user('a'), assistant(block, text('b')), user('c')];
    expect(repair({ verifiesSignatures: true }, { model: 'm', messages })).toEqual({
      model: 'm',
      messages: [user('a'), assistant(text('b')), user('c')],
    });
  });

  test('a message of nothing else goes with it', () => {
    const messages = [user('a'), assistant(thinking('')), user('c')];
    expect(repair({ verifiesSignatures: true }, { messages })).toEqual({ messages: [user('a'), user('c')] });
  });

  test('a signature that may be its own stays, and the very same object', () => {
    const body = { messages: [user('a'), assistant(thinking(SIGNATURE), text('b')), user('c')] };
    expect(repair({ verifiesSignatures: true }, body)).toBe(body);
  });

  test('others, who read the thoughts and no signature, get them all', () => {
    const body = { messages: [user('a'), assistant(thinking('ccp1.none'), text('b')), user('c')] };
    expect(repair({}, body)).toBe(body);
  });

  test('thinking between tools is left to an endpoint that knows it, and off at any other', () => {
    const body = { messages: [user('a')], thinking: { type: 'between_tools' } };
    expect(repair({ verifiesSignatures: true }, body)).toBe(body);
    expect(repair({}, body)).toEqual({ messages: [user('a')], thinking: { type: 'disabled' } });
  });
});

describe('foldSystem', () => {
  const tool = (name: string, more: JsonObject = {}) => ({ name, input_schema: { type: 'object' }, ...more });
  const addition = (definition: JsonObject) => ({
    type: 'tool_addition',
    tool: { type: 'tool_definition', definition },
  });
  const byName = (type: string, name: string) => ({ type, tool: { type: 'tool_reference', name } });

  test.each<[string, JsonObject[] | undefined, JsonObject[], JsonObject[]]>([
    ['added by definition', [tool('Tide')], [addition(tool('Moon'))], [tool('Tide'), tool('Moon')]],
    ['added where there was none', undefined, [addition(tool('Moon'))], [tool('Moon')]],
    [
      'defined anew',
      [tool('Tide'), tool('Moon')],
      [addition(tool('Tide', { description: 'new' }))],
      [tool('Moon'), tool('Tide', { description: 'new' })],
    ],
    [
      'made available by name',
      [tool('Tide', { defer_loading: true })],
      [byName('tool_addition', 'Tide')],
      [tool('Tide')],
    ],
    ['removed', [tool('Tide'), tool('Moon')], [byName('tool_removal', 'Tide')], [tool('Moon')]],
    ['removed, the only one', [tool('Tide')], [byName('tool_removal', 'Tide')], []],
    [
      'added and removed again',
      [tool('Tide')],
      [addition(tool('Moon')), byName('tool_removal', 'Moon')],
      [tool('Tide')],
    ],
  ])('a tool that a folded message has %s', (_what, tools, changes, offered) => {
    const messages = [user('a'), system([text('tools have changed'), ...changes])];
    expect(repair({ foldSystem: true }, { ...(tools === undefined ? {} : { tools }), messages })).toEqual({
      tools: offered,
      messages: [user([text('a'), reminder('tools have changed')])],
    });
  });

  test.each<[string, JsonObject, JsonObject]>([
    [
      'at the end, behind a result',
      { messages: [user('a'), assistant(use), user([result('x')]), system('left: 5')] },
      { messages: [user('a'), assistant(use), user([result('x'), reminder('left: 5')])] },
    ],
    [
      'between a call and its result',
      { messages: [user('a'), assistant(use), system([text('one'), text('two')]), user([result('x'), text('go')])] },
      { messages: [user('a'), assistant(use), user([result('x'), reminder('one\n\ntwo'), text('go')])] },
    ],
    [
      'behind the last answer',
      { messages: [user('a'), assistant(text('b')), system('c')] },
      { messages: [user('a'), assistant(text('b')), user([reminder('c')])] },
    ],
    [
      'at the front',
      { system: 'S', messages: [system('early'), user('a')] },
      { system: [text('S'), text('early')], messages: [user('a')] },
    ],
    [
      'with nothing to say',
      { messages: [user('a'), system([{ type: 'tool_removal', name: 'x' }]), assistant(text('b')), user('c')] },
      { messages: [user('a'), assistant(text('b')), user('c')] },
    ],
  ])('a system message %s', (_name, body, expected) => {
    expect(repair({ foldSystem: true }, body)).toEqual(expected);
  });

  test('without any the very same object comes back', () => {
    const body = { system: 'S', messages: [user('a')] };
    expect(repair({ foldSystem: true }, body)).toBe(body);
  });
});

describe('plainToolReferences', () => {
  const tool = (name: string, more: JsonObject = {}) => ({ name, input_schema: { type: 'object' }, ...more });
  const reference = { type: 'tool_reference', tool_name: 'Tide' };
  const tools = [tool('Search'), tool('Tide', { defer_loading: true }), tool('Moon', { defer_loading: true })];

  test('a tool that was found is named in text and offered, one that was not is left out', () => {
    const messages = [user('a'), assistant(use), user([result([text('found'), reference])])];
    expect(repair({ plainToolReferences: true }, { tools, messages })).toEqual({
      tools: [tool('Search'), tool('Tide')],
      messages: [user('a'), assistant(use), user([result([text('found'), text('Tool Tide is now available.')])])],
    });
  });

  test('before the first search no tool is deferred', () => {
    const messages = [user('a')];
    expect(repair({ plainToolReferences: true }, { tools, messages })).toEqual({ tools: [tool('Search')], messages });
  });

  test('without either the very same object comes back', () => {
    const body = { tools: [tool('Search')], messages: [user('a'), assistant(use), user([result('x')])] };
    expect(repair({ plainToolReferences: true }, body)).toBe(body);
  });
});
