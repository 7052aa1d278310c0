import { afterEach, expect, test } from 'vitest';
import {
  type AnthropicServer,
  type NativeBehaviour,
  nativeEvent,
  nativeJson,
  nativeStream,
  nativeTurn,
  startAnthropicServer,
} from '../helpers/anthropicServer.ts';
import { call, message, readEvents, type Settings, startApp, type TestApp } from '../helpers/startApp.ts';

let server: AnthropicServer | undefined;
let app: TestApp | undefined;

afterEach(async () => {
  await app?.close();
  await server?.close();
});

const MARK = { type: 'ephemeral' };
const toolUse = { type: 'tool_use', id: 'toolu_1', name: 'Read', input: { path: 'a' } };
const marked = { ...toolUse, cache_control: MARK };
/** A conversation whose assistant has called a tool. */
const conversation = (...content: object[]) => [
  { role: 'user', content: 'go' },
  { role: 'assistant', content },
  { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'x' }] },
];
const fields = {
  messages: conversation(marked),
  thinking: { type: 'adaptive', display: 'omitted' },
  output_config: { effort: 'low' },
  tool_choice: { type: 'auto' },
  new_field: { kept: true },
};

/** What a provider gets of a request with a little of everything. */
async function received(
  settings: Settings,
  model: string,
  more: Record<string, unknown> = {},
  headers: Record<string, string> = {},
) {
  server = await startAnthropicServer({ '*': nativeTurn({ text: 'hi' }) });
  app = await startApp({ BIG_MODEL: 'any', ...settings, OPENAI_BASE_URL: server.url });
  const options = message(model, { ...fields, ...more });
  const answer = await call(`${app.url}/v1/messages`, { ...options, headers: { ...options.headers, ...headers } });
  expect(answer.status).toBe(200);
  const [request] = server.requests;
  if (request === undefined) throw new Error('nothing was asked');
  return { ...request, sent: JSON.parse(String(options.body)) as Record<string, unknown> };
}

test.each(['kimi-k3', 'kimi-k3.1-pro'])('kimi: %s gets no thinking field, its effort stays', async (model) => {
  const { body, sent } = await received({ PROVIDER: 'kimi-anthropic' }, model);
  const { thinking: _thinking, ...others } = sent;
  expect(body).toEqual({ ...others, model });
});

test('kimi: its other models get everything as it is', async () => {
  const { body, sent } = await received({ PROVIDER: 'kimi-anthropic' }, 'kimi-k2.6');
  expect(body).toEqual(sent);
});

test('kimi-coding: one beta stays behind, the others pass', async () => {
  const headers = { 'anthropic-beta': 'a-1,interleaved-thinking-2025-05-14,context-1m-2025-08-07' };
  const { headers: got, body, sent } = await received({ PROVIDER: 'kimi-coding-anthropic' }, 'k3', {}, headers);
  expect(got['anthropic-beta']).toBe('a-1,context-1m-2025-08-07');
  expect(body).toEqual(sent);
});

test('kimi-coding: where it was the only beta, no such header is sent', async () => {
  const headers = { 'anthropic-beta': 'interleaved-thinking-2025-05-14' };
  const { headers: got } = await received({ PROVIDER: 'kimi-coding-anthropic' }, 'k3', {}, headers);
  expect(got).not.toHaveProperty('anthropic-beta');
});

test('R134 deepseek: a tool turn without thoughts gets an empty block, an effort stays beside thinking', async () => {
  const { body, sent } = await received({ PROVIDER: 'deepseek-anthropic' }, 'deepseek-flash');
  const block = { type: 'thinking', thinking: '', signature: '' };
  expect(body).toEqual({ ...sent, messages: conversation(block, marked) });
});

test('deepseek: no effort goes beside disabled thinking, and no thoughts are made up', async () => {
  const { body, sent } = await received({ PROVIDER: 'deepseek-anthropic' }, 'deepseek-flash', {
    thinking: { type: 'disabled' },
  });
  const { output_config: _config, ...others } = sent;
  expect(body).toEqual(others);
});

test('ollama: neither tool_choice nor cache breakpoints', async () => {
  const { body, sent } = await received({ PROVIDER: 'ollama-anthropic' }, 'qwen3');
  const { tool_choice: _choice, ...others } = sent;
  expect(body).toEqual({ ...others, messages: conversation(toolUse) });
});

test('any repair can be set for an instance, and a field be added', async () => {
  const settings = {
    PROVIDER: 'custom-anthropic',
    QUIRK_DROP_PARAMS: 'new_field,output_config',
    QUIRK_EXTRA_BODY: '{"service_tier":"auto"}',
  };
  const { body, sent } = await received(settings, 'm');
  const { new_field: _field, output_config: _config, ...others } = sent;
  expect(body).toEqual({ ...others, service_tier: 'auto' });
});

