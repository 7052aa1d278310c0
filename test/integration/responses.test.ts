import { afterEach, describe, expect, test } from 'vitest';
import {
  type Behaviour,
  type FakeUpstream,
  inTurn,
  json,
  openEvents,
  startFakeUpstream,
  words,
} from '../helpers/fakeUpstream.ts';
import { foldEvents } from '../helpers/fold.ts';
import { call, message, type Settings, startApp, type TestApp } from '../helpers/startApp.ts';
import { provider, startProviders } from '../helpers/startProviders.ts';

type Item = Record<string, unknown>;

const text = (value: string): Item => ({
  type: 'message',
  role: 'assistant',
  content: [{ type: 'output_text', text: value }],
});
const reasoning = (encrypted: string): Item => ({
  type: 'reasoning',
  summary: [{ type: 'summary_text', text: `about ${encrypted}` }],
  encrypted_content: encrypted,
});

/** A whole response. */
const answer = (...output: Item[]): Behaviour =>
  json(200, {
    id: 'resp_1',
    object: 'response',
    status: 'completed',
    output,
    usage: { input_tokens: 10, output_tokens: 2 },
  });

const refusal = (status: number, words: string, fields: Item = {}): Behaviour =>
  json(status, { error: { message: words, type: 'invalid_request_error', param: null, code: null, ...fields } });

const isResponses = (path: string) => path.endsWith('/responses');
const noEndpoint = json(404, { error: { message: 'Unknown request URL: POST /v1/responses.' } });

let upstream: FakeUpstream | undefined;
let app: TestApp | undefined;

afterEach(async () => {
  await app?.close();
  await upstream?.close();
  app = undefined;
  upstream = undefined;
});

async function start(behaviours: Record<string, Behaviour>, settings: Settings) {
  upstream = await startFakeUpstream(behaviours);
  app = await startApp({ OPENAI_BASE_URL: upstream.url, ...settings });
  return { upstream, app };
}

async function ask(running: TestApp, model = 'claude-opus-5', fields: Record<string, unknown> = {}, session = 's') {
  const { headers, ...options } = message(model, fields);
  const { status, text } = await call(`${running.url}/v1/messages`, {
    ...options,
    headers: { ...headers, 'x-claude-code-session-id': session },
  });
  return { status, body: JSON.parse(text) as { content?: Item[]; error?: Item } };
}

/** The next request of a client that sends the answer back as it came. */
const goOn = (content: readonly Item[] | undefined, words = 'go on') => ({
  messages: [
    { role: 'user', content: 'hello' },
    { role: 'assistant', content },
    { role: 'user', content: words },
  ],
});

const inputOf = ({ requests }: FakeUpstream, index: number) => (requests.at(index)?.body['input'] ?? []) as Item[];
const typesOf = (input: readonly Item[]) => input.map((item) => item['type'] ?? item['role']);
const warnings = ({ log }: TestApp) => log.filter(({ level, event }) => level === 'warn' && event !== 'request');

const MIXED = { PROVIDER: 'openai', BIG_MODEL: 'gpt-6.1-sol', SMALL_MODEL: 'gpt-4.1' };
const SET = { PROVIDER: 'custom', PROTOCOL: 'responses', BIG_MODEL: 'm' };

describe('R687', () => {
  test('each model of an instance is asked by the API that it needs, and all say which', async () => {
    const { upstream, app } = await start({ 'gpt-6.1-sol': answer(text('a')), 'gpt-4.1': words('b') }, MIXED);
    expect((await ask(app)).body.content).toEqual([{ type: 'text', text: 'a' }]);
    expect((await ask(app, 'claude-haiku-5')).body.content).toEqual([{ type: 'text', text: 'b' }]);
    expect(upstream.requests.map(({ path }) => path)).toEqual(['/v1/responses', '/v1/chat/completions']);
    expect(app.log.filter(({ event }) => event === 'request').map(({ protocol }) => protocol)).toEqual([
      'responses',
      'chat',
    ]);
    const health = JSON.parse((await call(`${app.url}/health`)).text);
    expect(health.providers[0].protocols).toEqual({ big: 'responses', middle: 'responses', small: 'chat' });
  });

  test('a dry run shows the request of the Responses API', async () => {
    const { upstream, app } = await start({}, MIXED);
    const { text: shown } = await call(`${app.url}/v1/messages/test_conversion`, message('claude-opus-5'));
    expect(JSON.parse(shown)).toMatchObject({
      url: `${upstream.url}/responses`,
      protocol: 'responses',
      request: { model: 'gpt-6.1-sol', store: false, input: [{ role: 'user' }] },
    });
    expect(upstream.requests).toEqual([]);
  });
});

