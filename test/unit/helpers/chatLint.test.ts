import { expect, test } from 'vitest';
import { lintRequest } from '../../helpers/chatLint.ts';

const call = (id: string, name = 'Bash', text = '{"command":"ls"}') => ({
  id,
  type: 'function',
  function: { name, arguments: text },
});
const result = (id: string, content: unknown = 'done') => ({ role: 'tool', tool_call_id: id, content });
const user = { role: 'user', content: 'Hello' };
const tool = (name: string, parameters: unknown = { type: 'object', properties: {} }) => ({
  type: 'function',
  function: { name, description: '', parameters },
});
const sound = {
  model: 'm',
  messages: [
    { role: 'system', content: 'Be brief.' },
    user,
    { role: 'assistant', content: '', tool_calls: [call('a'), call('b')] },
    result('b'),
    result('a', [{ type: 'text', text: 'done' }]),
    { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo' } }] },
  ],
  tools: [tool('Bash')],
  stream: true,
  stream_options: { include_usage: true },
  max_tokens: 100,
};

const lint = (fields: object, headers: Record<string, string> = {}) =>
  lintRequest({ body: { ...sound, ...fields }, headers });

test('a sound request has no problems', () => {
  expect(lint({}, { authorization: 'Bearer key', 'user-agent': 'x' })).toEqual([]);
});

test.each<[string, object]>([
  ['an Anthropic field', { system: 'x' }],
  ['a field of auto mode', { safeguards: [] }],
  ['no model', { model: '' }],
  ['an output limit of nothing', { max_tokens: 0 }],
  ['two output limits', { max_completion_tokens: 5 }],
  ['stream_options without a stream', { stream: false }],
  ['an empty stop string', { stop: [' '] }],
  ['half a letter', { user: '\ud83d' }],
  ['an empty list of tools', { tools: [] }],
  ['a tool choice without tools', { tools: undefined, tool_choice: 'auto' }],
  ['a tool choice in Anthropic’s words', { tool_choice: 'any' }],
  ['a choice of a tool that is not there', { tool_choice: { type: 'function', function: { name: 'Read' } } }],
  ['a tool name with a dot', { tools: [tool('a.b')] }],
  ['a tool name that is too long', { tools: [tool('a'.repeat(65))] }],
  ['two tools of one name', { tools: [tool('Bash'), tool('Bash')] }],
  ['a tool whose parameters are no object', { tools: [tool('Bash', { type: 'string' })] }],
  ['a tool with a cache mark', { tools: [{ ...tool('Bash'), cache_control: {} }] }],
  ['no messages', { messages: [] }],
  ['no user message', { messages: [{ role: 'system', content: 'x' }] }],
  ['an unknown role', { messages: [user, { role: 'human', content: 'x' }] }],
  ['a system message in the middle', { messages: [user, { role: 'system', content: 'x' }] }],
  ['a user message without content', { messages: [{ role: 'user', content: '' }] }],
  ['an empty text part', { messages: [{ role: 'user', content: [{ type: 'text', text: '' }] }] }],
  [
    'a cache mark on a part',
    { messages: [{ role: 'user', content: [{ type: 'text', text: 'x', cache_control: {} }] }] },
  ],
  ['a part in Anthropic’s words', { messages: [{ role: 'user', content: [{ type: 'image', source: {} }] }] }],
  ['a picture as text', { messages: [{ role: 'user', content: 'iVBORw0KGgoAAA' }] }],
  ['the billing line', { messages: [{ role: 'system', content: 'x-anthropic-billing-header: y' }, user] }],
  ['an answer without content', { messages: [user, { role: 'assistant', content: null }] }],
  ['thinking left in an answer', { messages: [user, { role: 'assistant', content: 'x', thinking: 'y' }] }],
  ['an empty list of calls', { messages: [user, { role: 'assistant', content: 'x', tool_calls: [] }] }],
  ['a call without a result', { messages: [user, { role: 'assistant', tool_calls: [call('a')] }] }],
  [
    'a call whose result comes too late',
    { messages: [user, { role: 'assistant', tool_calls: [call('a')] }, user, result('a')] },
  ],
  ['a result without a call', { messages: [user, result('a')] }],
  ['two calls of one id', { messages: [user, { role: 'assistant', tool_calls: [call('a'), call('a')] }, result('a')] }],
  ['an id of a provider', { messages: [user, { role: 'assistant', tool_calls: [call('f:0')] }, result('f:0')] }],
  [
    'arguments that are no object',
    { messages: [user, { role: 'assistant', tool_calls: [call('a', 'Bash', '[]')] }, result('a')] },
  ],
  ['a result without content', { messages: [user, { role: 'assistant', tool_calls: [call('a')] }, result('a', '')] }],
])('%s is a problem', (_name, fields) => {
  expect(lint(fields)).not.toEqual([]);
});

test.each(['anthropic-beta', 'x-api-key', 'x-stainless-lang', 'x-claude-code-session-id', 'cookie'])(
  'R152 the header %s is a problem',
  (name) => {
    expect(lint({}, { [name]: 'x' })).toEqual([`header ${name} belongs to the client`]);
  },
);
