import { describe, expect, onTestFinished, test } from 'vitest';
import { isObject, type JsonObject } from '../../src/core/json.ts';
import type { ReceivedRequest } from '../helpers/fakeUpstream.ts';
import { foldEvents } from '../helpers/fold.ts';
import { pngImage } from '../helpers/pngImage.ts';
import { deepseek } from '../helpers/providers/deepseek.ts';
import { gemini } from '../helpers/providers/gemini.ts';
import { glm } from '../helpers/providers/glm.ts';
import { kimi } from '../helpers/providers/kimi.ts';
import { minimax } from '../helpers/providers/minimax.ts';
import { type ScriptedProvider, startScriptedProvider } from '../helpers/providers/scriptedProvider.ts';
import { messagesOf, resultsOf } from '../helpers/received.ts';
import { call, startApp } from '../helpers/startApp.ts';
import type { Turn } from '../helpers/turn.ts';

const THOUGHT = 'Both files are needed.';
const IMAGE = {
  type: 'image',
  source: { type: 'base64', media_type: 'image/png', data: pngImage().toString('base64') },
};
const LINK = { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } };
const COMMAND = 'printf "one\ntwo"';

/** Tools as Claude Code and MCP servers write them: with all that the dialects of providers lack. */
const TOOLS = [
  {
    name: 'Read',
    description: 'Reads a file.',
    input_schema: {
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
      additionalProperties: false,
      properties: {
        path: { type: 'string', pattern: '^/' },
        mode: { enum: ['text', 'bytes'] },
        limit: { type: ['integer', 'null'], exclusiveMinimum: 0 },
        range: { type: 'array', items: [{ type: 'integer' }, { type: 'integer' }] },
        encoding: { type: 'string', anyOf: [{ const: 'utf8' }, { format: 'uri' }] },
        level: { enum: [1, 2] },
        node: { $ref: '#/$defs/node' },
      },
      required: ['path'],
      $defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' } } } },
    },
    cache_control: { type: 'ephemeral' },
  },
  {
    name: 'Bash',
    description: 'Runs a command.',
    input_schema: { type: 'object', properties: { command: { type: 'string' } }, required: ['command'] },
  },
];

const CALLS = [
  { name: 'Read', input: { path: '/a.txt' } },
  { name: 'Bash', input: { command: COMMAND } },
];

/** The model: two parallel calls, and when it has their results an answer with a stop string inside. */
function model(request: ReceivedRequest): Turn {
  if (resultsOf(request).length === 0) return { reasoning: THOUGHT, text: 'I will read both.', calls: CALLS };
  return { reasoning: 'Enough.', text: 'ALL DONE\nHALT and more' };
}

const FIRST = {
  role: 'user',
  content: [{ type: 'text', text: 'What is in them?', cache_control: { type: 'ephemeral' } }, IMAGE, LINK],
};

/** What Claude Code puts beside the messages, and what other clients add. */
const FIELDS = {
  max_tokens: 1_000_000,
  system: [
    { type: 'text', text: 'You are brief.', cache_control: { type: 'ephemeral' } },
    { type: 'text', text: 'You are kind.' },
  ],
  tools: TOOLS,
  temperature: 0,
  top_p: 0,
  top_k: 3,
  stop_sequences: ['a stop string of more than thirty-two bytes', ...['1', '2', '3', '4', '5'], 'HALT'],
  metadata: { user_id: 'user_1_session_2' },
  context_management: { edits: [] },
  service_tier: 'auto',
};

type Ask = (fields: Record<string, unknown>) => Promise<JsonObject>;

async function stage(provider: ScriptedProvider, stream: boolean) {
  const upstream = await startScriptedProvider(provider, model);
  const app = await startApp({ PROVIDER: provider.name, OPENAI_BASE_URL: upstream.baseUrl });
  onTestFinished(() => app.close());
  const ask: Ask = async (fields) => {
    const body = JSON.stringify({ model: 'claude-opus-5', ...FIELDS, stream, ...fields });
    const headers = { 'content-type': 'application/json' };
    const { status, text } = await call(`${app.url}/v1/messages`, { method: 'POST', headers, body });
    expect(status, text).toBe(200);
    return stream ? foldEvents(text) : JSON.parse(text);
  };
  return { upstream, ask };
}

const blocksOf = ({ content }: JsonObject): JsonObject[] => (Array.isArray(content) ? content.filter(isObject) : []);

/** The turn that answers the calls of a message. */
const resultsFor = (message: JsonObject) => ({
  role: 'user',
  content: [
    ...blocksOf(message)
      .filter(({ type }) => type === 'tool_use')
      .map(({ id }, index) => ({
        type: 'tool_result',
        tool_use_id: id,
        content: index === 0 ? [{ type: 'text', text: 'alpha' }, IMAGE] : 'no such command',
        is_error: index === 1,
      })),
    { type: 'text', text: '<system-reminder>Be brief.</system-reminder>' },
  ],
});