describe('R688 a server that does not know the endpoint', () => {
  const chatOnly: Behaviour = (response, request) =>
    (isResponses(request.path) ? noEndpoint : words('by chat'))(response, request);

  test('is asked by chat completions from now on where nobody has said otherwise, with one warning', async () => {
    const { upstream, app } = await start({ '*': chatOnly }, { PROVIDER: 'openai', BIG_MODEL: 'gpt-5.1' });
    for (const _turn of [1, 2]) expect((await ask(app)).body.content).toEqual([{ type: 'text', text: 'by chat' }]);
    expect(upstream.requests.map(({ path }) => isResponses(path))).toEqual([true, false, false]);
    expect(warnings(app)).toMatchObject([{ message: expect.stringContaining('set PROTOCOL=chat') }]);
    expect(app.log.findLast(({ event }) => event === 'request')).toMatchObject({ protocol: 'chat' });
  });

  test.each([false, true])('is known by a chat completion that it answers (stream: %s)', async (stream) => {
    const { upstream, app } = await start({ '*': words('by chat') }, { PROVIDER: 'openai', BIG_MODEL: 'gpt-5.1' });
    const { status, text } = await call(`${app.url}/v1/messages`, message('claude-opus-5', { stream }));
    expect([status, text]).toEqual([200, expect.stringContaining('by chat')]);
    expect(upstream.requests.map(({ path }) => isResponses(path))).toEqual([true, false]);
    expect(warnings(app)).toMatchObject([{ message: expect.stringContaining('set PROTOCOL=chat') }]);
  });

  test.each([404, 405])('%i gives one sentence with the line to write where PROTOCOL says so', async (status) => {
    const { upstream, app } = await start({ '*': refusal(status, 'Not Found') }, SET);
    const { body } = await ask(app);
    expect(body.error?.['message']).toBe(
      `[test ${status}] this server does not know the Responses API, set PROTOCOL=chat: Not Found`,
    );
    expect(upstream.requests).toHaveLength(1);
  });

  test('never changes it once the model has answered', async () => {
    let isGone = false;
    const flaky: Behaviour = (response, request) => (isGone ? noEndpoint : answer(text('a')))(response, request);
    const { upstream, app } = await start({ '*': flaky }, MIXED);
    expect((await ask(app)).status).toBe(200);
    isGone = true;
    expect((await ask(app)).status).toBe(502);
    expect(upstream.requests.every(({ path }) => isResponses(path))).toBe(true);
  });

  test.each([
    [400, refusal(400, 'bad request')],
    [404, refusal(404, 'The model `gpt-6.1-sol` does not exist', { code: 'model_not_found' })],
    [500, refusal(500, 'down')],
  ])('is not meant by %i of another kind', async (_status, behaviour) => {
    const { upstream, app } = await start(
      { '*': behaviour },
      { ...MIXED, MIDDLE_MODEL: 'gpt-6.1-sol', MAX_RETRIES: '0' },
    );
    await ask(app);
    expect(
      upstream.requests.filter(({ body }) => body.model !== 'gpt-4.1').every(({ path }) => isResponses(path)),
    ).toBe(true);
  });
});

