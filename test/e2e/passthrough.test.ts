import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  type NativeBehaviour,
  type NativeBlock,
  type NativeRequest,
  nativeError,
  nativeTurn,
  startAnthropicServer,
} from '../helpers/anthropicServer.ts';
import type { Settings } from '../helpers/startApp.ts';
import { startBinary } from '../helpers/startBinary.ts';
import { runClaude, workFolder } from './claudeClient.ts';

const THOUGHTS = [
  { thinking: 'I should write the file.', signature: 'EqQBCkYIBxgCKkA+first/==' },
  { thinking: 'I should read it back.', signature: 'EqQBCkYIBxgCKkA+second/==' },
];

const blocksOf = ({ body }: NativeRequest, role: string): NativeBlock[] =>
  body.messages
    .filter((one) => one.role === role)
    .flatMap(({ content }) => (typeof content === 'string' ? [] : content));

const resultsOf = (request: NativeRequest) => blocksOf(request, 'user').filter(({ type }) => type === 'tool_result');

async function setNativeStage(behave: NativeBehaviour, settings: Settings = {}) {
  const server = await startAnthropicServer({ '*': behave });
  const proxy = await startBinary({
    PROVIDER: 'custom-anthropic',
    OPENAI_BASE_URL: server.url,
    OPENAI_API_KEY: 'key-of-the-provider',
    BIG_MODEL: 'native-big',
    ...settings,
  });
  onTestFinished(async () => {
    await proxy.stop();
    await server.close();
  });
  return { url: proxy.url, server };
}

test('claude finishes a tool loop with thinking on a native endpoint, its signatures come back unchanged', async () => {
  const folder = workFolder();
  const path = join(folder, 'a.txt');
  const { url, server } = await setNativeStage((response, request) => {
    const done = resultsOf(request).length;
    const write = { id: 'toolu_write', name: 'Write', input: { file_path: path, content: 'alpha "quoted" \\ ünï\n' } };
    const read = { id: 'toolu_read', name: 'Read', input: { file_path: path } };
    if (done === 0) return nativeTurn({ ...THOUGHTS[0], text: 'Writing.', calls: [write] })(response, request);
    if (done === 1) return nativeTurn({ ...THOUGHTS[1], calls: [read] })(response, request);
    return nativeTurn({ text: 'NATIVE LOOP DONE' })(response, request);
  });
  const run = await runClaude(url, 'Write a file and read it.', { folder, allowedTools: 'Read,Write' });
  expect(run).toMatchObject({ exitCode: 0, text: 'NATIVE LOOP DONE' });
  expect(readFileSync(path, 'utf8')).toBe('alpha "quoted" \\ ünï\n');

  const last = server.requests.findLast((request) => resultsOf(request).length === 2) as NativeRequest;
  expect(last.body.model).toBe('native-big');
  expect(last.path).toBe('/v1/messages?beta=true');
  expect(last.headers).toMatchObject({
    'x-api-key': 'key-of-the-provider',
    'anthropic-beta': expect.stringMatching(/\w/),
  });
  const thoughts = blocksOf(last, 'assistant').filter(({ type }) => type === 'thinking');
  expect(thoughts.map(({ thinking, signature }) => ({ thinking, signature }))).toEqual(THOUGHTS);
  expect(JSON.stringify(resultsOf(last)[1])).toContain('alpha');
  expect(last.bytes.toString()).toContain('"cache_control":{"type":"ephemeral"');
  expect(run.usage).toMatchObject({ cache_read_input_tokens: expect.any(Number) });
});

test('claude recovers by the provider’s own words', async () => {
  let refused = 0;
  const { url } = await setNativeStage((response, request) => {
    if (request.body.messages.some(({ role }) => role === 'system')) {
      refused += 1;
      const words = "messages.1.role: Input should be 'user' or 'assistant'";
      return nativeError(400, 'invalid_request_error', words)(response, request);
    }
    return nativeTurn({ text: 'RECOVERED' })(response, request);
  });
  expect(await runClaude(url, 'Say something.')).toMatchObject({ exitCode: 0, text: 'RECOVERED' });
  expect(refused).toBe(1);
});

test('an instance for Anthropic hands on what claude sends as its key', async () => {
  const { url, server } = await setNativeStage(nativeTurn({ text: 'SAME KEY' }), {
    PROVIDER: 'anthropic',
    OPENAI_API_KEY: '',
    BIG_MODEL: '',
  });
  const run = await runClaude(url, 'Say something.', { arguments: ['--model', 'claude-sonnet-4-5-20250929'] });
  expect(run).toMatchObject({ exitCode: 0, text: 'SAME KEY' });
  expect(server.requests[0]?.headers.authorization).toBe('Bearer any-token');
  expect(server.requests[0]?.body.model).toBe('claude-sonnet-4-5-20250929');
});
