import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { renewServices } from '../../src/gateway/configSwap.ts';
import { MessageAssembler } from '../../src/protocol/anthropic/message.ts';
import { nativeTurn, startAnthropicServer } from '../helpers/anthropicServer.ts';
import { checkEvents } from '../helpers/eventGrammar.ts';
import { type Behaviour, inTurn, startFakeUpstream } from '../helpers/fakeUpstream.ts';
import { callItem, inputOf, reasoned, responseTurn, textItem } from '../helpers/responsesTurn.ts';
import { found, pages, type SearchBehaviour, startSearchServer } from '../helpers/searchServer.ts';
import { call, message, type Settings, startApp, testConfig } from '../helpers/startApp.ts';
import { turn } from '../helpers/turn.ts';

const RESULT = ['https://weather.test/', 'Weather', 'Sunny.'] as const;
const TOOL = { type: 'web_search_20250305', name: 'web_search' };
const READ = { name: 'Read', description: 'Reads a file', input_schema: { type: 'object', properties: {} } };

async function searchServer(behaviour: SearchBehaviour = pages(RESULT)) {
  const server = await startSearchServer(behaviour);
  onTestFinished(() => server.close());
  return server;
}

async function upstreamOf(behaviour: Behaviour) {
  const upstream = await startFakeUpstream({ '*': behaviour });
  onTestFinished(() => upstream.close());
  return upstream;
}

async function started(settings: Settings) {
  const app = await startApp({ BIG_MODEL: 'large', WEB_SEARCH: 'searxng', ...settings });
  onTestFinished(() => app.close());
  return app;
}

async function ask(url: string, fields: Record<string, unknown>) {
  const { text } = await call(`${url}/v1/messages`, message('large', { ...fields, stream: true }));
  checkEvents(text.replaceAll('event: ping\ndata: {"type":"ping"}\n\n', ''));
  const assembler = new MessageAssembler();
  assembler.push(text);
  return { text, content: (assembler.end()?.['content'] ?? []) as Record<string, unknown>[] };
}

const asks = (query: string, id = 'c1') => ({ id, name: 'web_search', input: { query } });

test('a provider with a Messages API of its own gets the search as an ordinary tool, in later turns too', async () => {
  const search = await searchServer();
  const signed = { thinking: 'I search.', signature: 'c2lnbmF0dXJl' };
  const turns = [nativeTurn({ ...signed, calls: [asks('weather', 'toolu_of_the_model')] })];
  const server = await startAnthropicServer({
    '*': (response, request) => (turns.shift() ?? nativeTurn({ text: 'Sunny.' }))(response, request),
  });
  onTestFinished(() => server.close());
  const app = await started({
    PROVIDER: 'custom-anthropic',
    OPENAI_BASE_URL: server.url,
    SEARCH_URL: search.url,
  });
  const fields = { tools: [READ, TOOL], messages: [{ role: 'user', content: 'How is the weather?' }] };
  const { content } = await ask(app.url, fields);
  expect(content.map(({ type }) => type)).toEqual(['thinking', 'server_tool_use', 'web_search_tool_result', 'text']);
  const [, second] = server.requests;
  expect(second?.body['tools']).toMatchObject([{ name: 'Read' }, { name: 'web_search', input_schema: {} }]);
  expect(second?.body.messages.slice(1)).toMatchObject([
    {
      role: 'assistant',
      content: [
        { type: 'thinking', ...signed },
        { type: 'tool_use', id: 'toolu_of_the_model' },
      ],
    },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_of_the_model' }] },
  ]);
  const later = [...fields.messages, { role: 'assistant', content }, { role: 'user', content: 'Thanks.' }];
  await ask(app.url, { ...fields, messages: later });
  const third = server.requests.at(-1)?.body.messages;
  expect(JSON.stringify(third?.slice(0, 3))).toBe(JSON.stringify(second?.body.messages));
  expect(JSON.stringify(third)).not.toMatch(/server_tool_use|web_search_tool_result/);
});