describe('R680 encrypted reasoning', () => {
  const REFUSED = 'The encrypted content gAAA could not be verified. Reason: could not be decrypted or parsed.';
  const refusesOld: Behaviour = (response, request) => {
    const input = request.body['input'] as Item[];
    const isOld = input.some((item) => item['encrypted_content'] === 'old');
    const behaviour = isOld
      ? refusal(400, REFUSED, { code: 'invalid_encrypted_content' })
      : answer(reasoning('new'), text('b'));
    return behaviour(response, request);
  };

  test('R694 goes back as it came, and the log counts it', async () => {
    const { upstream, app } = await start({ '*': answer(reasoning('kept'), text('a')) }, SET);
    const { body } = await ask(app);
    await ask(app, 'claude-opus-5', goOn(body.content));
    expect(inputOf(upstream, -1)[1]).toEqual(reasoning('kept'));
    expect(app.log.at(-1)).toMatchObject({
      protocol: 'responses',
      reasoning_items: 1,
      reasoning_bytes: 4,
      upstream_request_id: 'resp_1',
    });
    expect(JSON.stringify(app.log)).not.toContain('kept');
  });

  test('that is refused is left out, asked for once more, and never sent again', async () => {
    const inTurn: Behaviour = (response, request) =>
      (inputOf({ requests: [request] } as unknown as FakeUpstream, 0).length === 1
        ? answer(reasoning('old'), text('a'))
        : refusesOld)(response, request);
    const { upstream, app } = await start({ '*': inTurn }, SET);
    const { body } = await ask(app);
    for (const _turn of [1, 2]) {
      const { status, body: next } = await ask(app, 'claude-opus-5', goOn(body.content));
      expect([status, next.content?.at(-1)]).toEqual([200, { type: 'text', text: 'b' }]);
    }
    expect(upstream.requests.map((_request, index) => typesOf(inputOf(upstream, index)))).toEqual([
      ['user'],
      ['user', 'reasoning', 'assistant', 'user'],
      ['user', 'assistant', 'user'],
      ['user', 'assistant', 'user'],
    ]);
    expect(warnings(app)).toHaveLength(1);
    expect(app.log.at(-1)?.['notes']).toContain('reasoning_dropped:refused');
  });

  test('R681 that is refused again is the client’s to hear of', async () => {
    const inTurn: Behaviour = (response, request) =>
      ((request.body['input'] as Item[]).length === 1 ? answer(reasoning('old'), text('a')) : refusal(400, REFUSED))(
        response,
        request,
      );
    const { upstream, app } = await start({ '*': inTurn }, SET);
    const { body } = await ask(app);
    const refused = await ask(app, 'claude-opus-5', goOn(body.content));
    expect([refused.status, refused.body.error?.['type']]).toEqual([400, 'invalid_request_error']);
    expect(upstream.requests).toHaveLength(3);
  });

  test('of a model that has none is not asked for any more', async () => {
    const picky: Behaviour = (response, request) =>
      (request.body['include'] === undefined
        ? answer(text('a'))
        : refusal(400, 'Encrypted content is not supported with this model.'))(response, request);
    const { upstream, app } = await start({ '*': picky }, SET);
    for (const _turn of [1, 2]) expect((await ask(app)).status).toBe(200);
    expect(upstream.requests).toHaveLength(3);
  });

  test('R625 of another key is left out', async () => {
    upstream = await startFakeUpstream({ '*': answer(reasoning('x'), text('a')) });
    const keys = ['key-number-one-0001', 'key-number-two-0002'];
    const file = provider('one', upstream.url, { protocol: 'responses', api_key: keys[0], api_keys: [keys[1]] });
    app = await startProviders({ providers: [file] });
    const { body } = await ask(app, 'claude-opus-5', {}, 'a');
    const keyOf = (index: number) => upstream?.requests.at(index)?.headers.authorization;
    const first = keyOf(-1);
    await ask(app, 'claude-opus-5', goOn(body.content), 'a');
    expect([keyOf(-1), typesOf(inputOf(upstream, -1))]).toEqual([first, ['user', 'reasoning', 'assistant', 'user']]);
    // Another session with the same history, which has the other key.
    for (let session = 0; session < 20 && keyOf(-1) === first; session += 1)
      await ask(app, 'claude-opus-5', goOn(body.content), `session ${session}`);
    expect(keyOf(-1)).not.toBe(first);
    expect(typesOf(inputOf(upstream, -1))).toEqual(['user', 'assistant', 'user']);
  });

  test.each([
    ['', 'go on'],
    [' (3 MB, translated in steps)', 'go on '.repeat(500_000)],
  ])('R625 of a key that cools down while it is asked is left out for the next%s', async (_size, words) => {
    let limited: string | undefined;
    const behave: Behaviour = (response, request) =>
      (request.headers.authorization === limited
        ? json(429, { error: { message: 'slow down' } })
        : answer(reasoning('x'), text('a')))(response, request);
    upstream = await startFakeUpstream({ '*': behave });
    const keys = { api_key: 'key-number-one-0001', api_keys: ['key-number-two-0002'] };
    app = await startProviders({ providers: [provider('one', upstream.url, { protocol: 'responses', ...keys })] });
    const { body } = await ask(app);
    limited = upstream.requests[0]?.headers.authorization;
    expect((await ask(app, 'claude-opus-5', goOn(body.content, words))).status).toBe(200);
    expect([-2, -1].map((index) => upstream && typesOf(inputOf(upstream, index)))).toEqual([
      ['user', 'reasoning', 'assistant', 'user'],
      ['user', 'assistant', 'user'],
    ]);
  });
});

