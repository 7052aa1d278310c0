import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.ts';
import { readClientIntent, readWorkingDirectory } from '../../../../src/protocol/anthropic/claudeCode.ts';

const tools = [{ name: 'Bash', input_schema: { type: 'object' } }];
const title = {
  effort: 'medium',
  format: { type: 'json_schema', schema: { type: 'object', properties: { title: { type: 'string' } } } },
};
const says = (...texts: readonly string[]) => [
  { role: 'user', content: [{ type: 'text', text: 'first' }] },
  { role: 'user', content: texts.map((text) => ({ type: 'text', text })) },
];
const compact = `CRITICAL: Respond with TEXT ONLY.\n\nYour task is to create a detailed summary of the conversation so far`;

/** Bodies as Claude Code 2.1.328 sends them, cut down to what distinguishes them. */
describe('what a request of Claude Code is for', () => {
  test.each<[string, JsonObject, boolean]>([
    ['chat', { tools, messages: says('hello') }, false],
    ['subagent', { tools, messages: says('hello') }, true],
    ['title', { tools: [], output_config: title, messages: says('<session>') }, false],
    ['safety_check', { max_tokens: 64, stop_sequences: ['</block>'], messages: says('<transcript>') }, false],
    ['summary', { tools, messages: says('reminder', compact) }, false],
    ['summary', { messages: [{ role: 'user', content: compact }] }, false],
    ['web_search', { tools: [{ type: 'web_search_20250305', name: 'web_search' }], messages: says('x') }, true],
    ['connection_test', { max_tokens: 1, messages: says('quota') }, false],
    ['side', { tools: [], messages: says('Web page content') }, false],
    ['subagent', { messages: says('no tools') }, true],
  ])('%s', (intent, body, isSubagent) => {
    expect(readClientIntent(body, isSubagent)).toBe(intent);
  });

  test.each<[string, JsonObject]>([
    ['chat', { tools: [...tools, { type: 'web_search_20250305' }] }],
    ['chat', { tools, output_config: title }],
    ['side', { stop_sequences: ['</x>'], output_config: { format: { schema: { properties: { answer: {} } } } } }],
  ])('%s, although something of another kind is in it: %j', (intent, body) => {
    expect(readClientIntent({ messages: says(`${' '.repeat(5000)}${compact}`), ...body }, false)).toBe(intent);
  });

  test.each<JsonObject>([
    {},
    { tools: 'x', messages: 'x', stop_sequences: {}, output_config: [] },
    { messages: [null, 5] },
    { messages: [{ content: [null, { text: 5 }] }], output_config: { format: { schema: { properties: null } } } },
  ])('nothing is thrown at what is no request: %j', (body) => {
    expect(readClientIntent(body, false)).toBe('side');
    expect(readWorkingDirectory(body)).toBeUndefined();
  });
});

describe('the folder that Claude Code works in', () => {
  const environment = '# Environment\n - Primary working directory: /home/me/my shop\n - Is a git repository: true\n';
  const block = { type: 'text', text: environment };
  test.each<[string, JsonObject]>([
    ['in the system text', { system: [{ type: 'text', text: 'You are' }, block], messages: says('x') }],
    ['in a system text that is no list', { system: environment }],
    [
      'in a system message',
      {
        messages: [
          { role: 'user', content: 'x' },
          { role: 'system', content: [block] },
        ],
      },
    ],
    ['by the words of older versions', { system: 'Working directory: /home/me/my shop\nPlatform: linux' }],
  ])('stands %s', (_where, body) => {
    expect(readWorkingDirectory(body)).toBe('/home/me/my shop');
  });

  test('is looked for in the beginning of a request only, and is bounded', () => {
    const late = says('a', 'b', 'c');
    expect(
      readWorkingDirectory({ messages: [...late, ...late, { role: 'system', content: [block] }] }),
    ).toBeUndefined();
    expect(readWorkingDirectory({ system: ' '.repeat(70_000) + environment })).toBeUndefined();
    expect(readWorkingDirectory({ system: `working directory: ${'x'.repeat(1e6)}` })).toBe('x'.repeat(1000));
    expect(readWorkingDirectory({ system: 'working directory: \n' })).toBeUndefined();
  });
});
