import { LLMock, type MockServerOptions } from '@copilotkit/aimock';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isObject, type JsonObject } from '../../src/core/json.ts';
import { foldEvents } from '../helpers/fold.ts';
import { call, type Settings } from '../helpers/startApp.ts';
import { startBinary } from '../helpers/startBinary.ts';

/** A server that others wrote to stand for OpenAI, and how it understands what we send: nothing here is of our own making. */
async function startMock(options: MockServerOptions = {}): Promise<LLMock> {
  const mock = new LLMock({ port: 0, ...options });
  await mock.start();
  onTestFinished(() => mock.stop());
  return mock;
}

async function startInstance(mock: LLMock, settings: Settings = {}): Promise<string> {
  const binary = await startBinary({
    PROVIDER: 'custom',
    OPENAI_API_KEY: 'key-of-the-provider',
    BIG_MODEL: 'gpt-4o',
    OPENAI_BASE_URL: `${mock.url}/v1`,
    MAX_RETRIES: '0',
    ...settings,
  });
  onTestFinished(() => binary.stop());
  return binary.url;
}

const TOOLS = [
  {
    name: 'Read',
    description: 'Reads a file.',
    input_schema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
  },
];
const HELLO = { role: 'user', content: 'hello' };

async function post(url: string, fields: Record<string, unknown>) {
  const body = JSON.stringify({ model: 'claude-opus-5', max_tokens: 500, messages: [HELLO], tools: TOOLS, ...fields });
  return call(`${url}/v1/messages`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
}

/** The message, streamed or not. */
async function ask(url: string, stream: boolean, fields: Record<string, unknown> = {}): Promise<JsonObject> {
  const { status, text } = await post(url, { stream, ...fields });
  expect(status, text).toBe(200);
  return stream ? foldEvents(text) : JSON.parse(text);
}

const blocksOf = ({ content }: JsonObject): JsonObject[] => (Array.isArray(content) ? content.filter(isObject) : []);

describe.each([true, false])('an OpenAI-compatible server from npm, streamed: %s', (stream) => {
  test('words with their usage', async () => {
    const mock = await startMock({ chunkSize: 3 });
    mock.onMessage('hello', { content: 'Hello, wörld 👋!', usage: { prompt_tokens: 40, completion_tokens: 9 } });
    const message = await ask(await startInstance(mock), stream);
    expect(message).toMatchObject({
      content: [{ type: 'text', text: 'Hello, wörld 👋!' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 40, output_tokens: 9 },
    });
  });

  test('a tool loop with reasoning and parallel calls', async () => {
    const mock = await startMock({ chunkSize: 5 });
    const paths = ['/a "quoted".txt', '/b.txt'];
    mock.on(
      { hasToolResult: false },
      {
        reasoning: 'Both are needed.',
        content: 'Reading.',
        toolCalls: paths.map((path) => ({ name: 'Read', arguments: { path } })),
      },
    );
    mock.on({ toolResultContains: 'beta' }, { content: 'Read both.' });
    const url = await startInstance(mock);
    const first = await ask(url, stream);
    expect(first['stop_reason']).toBe('tool_use');
    expect(blocksOf(first).map(({ type, input, text, thinking }) => input ?? text ?? thinking ?? type)).toEqual([
      'Both are needed.',
      'Reading.',
      ...paths.map((path) => ({ path })),
    ]);
    const results = blocksOf(first)
      .filter(({ type }) => type === 'tool_use')
      .map(({ id }, index) => ({ type: 'tool_result', tool_use_id: id, content: index === 0 ? 'alpha' : 'beta' }));
    const messages = [HELLO, { role: 'assistant', content: first['content'] }, { role: 'user', content: results }];
    const second = await ask(url, stream, { messages });
    expect(second).toMatchObject({ content: [{ type: 'text', text: 'Read both.' }], stop_reason: 'end_turn' });
  });

  test('its limits and errors in Anthropic’s words', async () => {
    const mock = await startMock();
    const url = await startInstance(mock);
    mock.onMessage('hello', { content: 'later' });
    mock.nextRequestError(429, { message: 'Rate limit reached for gpt-4o', type: 'requests' });
    expect(await post(url, { stream })).toMatchObject({
      status: 429,
      text: expect.stringContaining('rate_limit_error'),
    });
    mock.nextRequestError(400, {
      message:
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens.",
      type: 'invalid_request_error',
      code: 'context_length_exceeded',
    });
    const { status, text } = await post(url, { stream });
    expect(status).toBe(400);
    expect(text).toContain('prompt is too long: 130000 tokens > 128000 maximum');
    expect(await ask(url, stream)).toMatchObject({ content: [{ type: 'text', text: 'later' }] });
  });

  test('the key of the instance, and a wrong one', async () => {
    const mock = await startMock({ auth: { apiKeys: ['key-of-the-provider'] } });
    mock.onMessage('hello', { content: 'Let in.' });
    expect(await ask(await startInstance(mock), stream)).toMatchObject({ content: [{ text: 'Let in.' }] });
    const { status, text } = await post(await startInstance(mock, { OPENAI_API_KEY: 'another-key' }), { stream });
    expect(status).toBe(401);
    expect(text).toContain('the provider rejected OPENAI_API_KEY');
  });

  test('Azure’s deployment in the path, with its version and header', async () => {
    const mock = await startMock();
    mock.onMessage('hello', { content: 'Deployed.' });
    const url = await startInstance(mock, {
      PROVIDER: 'azure',
      OPENAI_BASE_URL: mock.url,
      AZURE_API_VERSION: '2024-10-21',
    });
    expect(await ask(url, stream)).toMatchObject({ content: [{ text: 'Deployed.' }] });
    const request = mock.getLastRequest();
    expect(request?.path).toContain('/openai/deployments/gpt-4o/chat/completions');
    expect(request?.headers).toMatchObject({ 'api-key': expect.any(String) });
    expect(request?.headers).not.toHaveProperty('authorization');
  });
});

test('a connection that breaks in the middle is an error, never an end of the turn', async () => {
  const mock = await startMock({ chunkSize: 4 });
  mock.onMessage('hello', { content: 'A long answer that will not be finished.' }, { truncateAfterChunks: 3 });
  const { text } = await post(await startInstance(mock), { stream: true });
  // Whether words had gone out before it depends on the socket; the error is reported in either case.
  expect(text).toContain('overloaded_error');
  expect(text).not.toContain('message_stop');
});
