import { expect, onTestFinished, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { MessageAssembler } from '../../src/protocol/anthropic/message.ts';
import { nativeTurn, startAnthropicServer } from '../helpers/anthropicServer.ts';
import { checkEvents } from '../helpers/eventGrammar.ts';
import { type Behaviour, json, startFakeUpstream } from '../helpers/fakeUpstream.ts';
import { manyTools, ownTools } from '../helpers/manyTools.ts';
import { callItem, inputOf, responseTurn, textItem } from '../helpers/responsesTurn.ts';
import { pages, type SearchBehaviour, startSearchServer } from '../helpers/searchServer.ts';
import { call, message, type Settings, startApp, type TestApp } from '../helpers/startApp.ts';
import { provider, startProviders } from '../helpers/startProviders.ts';
import { type Turn, turn } from '../helpers/turn.ts';
import {
  assistant,
  type Block,
  namesPictures,
  picture,
  text,
  toolResult,
  toolUse,
  user,
} from '../helpers/visionStage.ts';

const PAGE = ['https://weather.test/', 'Weather', 'Sunny.'] as const;
const SEARCH = { type: 'web_search_20250305', name: 'web_search' };
const REFUND = 'mcp__billing__create_refund';
/** 300 tools of tool servers and the client's own, with a search of Anthropic's among them. */
const TOOLS = [...ownTools, ...manyTools, SEARCH];
const MOST = 64;

const SEARCHES: Turn = { text: 'I look.', calls: [{ id: 'toolu_1', name: 'web_search', input: { query: 'weather' } }] };
const ANSWERS: Turn = { text: `Sunny ([forecast](${PAGE[0]})).` };

/** What the model was sent in one request, whatever the protocol. */
interface Sent {
  readonly messages: readonly unknown[];
  readonly tools: readonly string[];
  readonly text: string;
}

interface Stage {
  readonly app: TestApp;
  /** Requests to the model that lacks everything. */
  readonly sent: Sent[];
  readonly eyes: () => number;
  readonly searches: () => number;
  ask(messages: readonly Block[], isStream: boolean): Promise<JsonObject>;
}

const PROTOCOLS = ['chat', 'responses', 'anthropic'] as const;
type Protocol = (typeof PROTOCOLS)[number];

const asResponse = ({ text: said = '', calls = [] }: Turn) =>
  responseTurn([...(said === '' ? [] : [textItem(said)]), ...calls.map((one) => callItem(one))]);

const namesOf = (tools: unknown): string[] =>
  (Array.isArray(tools) ? tools : []).map((tool) => tool.name ?? tool.function?.name);

/** An instance whose model neither sees nor searches and takes few tools, with a side model at another instance and a search API. */
async function startStage(
  protocol: Protocol,
  turns: Turn[],
  {
    eyes = namesPictures,
    search = pages(PAGE),
    settings = {},
  }: { eyes?: Behaviour; search?: SearchBehaviour; settings?: Settings } = {},
): Promise<Stage> {
  const sent: Sent[] = [];
  const next = () => turns.shift() ?? { text: 'done' };
  const other = await startFakeUpstream({ eyes });
  const openai = await startFakeUpstream({
    blind: (response, request) => {
      const { messages, tools } = request.body as { messages?: unknown[]; tools?: unknown };
      sent.push({ messages: messages ?? inputOf(request), tools: namesOf(tools), text: request.text });
      return (protocol === 'chat' ? turn(next()) : asResponse(next()))(response, request);
    },
  });
  const native = await startAnthropicServer({
    '*': (response, request) => {
      const { messages, tools } = request.body;
      sent.push({ messages, tools: namesOf(tools), text: request.bytes.toString() });
      const { text: said, calls = [] } = next();
      const own = calls.map(({ id = 'toolu_1', name, input }) => ({ id, name, input }));
      return nativeTurn({ ...(said === undefined ? {} : { text: said }), calls: own })(response, request);
    },
  });
  const found = await startSearchServer(search);
  const seeing = await startApp({ OPENAI_BASE_URL: other.url, BIG_MODEL: 'eyes' });
  const app = await startApp({
    OPENAI_BASE_URL: protocol === 'anthropic' ? native.url : openai.url,
    PROVIDER: 'custom',
    PROTOCOL: protocol,
    BIG_MODEL: 'blind',
    QUIRK_VISION: '0',
    QUIRK_TOOLS_MAX: String(MOST),
    VISION_URL: seeing.url,
    WEB_SEARCH: 'searxng',
    SEARCH_URL: found.url,
    SEARCH_COST: '0.01',
    ...settings,
  });
  onTestFinished(async () => {
    for (const one of [app, seeing, other, openai, native, found]) await one.close();
  });
  return {
    app,
    sent,
    eyes: () => other.requests.length,
    searches: () => found.searches.length,
    ask: async (messages, isStream) => {
      const request = message('opus', { messages, tools: TOOLS, stream: isStream });
      const answer = await call(`${app.url}/v1/messages`, request);
      expect(answer.status).toBe(200);
      if (!isStream) return JSON.parse(answer.text);
      const plain = answer.text.replaceAll('event: ping\ndata: {"type":"ping"}\n\n', '');
      checkEvents(plain);
      const assembler = new MessageAssembler();
      assembler.push(plain);
      return assembler.end() ?? {};
    },
  };
}

const CASES = PROTOCOLS.flatMap((protocol) => [false, true].map((isStream) => [protocol, isStream] as const));

test.each(CASES)(
  'by %s, streamed %s: one request has pictures, searches and more tools than the model takes',
  async (protocol, isStream) => {
    const { app, sent, ask, eyes, searches } = await startStage(protocol, [SEARCHES, ANSWERS]);
    const messages: Block[] = [user(text('Make a refund, as in the picture'), picture('a'))];
    const first = await ask(messages, isStream);
    const content = first['content'] as Block[];
    expect(content.map(({ type }) => type)).toEqual(['text', 'server_tool_use', 'web_search_tool_result', 'text']);
    expect(content[3]).toMatchObject({ citations: [{ url: PAGE[0] }] });
    expect([eyes(), searches(), sent.length]).toEqual([1, 1, 2]);
    messages.push(assistant(...content), user(toolResult('none', picture('b')), text('And this?'), picture('c')));
    await ask(messages, isStream);
    messages.push(assistant(text('done')), user(text('Go on.')));
    await ask(messages, isStream);
    expect([eyes(), searches(), sent.length]).toEqual([3, 1, 4]);

    for (const one of sent) {
      expect(one.text).not.toMatch(/server_tool_use|web_search_tool_result|base64/);
      expect(one.text).toContain('it shows a');
      if (protocol === 'anthropic') continue;
      expect(one.tools).toHaveLength(MOST);
      expect(one.tools).toEqual(expect.arrayContaining(['web_search', 'Bash', REFUND]));
      expect(one.tools).toEqual(sent[0]?.tools);
    }
    for (const [index, { messages: later }] of sent.entries()) {
      const before = sent[index - 1]?.messages ?? [];
      expect(JSON.stringify(later.slice(0, before.length))).toBe(JSON.stringify(before));
    }

    const [line, second] = app.log.filter(({ event }) => event === 'request');
    expect(line).toMatchObject({
      pictures: 1,
      pictures_described: 1,
      pictures_failed: 0,
      vision_input_tokens: 10,
      vision_output_tokens: 2,
      searches: 1,
      search_cost: 0.01,
      attempts: 2,
      stream: isStream,
    });
    expect(second).toMatchObject({ pictures: 3, pictures_described: 2, searches: 0 });
  },
);

test('the usage of a request is the sum of its answers, and each side call a row of its own with the session and project', async () => {
  const { app, ask } = await startStage('chat', [SEARCHES, ANSWERS], { settings: { USAGE_PROJECTS: 'names' } });
  const folder = text('<env>\nWorking directory: /home/user/work\n</env>');
  await ask([user(folder, text('look'), picture('a'))], true);
  expect(app.usageRows).toMatchObject([
    { endpoint: 'side:vision', input_tokens: 10, output_tokens: 2 },
    { endpoint: '/v1/messages', input_tokens: 20, output_tokens: 4, searches: 1, search_cost: 0.01 },
  ]);
  const [side, whole] = app.usageRows;
  expect(side?.project).toBe(whole?.project);
  expect(side?.session).toBe(whole?.session);
  const stats = JSON.parse((await call(`${app.url}/v1/stats`)).text);
  expect(stats).toMatchObject({ total_requests: 1, side_calls: 1, web_searches: 1 });
});

test.each(PROTOCOLS)(
  'by %s: counting and the dry run see what the model would get, and ask nobody',
  async (protocol) => {
    // Some 360 tokens in words.
    const search = pages([PAGE[0], PAGE[1], 'Sunny and warm. '.repeat(90)]);
    const { app, ask, eyes, searches, sent } = await startStage(protocol, [SEARCHES, ANSWERS], { search });
    const messages: Block[] = [user(text('look'), picture('a'))];
    const { content } = await ask(messages, false);
    messages.push(assistant(...(content as Block[])), user(text('And?')));
    const asked = message('opus', { messages, tools: TOOLS });
    const count = JSON.parse((await call(`${app.url}/v1/messages/count_tokens`, asked)).text).input_tokens;
    const shown = JSON.parse((await call(`${app.url}/v1/messages/test_conversion`, asked)).text).request;
    expect([eyes(), searches(), sent.length]).toEqual([1, 1, 2]);
    const printed = JSON.stringify(shown);
    expect(printed).toContain('it shows a');
    expect(printed).toContain('Pages that were found');
    expect(printed).not.toMatch(/server_tool_use|base64|page1\./);
    // The words of the pages, not the letters in which they travel.
    const words = messages.map((one) => ({ ...one }));
    words[1] = assistant(toolUse('toolu_1', 'web_search', { query: 'weather' }));
    const plain = message('opus', { messages: words, tools: TOOLS });
    const least = JSON.parse((await call(`${app.url}/v1/messages/count_tokens`, plain)).text).input_tokens;
    expect(count).toBeGreaterThan(least + 300);
    expect(count).toBeLessThan(least + 500);
    // Without messages there is nothing to read.
    const empty = message('opus', { messages: undefined, tools: TOOLS });
    expect((await call(`${app.url}/v1/messages/count_tokens`, empty)).status).toBe(200);
  },
);

test('what was described for a candidate that failed is in the figures of the request', async () => {
  const upstream = await startFakeUpstream({
    first: json(503, { error: { message: 'down' } }),
    second: turn({ text: 'done' }),
    eyes: namesPictures,
  });
  const blind = { quirks: { vision: false } };
  const app = await startProviders(
    {
      providers: [
        provider('first', upstream.url, { ...blind, priority: 1 }),
        provider('second', upstream.url, { ...blind, priority: 2 }),
        provider('eyes', upstream.url, { priority: 3 }),
      ],
    },
    { VISION_MODEL: 'eyes,eyes', MAX_RETRIES: '0' },
  );
  onTestFinished(async () => {
    await app.close();
    await upstream.close();
  });
  await call(`${app.url}/v1/messages`, message('opus', { messages: [user(picture('a'))] }));
  expect(upstream.requests.map(({ body }) => body.model)).toEqual(['eyes', 'first', 'second']);
  expect(app.log.find(({ event }) => event === 'request')).toMatchObject({
    upstream_model: 'second',
    pictures: 1,
    pictures_described: 1,
    vision_input_tokens: 10,
  });
});

test.each([
  ['describing', 'eyes'],
  ['searching', 'search'],
] as const)(
  'a client that goes away while the instance is %s ends the request, and what was done so far is counted',
  async (_what, where) => {
    const arrived = Promise.withResolvers<void>();
    const holds = () => arrived.resolve();
    const stage = await startStage('chat', [SEARCHES], where === 'eyes' ? { eyes: holds } : { search: holds });
    const { app, sent } = stage;
    const ended = app.nextRecord();
    const controller = new AbortController();
    const { body, headers = {} } = message('opus', {
      messages: [user(text('look'), picture('a'))],
      tools: TOOLS,
      stream: true,
    });
    const asking = fetch(`${app.url}/v1/messages`, {
      method: 'POST',
      headers,
      body: String(body),
      signal: controller.signal,
    });
    // A stream has begun where the model has said something before its search.
    void asking.then((answer) => answer.text()).catch(() => {});
    await arrived.promise;
    controller.abort();
    expect(await ended).toMatchObject({
      outcome: 'client_closed',
      pictures: 1,
      ...(where === 'eyes' ? { pictures_described: 0 } : { pictures_described: 1, input_tokens: 10, searches: 0 }),
    });
    expect(sent).toHaveLength(where === 'eyes' ? 0 : 1);
  },
);