describe('R682 a refused part', () => {
  const has = (body: Record<string, unknown>, path: string) =>
    path.split('.').reduce<unknown>((value, name) => (value as Item | undefined)?.[name], body) !== undefined;
  const refuses = (path: string, words: string, fields: Item = { param: path }): Behaviour => {
    const refused = refusal(400, words, fields);
    return (response, request) => (has(request.body, path) ? refused : answer(text('a')))(response, request);
  };
  const fields = { temperature: 0.5, metadata: { user_id: 'user_1_session_abc' }, output_config: { effort: 'high' } };
  const settings = {
    ...SET,
    QUIRK_CACHE_KEY: 'true',
    QUIRK_USER_FIELD: 'true',
    QUIRK_VERBOSITY: 'low',
    QUIRK_SERVICE_TIER: 'flex',
    QUIRK_OBFUSCATION: 'false',
  };

  test.each([
    ['reasoning.summary', 'Your organization must be verified to generate reasoning summaries.', 'reasoning.effort'],
    ['temperature', "Unsupported parameter: 'temperature' is not supported with this model.", 'reasoning.effort'],
    ['text.verbosity', "Unsupported parameter: 'text.verbosity'.", 'reasoning.summary'],
    ['prompt_cache_key', "Unknown parameter: 'prompt_cache_key'.", 'safety_identifier'],
    ['safety_identifier', "Unknown parameter: 'safety_identifier'.", 'prompt_cache_key'],
    ['service_tier', 'Invalid service_tier.', 'store'],
    ['store', 'Argument not supported: store', 'include'],
    ['include', 'Unknown parameter', 'store'],
  ])('%s is left out from now on, and what is beside it stays', async (path, refusedWith, kept) => {
    const { upstream, app } = await start({ '*': refuses(path, refusedWith) }, settings);
    for (const _turn of [1, 2]) expect((await ask(app, 'claude-opus-5', fields)).status).toBe(200);
    const bodies = upstream.requests.map(({ body }) => [has(body, path), has(body, kept)]);
    expect(bodies).toEqual([
      [true, true],
      [false, true],
      [false, true],
    ]);
  });

  test('is found by its words where the server names no part', async () => {
    const behaviour = refuses('prompt_cache_key', 'unknown field prompt_cache_key', {});
    const { app } = await start({ '*': behaviour }, settings);
    expect((await ask(app, 'claude-opus-5', fields)).status).toBe(200);
  });

  test('an effort is moved to one that the server lists', async () => {
    const words =
      "Unsupported value: 'high' is not supported with the 'm' model. Supported values are: 'low', 'medium'.";
    const behaviour: Behaviour = (response, request) => {
      const { effort } = request.body['reasoning'] as Item;
      return (effort === 'high' ? refusal(400, words, { param: 'reasoning.effort' }) : answer(text('a')))(
        response,
        request,
      );
    };
    const { upstream, app } = await start({ '*': behaviour }, SET);
    expect((await ask(app, 'claude-opus-5', fields)).status).toBe(200);
    expect(upstream.requests.at(-1)?.body['reasoning']).toMatchObject({ effort: 'medium', summary: 'auto' });
  });

  test('a model that does not reason is not asked to', async () => {
    const words = "Unsupported parameter: 'reasoning.effort' is not supported with this model.";
    const { upstream, app } = await start({ '*': refuses('reasoning.effort', words) }, SET);
    expect((await ask(app, 'claude-opus-5', fields)).status).toBe(200);
    expect(upstream.requests.at(-1)?.body).not.toHaveProperty('include');
  });

  test('a phase is left out', async () => {
    const behaviour: Behaviour = (response, request) => {
      const input = request.body['input'] as Item[];
      const refused = refusal(400, "Unknown parameter: 'input[1].phase'.", { param: 'input[1].phase' });
      return (input[1]?.['phase'] === undefined ? answer(text('a')) : refused)(response, request);
    };
    const { upstream, app } = await start({ '*': behaviour }, { ...SET, QUIRK_PHASE: 'true' });
    expect((await ask(app, 'claude-opus-5', goOn([text('x')].map(() => ({ type: 'text', text: 'x' }))))).status).toBe(
      200,
    );
    expect(upstream.requests).toHaveLength(2);
  });

  test.each(['input', 'model', 'tools'])('never is %s', async (param) => {
    const { upstream, app } = await start({ '*': refusal(400, `Unsupported: ${param}`, { param }) }, SET);
    const tools = [{ name: 'Read', input_schema: { type: 'object' } }];
    expect((await ask(app, 'claude-opus-5', { tools })).status).toBe(400);
    expect(upstream.requests).toHaveLength(1);
  });

  test('R683 a model that may not be streamed is asked for whole answers', async () => {
    const words = 'Your organization must be verified to stream this model.';
    const behaviour = refuses('stream', words, { param: 'stream', code: 'unsupported_value' });
    const { upstream, app } = await start({ '*': behaviour }, SET);
    const { text: events } = await call(`${app.url}/v1/messages`, message('claude-opus-5', { stream: true }));
    expect(events).toContain('"text":"a"');
    expect(upstream.requests.map(({ body }) => body['stream'])).toEqual([true, undefined]);
  });
});

