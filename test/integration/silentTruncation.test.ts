import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AnthropicServer, nativeJson, startAnthropicServer } from '../helpers/anthropicServer.ts';
import { type FakeUpstream, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { call, message, type Settings, startApp, type TestApp } from '../helpers/startApp.ts';

const WINDOW = 8000;
/** About so many tokens of English words. */
const text = (tokens: number) => 'tide '.repeat(tokens);

/** Both report at most what is left of a prompt behind their cut. */
const cuts = (most: number) => words('fine', { prompt_tokens: most, completion_tokens: 2 });

let upstream: FakeUpstream;
let server: AnthropicServer;
const closers: (() => Promise<void>)[] = [];

beforeEach(async () => {
  upstream = await startFakeUpstream({ '*': cuts(7600), qwen3: cuts(7600) });
  const usage = { input_tokens: 7600, output_tokens: 2 };
  const answer = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: 'end_turn' };
  server = await startAnthropicServer({ '*': nativeJson({ ...answer, usage }) });
  closers.push(
    () => upstream.close(),
    () => server.close(),
  );
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const CHAT = { PROVIDER: 'ollama' };
const NATIVE = { PROVIDER: 'ollama-anthropic' };

async function start(settings: Settings): Promise<TestApp> {
  const url = settings['PROVIDER'] === 'ollama' ? upstream.url : server.url;
  const app = await startApp({ BIG_MODEL: 'qwen3', OPENAI_BASE_URL: url, MAX_RETRIES: '0', ...settings });
  closers.push(() => app.close());
  return app;
}

const ask = (app: TestApp, tokens: number) =>
  call(`${app.url}/v1/messages`, message('qwen3', { messages: [{ role: 'user', content: text(tokens) }] }));

async function count(app: TestApp, tokens: number): Promise<number> {
  const options = message('qwen3', { messages: [{ role: 'user', content: text(tokens) }] });
  const { text: body } = await call(`${app.url}/v1/messages/count_tokens`, options);
  return (JSON.parse(body) as { input_tokens: number }).input_tokens;
}

test.each([
  ['chat', CHAT],
  ['native', NATIVE],
])('what a server would cut is refused in the words that make the client compact: %s', async (_name, settings) => {
  const app = await start({ ...settings, QUIRK_CONTEXT_WINDOW: String(WINDOW) });
  const { status, text: body } = await ask(app, 20_000);
  expect(status).toBe(400);
  expect(JSON.parse(body)).toMatchObject({
    error: {
      type: 'invalid_request_error',
      message: expect.stringMatching(/^prompt is too long: 2\d{4} tokens > 8000 maximum$/),
    },
  });
  expect([...upstream.requests, ...server.requests]).toHaveLength(0);
});

test.each([
  ['that fits', 7000, CHAT],
  ['that may fit', 8500, CHAT],
  ['that may fit, native', 8500, NATIVE],
])('a request %s is sent', async (_name, tokens, settings) => {
  const app = await start({ ...settings, QUIRK_CONTEXT_WINDOW: String(WINDOW) });
  expect((await ask(app, tokens)).status).toBe(200);
});

test('a server that says when a prompt is too long is asked', async () => {
  const app = await start({ ...CHAT, QUIRK_CONTEXT_WINDOW: String(WINDOW), QUIRK_SILENT_TRUNCATION: 'false' });
  expect((await ask(app, 20_000)).status).toBe(200);
});

test.each([
  ['chat', CHAT],
  ['native', NATIVE],
])('the figure of a prompt that was cut teaches nothing, and the log says so: %s', async (_name, settings) => {
  const app = await start(settings);
  const before = await count(app, 10_000);
  for (let turn = 0; turn < 3; turn += 1) {
    const recorded = app.nextRecord();
    await ask(app, 11_500);
    expect(String((await recorded)['notes'])).toContain('QUIRK_CONTEXT_WINDOW');
  }
  expect(await count(app, 10_000)).toBe(before);
});