test('so does a model by the Responses API, with its encrypted reasoning in its place', async () => {
  const search = await searchServer();
  const upstream = await upstreamOf(
    inTurn(
      responseTurn(reasoned(['I search.'], callItem(asks('weather')))),
      responseTurn(reasoned(['I know.'], textItem('Sunny.'))),
    ),
  );
  const app = await started({ PROTOCOL: 'responses', OPENAI_BASE_URL: upstream.url, SEARCH_URL: search.url });
  const fields = {
    tools: [READ, TOOL],
    thinking: { type: 'enabled', budget_tokens: 2000 },
    max_tokens: 4000,
    messages: [{ role: 'user', content: 'How is the weather?' }],
  };
  const { content } = await ask(app.url, fields);
  expect(content.map(({ type }) => type)).toEqual([
    'thinking',
    'server_tool_use',
    'web_search_tool_result',
    'thinking',
    'text',
  ]);
  const [, second] = upstream.requests;
  const before = second === undefined ? [] : inputOf(second);
  expect(before.map(({ type }) => type)).toEqual([undefined, 'reasoning', 'function_call', 'function_call_output']);
  await ask(app.url, {
    ...fields,
    messages: [...fields.messages, { role: 'assistant', content }, { role: 'user', content: 'Thanks.' }],
  });
  const third = upstream.requests.at(-1);
  expect(JSON.stringify(third && inputOf(third).slice(0, before.length))).toBe(JSON.stringify(before));
});

test('the client hears pings while a search takes long', async () => {
  const hold = Promise.withResolvers<void>();
  const search = await searchServer(async (response, received) => {
    await hold.promise;
    return pages(RESULT)(response, received);
  });
  const upstream = await upstreamOf(
    inTurn(turn({ text: 'I look.', calls: [asks('weather')] }), turn({ text: 'Sunny.' })),
  );
  const app = await started({ OPENAI_BASE_URL: upstream.url, SEARCH_URL: search.url, QUIRK_PING_MS: '100' });
  setTimeout(() => hold.resolve(), 500);
  const { text, content } = await ask(app.url, { tools: [READ, TOOL] });
  expect(text.match(/event: ping/g)?.length).toBeGreaterThan(1);
  expect(content.at(-1)).toMatchObject({ text: 'Sunny.' });
});

test('the first answer of the model goes to the client before its search is done', async () => {
  const hold = Promise.withResolvers<void>();
  const search = await searchServer(async (response, received) => {
    await hold.promise;
    return pages(RESULT)(response, received);
  });
  const upstream = await upstreamOf(
    inTurn(turn({ text: 'I look.', calls: [asks('weather')] }), turn({ text: 'Sunny.' })),
  );
  const app = await started({ OPENAI_BASE_URL: upstream.url, SEARCH_URL: search.url });
  const { body, headers = {} } = message('large', { tools: [READ, TOOL], stream: true });
  const response = await fetch(`${app.url}/v1/messages`, { method: 'POST', headers, body: String(body) });
  let text = '';
  for await (const bytes of response.body ?? []) {
    text += Buffer.from(bytes).toString();
    if (text.includes('I look.')) hold.resolve();
  }
  expect(text).toContain('Sunny.');
});

test('a provider that fails in a later answer ends a stream by an error event, and a whole answer by its error', async () => {
  const search = await searchServer();
  const broken: Behaviour = (response) =>
    void response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":{"message":"no more"}}');
  for (const isStream of [true, false]) {
    const upstream = await upstreamOf(inTurn(turn({ calls: [asks('weather')] }), broken));
    const app = await started({ OPENAI_BASE_URL: upstream.url, SEARCH_URL: search.url });
    const record = app.nextRecord();
    const answer = await call(`${app.url}/v1/messages`, message('large', { tools: [READ, TOOL], stream: isStream }));
    expect(answer.text).toContain('no more');
    expect(answer.status).toBe(isStream ? 200 : 400);
    if (isStream) checkEvents(answer.text);
    expect(await record).toMatchObject({ outcome: isStream ? 'interrupted' : 'error', searches: 1 });
  }
});

test('a stop of the instance ends a search with its error', async () => {
  const arrived = Promise.withResolvers<void>();
  const search = await searchServer(() => arrived.resolve());
  const upstream = await upstreamOf(turn({ text: 'never' }));
  const app = await started({ OPENAI_BASE_URL: upstream.url, SEARCH_URL: search.url });
  const { ApiError } = await import('../../src/core/errors.ts');
  const messages = [{ role: 'user', content: 'Perform a web search for the query: weather' }];
  const asking = call(`${app.url}/v1/messages`, message('large', { tools: [TOOL], messages }));
  await arrived.promise;
  app.services.inFlight.abortAll(new ApiError('draining', 'the instance is stopping'));
  expect(await asking).toMatchObject({ status: 529, text: expect.stringContaining('the instance is stopping') });
});

