import { afterEach, expect, test } from 'vitest';
import { delta, frame } from '../helpers/fakeUpstream.ts';
import { EVENTS_HEAD, head, type Script, send, sendAndEnd, startRawUpstream } from '../helpers/rawUpstream.ts';
import { call, message, startApp, type TestApp } from '../helpers/startApp.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** An instance before a provider that plays the script. */
async function instance(script: Script): Promise<TestApp> {
  const upstream = await startRawUpstream(script);
  const app = await startApp({
    OPENAI_BASE_URL: `http://127.0.0.1:${upstream.port}/v1`,
    BIG_MODEL: 'x',
    SMALL_MODEL: 'x',
    MAX_RETRIES: '0',
  });
  closers.push(
    () => upstream.close(),
    () => app.close(),
  );
  return app;
}

const chat = (stream: boolean) => ({ ...message('x', { stream }), method: 'POST' });

test.each([
  ['is cut without an end', sendAndEnd(EVENTS_HEAD, frame(delta({ content: 'half' }))), 'overloaded'],
  ['never ends a frame', sendAndEnd(EVENTS_HEAD, `data: ${'x'.repeat(10 * 1024 * 1024)}`), 'bad_gateway'],
])('POST /v1/chat/completions: a stream that %s ends with an error', async (_name, script, code) => {
  const app = await instance(script);
  const recorded = app.nextRecord();
  const { text } = await call(`${app.url}/v1/chat/completions`, chat(true));
  // Where no whole frame had come, the error still has a status of its own.
  const last = JSON.parse(text.startsWith('{') ? text : text.slice(text.lastIndexOf('data: ') + 6));
  expect(last).toMatchObject({ error: { code } });
  expect(await recorded).toMatchObject({ outcome: text.startsWith('{') ? 'error' : 'interrupted' });
});

test('POST /v1/chat/completions: a stream is over with its [DONE], although the connection stays open', async () => {
  const events = `${frame(delta({ content: 'all' }, 'stop'))}data: [DONE]\n\n`;
  const app = await instance(send(EVENTS_HEAD, events));
  expect((await call(`${app.url}/v1/chat/completions`, chat(true))).text).toBe(events);
});

test('POST /v1/chat/completions: an empty answer is an error', async () => {
  const app = await instance(sendAndEnd(head('200 OK', { 'content-type': 'application/json', connection: 'close' })));
  expect((await call(`${app.url}/v1/chat/completions`, chat(false))).status).toBe(529);
});