const tools = [{ name: 'Read', input_schema: { type: 'object', properties: { path: { type: 'string' } } } }];

async function answered(behave: NativeBehaviour, stream: boolean): Promise<string> {
  server = await startAnthropicServer({ '*': behave });
  app = await startApp({ PROVIDER: 'minimax-anthropic', OPENAI_BASE_URL: server.url });
  return (await call(`${app.url}/v1/messages`, message('MiniMax-M3', { stream, tools }))).text;
}

const start = (index: number, block: Record<string, unknown>) =>
  nativeEvent('content_block_start', { index, content_block: block });
const piece = (index: number, delta: Record<string, unknown>) => nativeEvent('content_block_delta', { index, delta });
const json = (index: number, text: string) => piece(index, { type: 'input_json_delta', partial_json: text });
const stop = (index: number) => nativeEvent('content_block_stop', { index });
const call1 = { type: 'tool_use', id: 'toolu_1', name: 'Read', input: {} };
const HEAD = nativeEvent('message_start', { message: { model: 'm', usage: { input_tokens: 3, output_tokens: 1 } } });
const TEXT = start(0, { type: 'text', text: '' }) + piece(0, { type: 'text_delta', text: 'ünï' }) + stop(0);
const TAIL =
  nativeEvent('message_delta', { delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 5 } }) +
  nativeEvent('message_stop');

/** The input of the call as a client puts it together. */
function inputOf(text: string): unknown {
  const parts = readEvents(text).map(
    ([, data]) => (data['delta'] as { partial_json?: string } | undefined)?.partial_json ?? '',
  );
  return JSON.parse(parts.join('') || '{}');
}

test.each([
  ['in one piece', json(1, '{"arguments":{"path":"a"}}')],
  ['in many pieces', json(1, '{"resu') + json(1, 'lt":"{\\"path\\"') + nativeEvent('ping') + json(1, ':\\"a\\"}"}')],
  ['as text', json(1, JSON.stringify('{"path":"a"}'))],
  ['under the tool’s name', json(1, '{"Read":{"path":"a"}}')],
])('minimax: streamed input that is wrapped %s is unwrapped', async (_name, pieces) => {
  const text = await answered(nativeStream(`${HEAD}${TEXT}${start(1, call1)}`, pieces, `${stop(1)}${TAIL}`), true);
  expect(inputOf(text)).toEqual({ path: 'a' });
  expect(text.startsWith(`${HEAD}${TEXT}${start(1, call1)}`)).toBe(true);
  expect(text.endsWith(`${stop(1)}${TAIL}`)).toBe(true);
});

test('minimax: input in the start of the block is given where clients look for it', async () => {
  const given = start(1, { ...call1, input: { arguments: { path: 'a' } } });
  const text = await answered(nativeStream(HEAD, TEXT, given, stop(1), TAIL), true);
  expect(text).toBe(HEAD + TEXT + start(1, call1) + json(1, '{"path":"a"}') + stop(1) + TAIL);
});

test.each([
  ['sound', '{"path": "a"}'],
  ['broken', '{"path": "a'],
])('minimax: %s input keeps its text', async (_name, input) => {
  const text = await answered(nativeStream(HEAD, start(0, call1), json(0, input), stop(0), TAIL), true);
  expect(text).toBe(HEAD + start(0, call1) + json(0, input) + stop(0) + TAIL);
});

test('minimax: a call without input stays one', async () => {
  const text = await answered(nativeStream(HEAD, start(0, call1), stop(0), TAIL), true);
  expect(text).toBe(HEAD + start(0, call1) + stop(0) + TAIL);
});

test('minimax: R329 a call whose block does not end is not handed on as if it had', async () => {
  const text = await answered(nativeStream(HEAD, start(0, call1), json(0, '{"path":"a"}')), true);
  expect(text.startsWith(HEAD + start(0, call1))).toBe(true);
  expect(readEvents(text).map(([type]) => type)).toEqual(['message_start', 'content_block_start', 'error']);
});

test('minimax: without streaming the input is unwrapped, too, and a sound answer keeps its bytes', async () => {
  const whole = (input: unknown) => ({
    type: 'message',
    content: [
      { type: 'text', text: 'x' },
      { ...call1, input },
    ],
    new_field: 1,
  });
  const text = await answered(nativeJson(whole('{"arguments":{"path":"a"}}')), false);
  expect(JSON.parse(text)).toEqual(whole({ path: 'a' }));
  await app?.close();
  await server?.close();
  const sound = JSON.stringify(whole({ path: 'a' }), undefined, 2);
  expect(await answered(nativeJson(sound), false)).toBe(sound);
});