test('a changed search holds for the requests from now on, and one that stays keeps its connections', async () => {
  const [first, second] = [await searchServer(), await searchServer()];
  const upstream = await upstreamOf(turn({ text: 'Sunny.' }));
  const settings = { BIG_MODEL: 'large', WEB_SEARCH: 'searxng', OPENAI_BASE_URL: upstream.url };
  const app = await started({ ...settings, SEARCH_URL: first.url });
  const reload = (changed: Settings) => {
    app.live.replace(renewServices(app.live.current, testConfig({ ...settings, ...changed }), 'test'));
  };
  const messages = [{ role: 'user', content: 'Perform a web search for the query: weather' }];
  const doSearch = () => call(`${app.url}/v1/messages`, message('large', { tools: [TOOL], messages }));
  await doSearch();
  reload({ SEARCH_URL: first.url, LOG_LEVEL: 'warn' });
  await doSearch();
  expect([first.searches.length, first.connections()]).toEqual([2, 1]);
  reload({ SEARCH_URL: second.url });
  await doSearch();
  expect([first.searches.length, second.searches.length]).toEqual([2, 1]);
  reload({ WEB_SEARCH: 'off' });
  expect((await doSearch()).text).toContain('Web search is not available');
  expect(second.searches).toHaveLength(1);
});

test('searches go through the network proxy of the instance', async () => {
  const targets: string[] = [];
  const proxy = createServer((request, response) => {
    targets.push(request.url ?? '');
    httpRequest(request.url ?? '', { method: request.method ?? 'GET', headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    }).end();
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => void proxy.close());
  const search = await searchServer();
  const upstream = await upstreamOf(turn({ text: 'Sunny.' }));
  const app = await started({
    OPENAI_BASE_URL: upstream.url,
    // This machine by a name that does not say so.
    SEARCH_URL: search.url.replace('127.0.0.1', '0.0.0.0'),
    HTTP_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
  });
  const messages = [{ role: 'user', content: 'Perform a web search for the query: weather' }];
  await call(`${app.url}/v1/messages`, message('large', { tools: [TOOL], messages }));
  expect(targets).toEqual([expect.stringContaining(`${new URL(search.url).port}/search?q=weather`)]);
  expect(search.searches).toHaveLength(1);
});

test('health, statistics and the usage file count searches; ROUTER_WEB_SEARCH chooses who writes the answer', async () => {
  const search = await searchServer();
  const upstream = await upstreamOf(turn({ text: 'Sunny.' }));
  const app = await started({
    OPENAI_BASE_URL: upstream.url,
    SEARCH_URL: search.url,
    SEARCH_COST: '0.002',
    ROUTER_WEB_SEARCH: 'writer',
  });
  const messages = [{ role: 'user', content: 'Perform a web search for the query: weather' }];
  const record = app.nextRecord();
  await call(`${app.url}/v1/messages`, message('claude-opus-5', { tools: [TOOL], messages }));
  expect(upstream.requests.map(({ body }) => body.model)).toEqual(['writer']);
  expect(await record).toMatchObject({ route: 'web_search', intent: 'web_search', upstream_model: 'writer' });
  expect(app.usageRows.at(-1)).toMatchObject({ searches: 1, search_cost: 0.002, intent: 'web_search' });
  const health = JSON.parse((await call(`${app.url}/health`)).text);
  expect(health.web_search).toEqual({ back_end: 'searxng', searches: 1, failed: 0, refused: 0, last_failure: null });
  const statistics = JSON.parse((await call(`${app.url}/v1/stats`)).text);
  expect(statistics).toMatchObject({ web_searches: 1, search_cost_usd: 0.002 });
});

test('a search that finds nothing costs nothing where the search API says so', async () => {
  const search = await searchServer(found(200, { results: [] }));
  const upstream = await upstreamOf(turn({ text: 'never' }));
  const app = await started({
    OPENAI_BASE_URL: upstream.url,
    WEB_SEARCH: 'deepseek',
    SEARCH_API_KEY: 'key-of-the-search',
    SEARCH_URL: search.url,
  });
  const messages = [{ role: 'user', content: 'Perform a web search for the query: weather' }];
  const record = app.nextRecord();
  await call(`${app.url}/v1/messages`, message('large', { tools: [TOOL], messages }));
  expect(search.searches[0]?.headers['authorization']).toBe('Bearer key-of-the-search');
  expect(await record).toMatchObject({ searches: 0, failed_searches: 0, search_cost: 0 });
});

test('a connection that breaks is tried once more, then the search fails', async () => {
  const search = await searchServer((response) => void response.destroy());
  const upstream = await upstreamOf(turn({ text: 'never' }));
  const app = await started({ OPENAI_BASE_URL: upstream.url, SEARCH_URL: search.url });
  const messages = [{ role: 'user', content: 'Perform a web search for the query: weather' }];
  const { text } = await call(`${app.url}/v1/messages`, message('large', { tools: [TOOL], messages }));
  expect(JSON.parse(text).content.slice(1)).toMatchObject([
    { content: { error_code: 'unavailable' } },
    { text: 'The web search failed. (it cannot be reached)' },
  ]);
  expect(search.searches).toHaveLength(2);
});
