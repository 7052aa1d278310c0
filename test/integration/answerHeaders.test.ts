import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { delta, type FakeUpstream, frame, openEvents, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { call, message, open, startApp, type TestApp } from '../helpers/startApp.ts';

const FOREIGN = {
  'set-cookie': 'who=me',
  server: 'provider',
  via: '1.1 proxy',
  'cf-ray': 'abc',
  'x-ratelimit-remaining-tokens': '7',
  'anthropic-ratelimit-unified-status': 'rejected',
  'request-id': 'upstream-request',
  'x-request-id': 'upstream-request',
  'x-should-retry': 'true',
};

let upstream: FakeUpstream;
let app: TestApp;
let goOn: () => void = () => {};

function withForeignHeaders(response: ServerResponse): void {
  for (const [name, value] of Object.entries(FOREIGN)) response.setHeader(name, value);
}

beforeAll(async () => {
  upstream = await startFakeUpstream({
    fine: (response, request) => {
      withForeignHeaders(response);
      return words('fine')(response, request);
    },
    limited: (response) => {
      withForeignHeaders(response);
      response.writeHead(429, { 'content-type': 'application/json', 'retry-after': '30' });
      response.end('{"error":{"message":"slow down"}}');
    },
    halting: async (response) => {
      openEvents(response);
      response.write(frame(delta({ content: 'x' })));
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      response.end(`${frame(delta({ content: 'y' }, 'stop'))}data: [DONE]\n\n`);
    },
  });
  app = await startApp({ OPENAI_BASE_URL: upstream.url, BIG_MODEL: 'fine', SMALL_MODEL: 'fine' });
});

afterAll(async () => {
  await app.close();
  await upstream.close();
});

test.each([
  ['an event stream', 'fine', true],
  ['a message', 'fine', false],
  ['an error', 'limited', true],
] as const)('R412 nothing of the provider’s headers is on %s but retry-after', async (_what, model, stream) => {
  const { headers } = await call(`${app.url}/v1/messages`, message(model, { stream }));
  const { 'request-id': requestId, 'retry-after': retryAfter, ...others } = headers;
  expect(requestId).toMatch(/^req_/);
  expect(retryAfter).toBe(model === 'limited' ? '30' : undefined);
  for (const name of Object.keys(FOREIGN)) expect(others).not.toHaveProperty(name);
});

test('R412 the provider’s request id goes to the log', async () => {
  const recorded = app.nextRecord();
  await call(`${app.url}/v1/messages`, message('fine'));
  expect(await recorded).toMatchObject({ id: expect.stringMatching(/^req_/), upstream_request_id: 'upstream-request' });
});

test('R328 a single letter is passed on before anything follows', async () => {
  const response = await open(`${app.url}/v1/messages`, message('halting', { stream: true }));
  response.setEncoding('utf8');
  let text = '';
  response.on('data', (part: string) => {
    text += part;
  });
  while (!text.includes('"text":"x"')) await once(response, 'data');
  expect(text).not.toContain('"text":"y"');
  goOn();
  await once(response, 'end');
  expect(text).toContain('"text":"y"');
});

test('R511 the log names the session as a hash, the subagent and the client', async () => {
  const { headers, ...options } = message('fine');
  const asked = async (session: string) => {
    const recorded = app.nextRecord();
    const from = {
      'x-claude-code-session-id': session,
      'x-claude-code-agent-id': 'agent-7',
      'user-agent': 'claude-cli/2.1.328 (external, cli)',
    };
    await call(`${app.url}/v1/messages`, { ...options, headers: { ...headers, ...from } });
    return recorded;
  };
  const record = await asked('session-of-somebody');
  expect(record).toMatchObject({
    session: expect.stringMatching(/^[0-9a-f]{16}$/),
    agent: 'agent-7',
    client_version: expect.stringContaining('2.1.328'),
  });
  expect(JSON.stringify(app.log)).not.toContain('session-of-somebody');
  expect((await asked('session-of-somebody'))['session']).toBe(record['session']);
  expect((await asked('another-session'))['session']).not.toBe(record['session']);
});
