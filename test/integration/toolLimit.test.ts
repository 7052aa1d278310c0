import { afterEach, expect, test } from 'vitest';
import { type FakeUpstream, json, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { manyTools, ownTools } from '../helpers/manyTools.ts';
import { toolsOf } from '../helpers/received.ts';
import { call, type Settings, startApp, type TestApp } from '../helpers/startApp.ts';

const tools = [...ownTools, ...manyTools];
let upstream: FakeUpstream;
let app: TestApp;

afterEach(async () => {
  await app.close();
  await upstream.close();
});

/** A provider that takes so many tools, and says so in these words. */
async function start(most: number, refusal: string, settings: Settings): Promise<void> {
  upstream = await startFakeUpstream({
    large: (response, request) =>
      (toolsOf(request).length > most ? json(400, { error: { message: refusal } }) : words('fine'))(response, request),
  });
  app = await startApp({ OPENAI_BASE_URL: upstream.url, BIG_MODEL: 'large', SMALL_MODEL: 'large', ...settings });
}

const ask = (session: string, sent: readonly unknown[] = tools, stream = true) =>
  call(`${app.url}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-claude-code-session-id': session },
    body: JSON.stringify({
      model: 'claude-opus-5',
      max_tokens: 100,
      stream,
      tools: sent,
      messages: [{ role: 'user', content: 'Refund the payment' }],
    }),
  });

const warnings = () => app.log.filter(({ level, event }) => level === 'warn' && event !== 'request');

test('R136 what is left out stands in a header, in the log line, once per session in the log, in health and in the metrics', async () => {
  await start(128, 'not reached', { QUIRK_TOOLS_MAX: '128' });
  const leftOut = tools.length - 128;
  for (const stream of [true, false]) {
    const answer = await ask('one', tools, stream);
    expect(answer.status).toBe(200);
    expect(answer.headers['x-tools-left-out']).toBe(String(leftOut));
  }
  const few = await ask('one', ownTools);
  expect(few.headers['x-tools-left-out']).toBeUndefined();
  await ask('two');
  const lines = app.log.filter(({ event }) => event === 'request');
  expect(lines.map((line) => line['tools_left_out'])).toEqual([leftOut, leftOut, undefined, leftOut]);
  expect(warnings().map((line) => [line['left_out'], line['message']])).toEqual(
    [1, 2].map(() => [leftOut, expect.stringContaining('docs/TOOLS.md')]),
  );
  expect(JSON.parse((await call(`${app.url}/health`)).text).tools).toEqual({
    most: 128,
    limited_sessions: 2,
    left_out: leftOut,
    search_lost_sessions: 0,
    search_lost_reason: null,
  });
  const metrics = (await call(`${app.url}/metrics`)).text;
  expect(metrics).toContain('\nclaude_code_proxy_limited_sessions_total 2\n');
  expect(metrics).toContain('\nclaude_code_proxy_lost_tool_searches_total 0\n');
});

test.each([
  [
    128,
    "Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length 321 instead.",
  ],
  [64, "'tools' : maximum number of items is 64"],
  [
    300,
    'The GenerateContentRequest proto is invalid:\n  * tools[0].function_declarations: [FIELD_INVALID] At most 300 function declarations can be specified.',
  ],
  [128, 'You may not include more than 128 tools in your request.'],
])('R413 a limit of %i tools is learnt from the refusal: %s', async (most, refusal) => {
  await start(most, refusal, {});
  const [first, second] = [await ask('one'), await ask('one')];
  expect([first.status, second.status]).toEqual([200, 200]);
  expect(upstream.requests.map((request) => toolsOf(request).length)).toEqual([tools.length, most, most]);
  expect(first.headers['x-tools-left-out']).toBe(String(tools.length - most));
  expect(warnings()[0]?.['message']).toContain(`QUIRK_TOOLS_MAX=${most}`);
});

test('R413 a limit that the request keeps is no reason to change it', async () => {
  await start(0, "'tools' : maximum number of items is 500", {});
  expect((await ask('one')).status).toBe(400);
  expect(upstream.requests).toHaveLength(1);
});

test('a search for tools that a session loses after refusals is in the log, in health and in the metrics', async () => {
  await start(20, 'no such thing', {});
  const search = { name: 'ToolSearch', description: '', input_schema: { type: 'object' } };
  const few = ownTools.slice(0, 5);
  expect((await ask('one', [...few, search])).status).toBe(200);
  expect((await ask('one', [...tools.slice(0, 30), search])).status).toBe(400);
  expect((await ask('one', few)).status).toBe(200);
  expect((await ask('one', few)).status).toBe(200);
  expect(warnings()).toEqual([
    expect.objectContaining({
      message: expect.stringContaining('has given up its search for tools'),
      refusal: expect.stringContaining('no such thing'),
    }),
  ]);
  expect(JSON.parse((await call(`${app.url}/health`)).text).tools).toMatchObject({
    search_lost_sessions: 1,
    search_lost_reason: expect.stringContaining('no such thing'),
  });
  expect((await call(`${app.url}/metrics`)).text).toContain('\nclaude_code_proxy_lost_tool_searches_total 1\n');
});
