import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { HookInfo } from '../../src/hooks/hooks.ts';
import { type AnthropicServer, nativeJson, nativeTurn, startAnthropicServer } from '../helpers/anthropicServer.ts';
import { delta, type FakeUpstream, frame, openEvents, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { messagesOf, textOf } from '../helpers/received.ts';
import { pages, startSearchServer } from '../helpers/searchServer.ts';
import { call, message, readEvents, type Settings, startApp, type TestApp } from '../helpers/startApp.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';
import { reply } from '../helpers/turn.ts';
import { namesPictures, picture, text } from '../helpers/visionStage.ts';

/** Bytes that no writer of JSON would write like this. */
const ODD_BODY = '{ "model":"model", "max_tokens": 10.0, "messages":[{"role":"user","content":"caf\\u00e9"}] }';
const ODD_ANSWER =
  '{ "id":"msg_1", "type":"message", "model":"model", "content":[{"type":"text","text":"caf\\u00e9"}], "new": 1.0 }';

const INFO: HookInfo = {
  instance: 'test',
  id: 'req_0',
  provider: 'custom',
  model: 'model',
  stream: false,
  agent: undefined,
  session: undefined,
};

/** An instance with a hooks file whose module is loaded. */
async function startHooked(source: string, settings: Settings): Promise<TestApp> {
  const folder = temporaryFolder();
  onTestFinished(folder.remove);
  const file = join(folder.path, 'hooks.mjs');
  const probe =
    'export const request = (body, info) => (body.probe ? { ...body, probe: "loaded" } : change(body, info));';
  writeFileSync(file, `${source}\n${probe}`);
  const app = await startApp({ ...settings, HOOKS_FILE: file, BIG_MODEL: 'model', SMALL_MODEL: 'model' });
  onTestFinished(() => app.close());
  const question = JSON.stringify({ model: 'model', messages: [], probe: 'wait' });
  while ((await app.services.hooks.call('request', question, INFO)) === undefined);
  app.log.length = 0;
  return app;
}

async function startChat(): Promise<FakeUpstream> {
  const upstream = await startFakeUpstream({
    model: words('fine'),
    broken: (response) => {
      openEvents(response);
      response.end(frame(delta({ content: 'half' })));
    },
  });
  onTestFinished(() => upstream.close());
  return upstream;
}

async function startNative(): Promise<AnthropicServer> {
  const server = await startAnthropicServer({ model: nativeJson(ODD_ANSWER), turn: nativeTurn({ text: 'hi native' }) });
  onTestFinished(() => server.close());
  return server;
}

const native = (server: AnthropicServer) => ({ PROVIDER: 'custom-anthropic', OPENAI_BASE_URL: server.url });
const post = (app: TestApp, body: string, headers: Record<string, string> = {}) =>
  call(`${app.url}/v1/messages`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });

/** Something outside to which a hook can report what it has seen. */
async function startListener(): Promise<{ readonly url: string; next(): Promise<unknown> }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    next: async () => {
      const [request, response] = await once(server, 'request');
      let text = '';
      for await (const part of request as IncomingMessage) text += part;
      response.end();
      return JSON.parse(text);
    },
  };
}

const search = { calls: [{ id: 'c1', name: 'web_search', input: { query: 'weather' } }] };
const TOOL = { name: 'Read', description: 'Reads a file', input_schema: { type: 'object', properties: {} } };

const NO_CHANGE = 'const change = () => {};';

test('a request hook changes what is routed and sent, and knows the request', async () => {
  const upstream = await startChat();
  const app = await startHooked(
    `function change(body, info) {
      body.messages.push({ role: 'user', content: JSON.stringify(info) });
      return { ...body, model: 'model' };
    }`,
    { OPENAI_BASE_URL: upstream.url },
  );
  const { headers, body } = message('claude-opus-5');
  const answer = await post(app, String(body), {
    ...headers,
    'x-claude-code-session-id': 'session-1',
    'x-claude-code-agent-id': 'agent-1',
  });
  expect(answer.status).toBe(200);
  const received = upstream.requests[0];
  const text = received === undefined ? '' : textOf(messagesOf(received).at(-1));
  const reported = JSON.parse(text.slice(text.indexOf('{')));
  expect(reported).toMatchObject({
    instance: 'test',
    id: answer.headers['request-id'],
    model: 'claude-opus-5',
    stream: false,
    agent: 'agent-1',
    session: app.log.at(-1)?.['session'],
  });
  expect(received?.body.model).toBe('model');
});