test.each([
  'No tool output found for function call call_1.',
  'No tool call found for function call output with call_id call_1.',
  'Duplicate item found with id fc_1',
])('R684 a fault of ours in the order of calls goes to the client and is not asked for again: %s', async (words) => {
  const { upstream, app } = await start({ '*': refusal(400, words) }, SET);
  const { status, body } = await ask(app);
  expect([status, body.error?.['message']]).toEqual([400, expect.stringContaining(words)]);
  expect(upstream.requests).toHaveLength(1);
});

test('R685 a stream that fails before its first block is asked for again', async () => {
  const failing: Behaviour = (response) => {
    openEvents(response);
    const error = { type: 'server_error', code: 'server_error', message: 'try again' };
    for (const event of [
      { type: 'response.created', response: {} },
      { type: 'error', error },
    ]) {
      response.write(`data: ${JSON.stringify(event)}\n\n`);
    }
    response.end();
  };
  const { upstream, app } = await start({ '*': inTurn(failing, answer(text('a'))) }, SET);
  const { status, text: events } = await call(`${app.url}/v1/messages`, message('claude-opus-5', { stream: true }));
  expect([status, events]).toEqual([200, expect.stringContaining('"text":"a"')]);
  expect(upstream.requests).toHaveLength(2);
});

test('R691 the list of models is the same by each API', async () => {
  const lists = [];
  for (const PROTOCOL of ['chat', 'responses']) {
    const running = await start({}, { ...SET, PROTOCOL });
    lists.push(JSON.parse((await call(`${running.app.url}/v1/models`)).text));
    await running.app.close();
    await running.upstream.close();
  }
  expect(lists[0].data.length).toBeGreaterThan(0);
  expect(lists[1]).toEqual(lists[0]);
});

test('R605 a fallback goes on from one API to the other', async () => {
  upstream = await startFakeUpstream({ one: refusal(503, 'down'), two: words('by chat') });
  const [one, two] = [
    provider('one', upstream.url, { protocol: 'responses', max_retries: 0 }),
    provider('two', upstream.url, { priority: 2 }),
  ];
  app = await startProviders({ providers: [one, two] });
  expect((await ask(app)).body.content).toEqual([{ type: 'text', text: 'by chat' }]);
  expect(upstream.requests.map(({ path }) => path)).toEqual(['/v1/responses', '/v1/chat/completions']);
  expect(app.log.findLast(({ event }) => event === 'request')).toMatchObject({ protocol: 'chat', provider: 'two' });
});

