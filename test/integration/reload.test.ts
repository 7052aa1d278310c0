import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { renewServices } from '../../src/gateway/configSwap.ts';
import { delta, type FakeUpstream, frame, openEvents, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { call, message, open, type Settings, startApp, type TestApp, testConfig } from '../helpers/startApp.ts';

const models = { BIG_MODEL: 'large', SMALL_MODEL: 'small' };

async function started(settings: Settings): Promise<TestApp> {
  const app = await startApp({ ...models, ...settings });
  onTestFinished(() => app.close());
  return app;
}

/** Makes other settings hold for the requests from now on. */
function reload(app: TestApp, settings: Settings): void {
  app.live.replace(renewServices(app.live.current, testConfig({ ...models, ...settings }), 'test'));
}

async function upstreamWith(behaviours: Parameters<typeof startFakeUpstream>[0]): Promise<FakeUpstream> {
  const upstream = await startFakeUpstream(behaviours);
  onTestFinished(() => upstream.close());
  return upstream;
}

/** Sends the head of a request for a message, and gives the function that sends the rest and reads the answer. */
async function begin(app: TestApp, credentials: Record<string, string> = {}) {
  const { headers, body } = message('claude-opus-5');
  const request = httpRequest(`${app.url}/v1/messages`, {
    method: 'POST',
    headers: { ...headers, ...credentials, expect: '100-continue' },
    agent: false,
  });
  request.flushHeaders();
  await once(request, 'continue');
  return async (): Promise<number | undefined> => {
    request.end(body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  };
}

test('R507 S3 a token that is changed while a request comes in does not go to the provider as a key', async () => {
  const upstream = await upstreamWith({ large: words('fine') });
  const settings = { OPENAI_BASE_URL: upstream.url, OPENAI_API_KEY: '' };
  const app = await started({ ...settings, ANTHROPIC_API_KEY: 'the-old-token-of-the-clients' });
  const finish = await begin(app, {
    'x-api-key': 'the-old-token-of-the-clients',
    authorization: 'Bearer key-of-the-client',
  });
  reload(app, { ...settings, ANTHROPIC_API_KEY: 'the-new-token-of-the-clients' });
  expect(await finish()).toBe(200);
  expect(upstream.requests[0]?.headers.authorization).toBe('Bearer key-of-the-client');
});

test('a request that is still coming in when the provider changes is served by the one with which it began', async () => {
  const before = await upstreamWith({ large: words('fine') });
  const after = await upstreamWith({ large: words('fine') });
  const app = await started({ OPENAI_BASE_URL: before.url });
  await call(`${app.url}/v1/messages`, message('claude-opus-5'));
  const finish = await begin(app);
  reload(app, { OPENAI_BASE_URL: after.url });
  expect(await finish()).toBe(200);
  expect([before.requests.length, after.requests.length]).toEqual([2, 0]);
});

test('the connections to a provider that is not used any more are closed, but not under a request', async () => {
  const sockets: Socket[] = [];
  const server = createServer((_request, response) => {
    openEvents(response);
    response.write(frame(delta({ content: 'first' })));
  });
  server.on('connection', (socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const other = await upstreamWith({ large: words('fine') });
  const app = await started({ OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1` });

  const running = await open(`${app.url}/v1/messages`, message('claude-opus-5', { stream: true }));
  reload(app, { OPENAI_BASE_URL: other.url });
  expect((await call(`${app.url}/v1/messages`, message('claude-opus-5'))).status).toBe(200);
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual([false]);
  const closed = once(sockets[0] as Socket, 'close');
  running.destroy();
  await closed;
});

test('a provider that stays as it is keeps its connection', async () => {
  let connections = 0;
  const server = createServer((incoming, response) => {
    incoming.resume();
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ choices: [{ message: { content: 'fine' }, finish_reason: 'stop' }] }));
  });
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const settings = { OPENAI_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` };
  const app = await started(settings);
  for (const limit of ['1000', '2000', '3000']) {
    reload(app, { ...settings, MAX_TOKENS_LIMIT: limit });
    expect((await call(`${app.url}/v1/messages`, message('claude-opus-5'))).status).toBe(200);
  }
  expect(connections).toBe(1);
});