test('a response hook changes a whole answer and sees a streamed one as it was', async () => {
  const upstream = await startChat();
  const listener = await startListener();
  const app = await startHooked(
    `${NO_CHANGE}
    export async function response(message, info) {
      if (info.stream) await fetch('${listener.url}', { method: 'POST', body: JSON.stringify({ message, info }) });
      return { ...message, content: [{ type: 'text', text: 'from ' + info.provider }] };
    }`,
    { OPENAI_BASE_URL: upstream.url },
  );
  const whole = JSON.parse((await call(`${app.url}/v1/messages`, message('model'))).text);
  expect(whole.content).toEqual([{ type: 'text', text: 'from custom' }]);

  const seen = listener.next();
  const { text } = await call(`${app.url}/v1/messages`, message('model', { stream: true }));
  expect(text).toContain('fine');
  expect(text).not.toContain('from custom');
  expect(readEvents(text).at(-1)?.[0]).toBe('message_stop');
  expect(await seen).toMatchObject({
    message: { type: 'message', content: [{ type: 'text', text: 'fine' }], stop_reason: 'end_turn' },
    info: { stream: true, model: 'model' },
  });
});

test('what has no complete message is not shown to a response hook', async () => {
  const upstream = await startChat();
  const app = await startHooked(`${NO_CHANGE} export function response() { throw new Error('it was called'); }`, {
    OPENAI_BASE_URL: upstream.url,
  });
  expect(readEvents((await call(`${app.url}/v1/messages`, message('broken', { stream: true }))).text).at(-1)?.[0]).toBe(
    'error',
  );
  expect((await post(app, '{}')).status).toBe(400);
  expect((await post(app, 'no json')).status).toBe(400);
  // The next call would be behind theirs.
  expect((await call(`${app.url}/v1/messages`, message('model'))).status).toBe(200);
  expect(app.log.filter(({ level }) => level === 'warn' || level === 'error').map((line) => line['reason'])).toEqual([
    undefined,
    'Error: it was called',
  ]);
});

test('a native request and answer keep their bytes unless a hook changes them', async () => {
  const server = await startNative();
  const app = await startHooked(
    `const change = (body) => (body.max_tokens === 10 ? body : { ...body, metadata: { user_id: 'hooked' } });
    export const response = (message, info) =>
      info.stream || message.new === undefined || info.agent === undefined ? message : { ...message, new: 2 };`,
    native(server),
  );
  const untouched = await post(app, ODD_BODY);
  expect(server.requests.at(-1)?.bytes.toString()).toBe(ODD_BODY);
  expect(untouched.text).toBe(ODD_ANSWER);

  const changed = await post(app, ODD_BODY.replace('10.0', '11'), { 'x-claude-code-agent-id': 'a' });
  expect(server.requests.at(-1)?.body).toEqual({
    ...JSON.parse(ODD_BODY),
    max_tokens: 11,
    metadata: { user_id: 'hooked' },
  });
  expect(JSON.parse(changed.text)).toEqual({ ...JSON.parse(ODD_ANSWER), new: 2 });
});

test('a native stream is shown as the message that it was', async () => {
  const server = await startNative();
  const listener = await startListener();
  const app = await startHooked(
    `${NO_CHANGE}
    export const response = (message) => fetch('${listener.url}', { method: 'POST', body: JSON.stringify(message) });`,
    { ...native(server) },
  );
  const seen = listener.next();
  await call(`${app.url}/v1/messages`, message('turn', { stream: true }));
  expect(await seen).toMatchObject({ type: 'message', content: [{ type: 'text', text: 'hi native' }] });
});