/** How a provider gets the reasoning of the first turn back, and what else it wants to see again. */
const REPLAYED: Record<string, object> = {
  kimi: { reasoning_content: THOUGHT },
  glm: { reasoning_content: THOUGHT },
  minimax: { reasoning_details: [{ type: 'reasoning.text', text: THOUGHT }] },
  gemini: { tool_calls: [{ extra_content: { google: { thought_signature: 'c2lnbmF0dXJl' } } }, {}] },
  deepseek: { reasoning_content: THOUGHT },
};

const providers = [kimi, glm, minimax, gemini, deepseek];
const modes = providers.flatMap((provider) =>
  [true, false].map((stream) => ({ provider, name: provider.name, stream })),
);

describe.each(modes)('$name, streamed: $stream', ({ provider, stream }) => {
  test('a conversation with images, reasoning, parallel calls and a stop string', async () => {
    const { upstream, ask } = await stage(provider, stream);
    const thinking = { type: 'adaptive' };
    const first = await ask({ messages: [FIRST], thinking, output_config: { effort: 'medium' } });
    const calls = blocksOf(first).filter(({ type }) => type === 'tool_use');
    expect(calls.map(({ name, input }) => ({ name, input }))).toEqual(CALLS);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
    const thought = blocksOf(first).find(({ type }) => type === 'thinking');
    expect(thought?.['thinking']).toBe(provider === gemini ? undefined : THOUGHT);
    const said = blocksOf(first).filter(({ type }) => type === 'text');
    expect(said.map(({ text }) => String(text).trim())).toEqual(['I will read both.']);
    expect(first).toMatchObject({ stop_reason: 'tool_use', usage: { output_tokens: expect.any(Number) } });

    const messages = [FIRST, { role: 'assistant', content: first['content'] }, resultsFor(first)];
    const second = await ask({ messages, thinking });
    const [text] = blocksOf(second).filter(({ type }) => type === 'text');
    expect(String(text?.['text']).trim()).toBe('ALL DONE');
    expect(second['stop_reason']).toMatch(/^(?:stop_sequence|end_turn)$/);
    const received = upstream.requests[1] as ReceivedRequest;
    const replayed = messagesOf(received).find(({ role }) => role === 'assistant');
    expect(replayed).toMatchObject(REPLAYED[provider.name] ?? {});
    expect(resultsOf(received)[0]).toContain('alpha');
    expect(resultsOf(received)[1]).toContain('[tool error] no such command');
  });

  test.each([{ type: 'any' }, { type: 'tool', name: 'Bash' }, { type: 'auto', disable_parallel_tool_use: true }])(
    'a tool choice of %j',
    async (choice) => {
      const { ask } = await stage(provider, stream);
      const answer = await ask({ messages: [FIRST], tool_choice: choice });
      expect(answer['stop_reason']).toBe('tool_use');
    },
  );

  test('no tool, no reasoning, a prefill, and models of all tiers', async () => {
    const { ask } = await stage(provider, stream);
    const messages = [FIRST, { role: 'assistant', content: '{' }];
    await ask({ messages, tool_choice: { type: 'none' }, thinking: { type: 'disabled' } });
    const middle = 'claude-sonnet-5';
    await ask({ model: middle, messages: [FIRST], thinking: { type: 'enabled', budget_tokens: 2000 } });
    await ask({ model: middle, messages: [FIRST], thinking: { type: 'disabled' } });
    await ask({ model: 'claude-haiku-4-5', messages: [FIRST], thinking: { type: 'disabled' }, max_tokens: 1 });
    await ask({ model: 'claude-haiku-4-5', messages: [FIRST], output_config: { effort: 'max' } });
  });

  test('a conversation of another provider, with system messages inside', async () => {
    const { ask } = await stage(provider, stream);
    const call = { type: 'tool_use', id: 'search:0', name: 'Bash', input: { command: 'ls' } };
    const answer = await ask({
      messages: [
        { role: 'system', content: 'You are here.' },
        FIRST,
        { role: 'assistant', content: [{ type: 'thinking', thinking: 'Hm.', signature: 'ErcB' }, call] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'search:0', content: [] }] },
        { role: 'system', content: 'The user is back.' },
        { role: 'assistant', content: [{ ...call }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'search:0', content: 'a' }] },
      ],
    });
    expect(blocksOf(answer).at(-1)).toMatchObject({ type: 'text', text: expect.stringContaining('ALL DONE') });
  });
});