describe('R647 a search of the web', () => {
  const tool = { type: 'web_search_20250305', name: 'web_search', max_uses: 8 };
  const found = {
    ...text('Node 26 is out.'),
    content: [
      {
        type: 'output_text',
        text: 'Node 26 is out.',
        annotations: [
          {
            type: 'url_citation',
            url: 'https://nodejs.org/?utm_source=openai',
            title: 'Node',
            start_index: 0,
            end_index: 7,
          },
        ],
      },
    ],
  };
  const searched = {
    type: 'web_search_call',
    status: 'completed',
    action: { type: 'search', query: 'node 26', sources: [{ type: 'url', url: 'https://nodejs.org/' }] },
  };
  const asked = (fields: Item = {}) => ({
    messages: [{ role: 'user', content: 'Perform a web search for the query: node 26' }],
    tools: [{ ...tool, ...fields }],
    tool_choice: { type: 'tool', name: 'web_search' },
  });
  const SEARCHES = { ...SET, QUIRK_WEB_SEARCH: 'provider' };
  const content = [
    { type: 'server_tool_use', name: 'web_search', input: { query: 'node 26' } },
    { type: 'web_search_tool_result', content: [{ url: 'https://nodejs.org/', title: 'Node' }] },
    { type: 'text', text: 'Node 26 is out.', citations: [{ url: 'https://nodejs.org/', cited_text: 'Node 26' }] },
  ];

  test.each([true, false])('is done by the provider, and its results come back (stream: %s)', async (stream) => {
    const { upstream, app } = await start({ '*': answer(searched, found) }, SEARCHES);
    const { text: answered } = await call(`${app.url}/v1/messages`, message('claude-opus-5', { ...asked(), stream }));
    expect(stream ? foldEvents(answered) : JSON.parse(answered)).toMatchObject({
      content,
      stop_reason: 'end_turn',
      usage: { server_tool_use: { web_search_requests: 1 } },
    });
    expect(upstream.requests[0]?.body).toMatchObject({
      tools: [{ type: 'web_search' }],
      tool_choice: 'required',
      max_tool_calls: 8,
      include: ['reasoning.encrypted_content', 'web_search_call.action.sources'],
    });
  });

  test.each([
    ['that blocks addresses', SEARCHES, { blocked_domains: ['example.com'] }],
    ['by default', SET, {}],
    ['over chat completions', { ...SEARCHES, PROTOCOL: 'chat' }, {}],
  ])('%s is refused as before', async (_name, settings, fields) => {
    const { upstream, app } = await start({ '*': answer(searched, found) }, settings);
    const { body } = await ask(app, 'claude-opus-5', asked(fields));
    expect(body.content?.[1]).toMatchObject({ content: { error_code: 'unavailable' } });
    expect(upstream.requests).toEqual([]);
  });
});

describe('R692 the cost of an answer', () => {
  const usage = (input: number) => ({
    input_tokens: input,
    input_tokens_details: { cached_tokens: 100_000, cache_write_tokens: 50_000 },
    output_tokens: 10_000,
    output_tokens_details: { reasoning_tokens: 4000 },
  });
  const answerOf = (input: number): Behaviour =>
    json(200, {
      object: 'response',
      status: 'completed',
      service_tier: 'flex',
      output: [text('a')],
      usage: usage(input),
    });

  // Read from the cache at 0.1, written to it at 1.25 times the input; beyond 272,000 tokens double, and the output half as much again.
  test.each([
    [272_000, 122_000 * 2 + 100_000 * 0.1 + 50_000 * 2.5 + 10_000 * 10],
    [272_001, 2 * (122_001 * 2 + 100_000 * 0.1 + 50_000 * 2.5) + 1.5 * 10_000 * 10],
  ])(
    'with %i tokens of input counts each kind at its price, and R644 the log says the class of service',
    async (input, cost) => {
      const { app } = await start({ '*': answerOf(input) }, MIXED);
      await ask(app);
      expect(app.log.findLast(({ event }) => event === 'request')).toMatchObject({
        cache_read_tokens: 100_000,
        cache_creation_tokens: 50_000,
        reasoning_tokens: 4000,
        service_tier: 'flex',
        cost: expect.closeTo(cost / 1e6, 4),
      });
    },
  );

  test('R642 the key of the cache is that of the session, and nobody else has it', async () => {
    const { upstream, app } = await start({ '*': answer(text('a')) }, MIXED);
    const userOf = (session: string) => ({
      metadata: { user_id: JSON.stringify({ account: 'x', session_id: session }) },
    });
    for (const session of ['one', 'two', 'one']) await ask(app, 'claude-opus-5', userOf(session));
    const keys = upstream.requests.map(({ body }) => body['prompt_cache_key']);
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(keys).toEqual([keys[0], expect.not.stringMatching(String(keys[0])), keys[0]]);
  });
});