test('a hook that fails or never ends is logged with the request, which goes on as it was', async () => {
  const upstream = await startChat();
  const app = await startHooked(
    `function change(body) {
      if (body.metadata?.user_id === 'loop') for (;;);
      throw new Error('not today');
    }
    export function response() { return 'nothing'; }`,
    { OPENAI_BASE_URL: upstream.url },
  );
  const failed = await call(`${app.url}/v1/messages`, message('model'));
  expect([failed.status, JSON.parse(failed.text).content[0].text]).toEqual([200, 'fine']);
  const looped = await call(`${app.url}/v1/messages`, message('model', { metadata: { user_id: 'loop' } }));
  expect([looped.status, JSON.parse(looped.text).content[0].text]).toEqual([200, 'fine']);
  const lines = app.log.filter((line) => String(line['message']).includes('hook failed'));
  // The request is over, and what it works with may go, when its hooks are.
  const ofFailed = app.log.filter(({ id }) => id === failed.headers['request-id']);
  expect(ofFailed.map((line) => line['event'] ?? line['message'])).toEqual([
    'the request hook failed, and all goes on without it',
    'the response hook failed, and all goes on without it',
    'request',
  ]);
  expect(lines.slice(0, 3)).toMatchObject([
    {
      message: 'the request hook failed, and all goes on without it',
      id: failed.headers['request-id'],
      at: 'hooks.mjs:3',
      reason: 'Error: not today',
    },
    {
      message: 'the response hook failed, and all goes on without it',
      id: failed.headers['request-id'],
      reason: 'TypeError: it returned something that is no response',
    },
    {
      message: 'the request hook failed, and all goes on without it',
      id: looped.headers['request-id'],
      reason: 'it took longer than 1000 ms',
    },
  ]);
});

test('what a request hook takes out is neither described nor searched, and a response hook sees pages and words as one answer', async () => {
  const upstream = await startFakeUpstream({
    model: reply(({ text }) => (text.includes('Pages that were found') ? { text: 'Sunny.' } : search)),
    eyes: namesPictures,
  });
  const server = await startSearchServer(pages(['https://weather.test/', 'Weather', 'Sunny.']));
  onTestFinished(async () => {
    await upstream.close();
    await server.close();
  });
  const app = await startHooked(
    `function change(body) {
      body.messages[0].content = body.messages[0].content.filter(({ secret }) => secret === undefined);
      return body;
    }
    export const response = (answer) => ({ ...answer, seen: answer.content.map(({ type }) => type) });`,
    {
      OPENAI_BASE_URL: upstream.url,
      QUIRK_VISION: '0',
      VISION_MODEL: 'eyes',
      WEB_SEARCH: 'searxng',
      SEARCH_URL: server.url,
    },
  );
  const content = [text('How is it?'), picture('a'), { ...picture('b'), secret: true }];
  const tools = [{ type: 'web_search_20250305', name: 'web_search' }, TOOL];
  const answer = await call(
    `${app.url}/v1/messages`,
    message('model', { tools, messages: [{ role: 'user', content }] }),
  );
  expect(JSON.parse(answer.text)).toMatchObject({ seen: ['server_tool_use', 'web_search_tool_result', 'text'] });
  expect(upstream.requests.map(({ body }) => body.model)).toEqual(['eyes', 'model', 'model']);
  expect(upstream.requests.map(({ text: sent }) => sent).join('')).not.toContain('secret');
  expect(server.searches).toHaveLength(1);
});

test('the example of docs/HOOKS.md does what it says', async () => {
  const server = await startNative();
  const { path, remove } = temporaryFolder();
  onTestFinished(remove);
  const page = readFileSync(join(import.meta.dirname, '../../docs/HOOKS.md'), 'utf8');
  const example = /```js\n(.*?)```/s.exec(page)?.[1] ?? '';
  const file = join(path, 'printed.txt');
  const print = `import { appendFileSync } from 'node:fs';
    const print = (...words) => appendFileSync('${file}', words.join(' ') + '\\n');`;
  const source = example.replace('export function request', 'function change').replace('console.log', 'print');
  const app = await startHooked(`${print}\n${source}`, native(server));
  const { headers, body } = message('model', { thinking: { type: 'enabled', budget_tokens: 2000 } });
  const answer = await post(app, String(body), { ...headers, 'x-claude-code-agent-id': 'a1' });
  expect(answer.text).toBe(ODD_ANSWER);
  expect(server.requests.at(-1)?.body['thinking']).toEqual({ type: 'disabled' });
  expect(readFileSync(file, 'utf8')).toBe(`${answer.headers['request-id']} custom-anthropic \n`);
  expect(app.log.filter(({ level }) => level === 'warn')).toEqual([]);
});

test('without HOOKS_FILE there is no thread and nothing in between', async () => {
  const upstream = await startChat();
  const app = await startApp({ OPENAI_BASE_URL: upstream.url, BIG_MODEL: 'model', SMALL_MODEL: 'model' });
  onTestFinished(() => app.close());
  expect(app.services.hooks.areIdle).toBe(true);
  expect((await call(`${app.url}/v1/messages`, message('model'))).status).toBe(200);
});
