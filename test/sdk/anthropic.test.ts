import Anthropic from '@anthropic-ai/sdk';
import { expect, onTestFinished, test } from 'vitest';
import { type Behaviour, delta, frame, json, openEvents } from '../helpers/fakeUpstream.ts';
import { messagesOf, resultsOf } from '../helpers/received.ts';
import { pages, startSearchServer } from '../helpers/searchServer.ts';
import { setStage } from '../helpers/stage.ts';
import { reply, turn } from '../helpers/turn.ts';

const weather: Anthropic.Tool = {
  name: 'get_weather',
  description: 'The weather of a city',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};
const hello = {
  model: 'claude-opus-5-5',
  max_tokens: 1000,
  messages: [{ role: 'user', content: 'Hello' }],
} satisfies Anthropic.MessageCreateParams;
const callingTurn = {
  reasoning: 'I look.',
  text: 'Looking.',
  calls: [
    { name: 'get_weather', input: { city: 'Kraków' } },
    { name: 'get_weather', input: { city: 'Łódź' } },
  ],
};
const usage = { prompt_tokens: 1000, completion_tokens: 7, prompt_tokens_details: { cached_tokens: 900 } };

async function connect(behaviour: Behaviour, token = 'any'): Promise<Anthropic> {
  const { url } = await setStage(behaviour);
  return new Anthropic({ baseURL: url, apiKey: token, maxRetries: 0 });
}

test('messages.create gives a whole message', async () => {
  const client = await connect(turn({ ...callingTurn, usage }));
  const message = await client.messages.create({ ...hello, tools: [weather] });
  expect(message).toMatchObject({
    type: 'message',
    role: 'assistant',
    model: 'claude-opus-5-5',
    stop_reason: 'tool_use',
    usage: { input_tokens: 100, cache_read_input_tokens: 900, cache_creation_input_tokens: 0, output_tokens: 7 },
  });
  expect(message.content).toEqual([
    { type: 'thinking', thinking: 'I look.', signature: expect.any(String) },
    { type: 'text', text: 'Looking.' },
    { type: 'tool_use', id: expect.stringMatching(/^toolu_/), name: 'get_weather', input: { city: 'Kraków' } },
    { type: 'tool_use', id: expect.stringMatching(/^toolu_/), name: 'get_weather', input: { city: 'Łódź' } },
  ]);
  expect(message._request_id).toMatch(/^req_/);
});

test('messages.stream gives each part as it comes, and gives the same message as messages.create', async () => {
  const client = await connect(turn({ ...callingTurn, usage }));
  const heard = { text: '', thinking: '', json: '' };
  const stream = client.messages
    .stream({ ...hello, tools: [weather] })
    .on('text', (piece) => {
      heard.text += piece;
    })
    .on('thinking', (piece) => {
      heard.thinking += piece;
    })
    .on('inputJson', (piece) => {
      heard.json += piece;
    });
  const streamed = await stream.finalMessage();
  expect(heard).toEqual({ text: 'Looking.', thinking: 'I look.', json: '{"city":"Kraków"}{"city":"Łódź"}' });
  expect(await stream.finalText()).toBe('Looking.');
  const whole = await client.messages.create({ ...hello, tools: [weather] });
  const comparable = ({ content, stop_reason, usage, model }: Anthropic.Message) => ({
    stop_reason,
    usage,
    model,
    content: content.map((block) => (block.type === 'tool_use' ? { ...block, id: 'created' } : block)),
  });
  expect(comparable(streamed)).toEqual(comparable(whole));
});

test('a conversation with a tool comes to its end', async () => {
  const client = await connect(
    reply((request) => (resultsOf(request).length > 0 ? { text: resultsOf(request).join(', ') } : callingTurn)),
  );
  const first = await client.messages.stream({ ...hello, tools: [weather] }).finalMessage();
  const results = first.content
    .filter((block) => block.type === 'tool_use')
    .map(({ id, input }) => ({
      type: 'tool_result' as const,
      tool_use_id: id,
      content: `rain in ${(input as { city: string }).city}`,
    }));
  const second = await client.messages.create({
    ...hello,
    tools: [weather],
    // In the wrong order, as tools end.
    messages: [
      ...hello.messages,
      { role: 'assistant', content: first.content },
      { role: 'user', content: results.reverse() },
    ],
  });
  expect(second.content).toEqual([{ type: 'text', text: 'rain in Kraków, rain in Łódź' }]);
});

test('system, stop sequences and tool choice reach the provider', async () => {
  const { url, upstream } = await setStage(turn({ text: 'ok' }));
  const client = new Anthropic({ baseURL: url, apiKey: 'any' });
  await client.messages.create({
    ...hello,
    system: 'Be brief.',
    stop_sequences: ['END'],
    tools: [weather],
    tool_choice: { type: 'tool', name: 'get_weather', disable_parallel_tool_use: true },
  });
  const [request] = upstream.requests;
  expect(request && messagesOf(request)[0]).toEqual({ role: 'system', content: 'Be brief.' });
  expect(request?.body).toMatchObject({
    model: 'big',
    max_tokens: 1000,
    stop: ['END'],
    tool_choice: { type: 'function', function: { name: 'get_weather' } },
    parallel_tool_calls: false,
  });
});

test('messages.countTokens counts more for more', async () => {
  const client = await connect(turn({}));
  const { model, messages } = hello;
  const few = await client.messages.countTokens({ model, messages });
  const many = await client.messages.countTokens({ model, messages, system: 'word '.repeat(1000), tools: [weather] });
  expect(few.input_tokens).toBeGreaterThan(0);
  expect(many.input_tokens - few.input_tokens).toBeGreaterThan(500);
});

test('models.list and models.retrieve know the models of the instance', async () => {
  const client = await connect(turn({}));
  const ids: string[] = [];
  for await (const { id } of client.models.list()) ids.push(id);
  expect(ids).toEqual(expect.arrayContaining(['big', 'small']));
  expect(await client.models.retrieve('big')).toMatchObject({ type: 'model', id: 'big' });
  await expect(client.models.retrieve('nothing')).rejects.toBeInstanceOf(Anthropic.NotFoundError);
});

const failures = [
  { status: 400, says: 'seed is not a number', becomes: Anthropic.BadRequestError, type: 'invalid_request_error' },
  { status: 401, says: 'bad key', becomes: Anthropic.AuthenticationError, type: 'authentication_error' },
  { status: 403, says: 'not in your plan', becomes: Anthropic.PermissionDeniedError, type: 'permission_error' },
  { status: 404, says: 'model not found', becomes: Anthropic.NotFoundError, type: 'not_found_error' },
  { status: 429, says: 'slow down', becomes: Anthropic.RateLimitError, type: 'rate_limit_error' },
  { status: 500, says: 'oh no', becomes: Anthropic.InternalServerError, type: 'overloaded_error' },
];

test.each(failures)(
  'a $status of the provider is a $type with the request id',
  async ({ status, says, becomes, type }) => {
    const client = await connect(json(status, { error: { message: says } }));
    for (const stream of [false, true]) {
      const error = await client.messages.create({ ...hello, stream }).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(becomes);
      expect(error).toMatchObject({
        requestID: expect.stringMatching(/^req_/),
        error: { type: 'error', error: { type, message: expect.stringContaining(says) } },
      });
    }
  },
);

test('an answer that breaks off is an error, not a short message', async () => {
  const client = await connect((response) => {
    openEvents(response);
    response.write(frame(delta({ content: 'half' })), () => response.destroy());
  });
  const stream = client.messages.stream(hello);
  await expect(stream.finalMessage()).rejects.toBeInstanceOf(Anthropic.APIError);
});

test('a search of the web comes as Anthropic’s own, streamed and whole, and goes back into the next turn', async () => {
  const search = await startSearchServer(pages(['https://weather.test/', 'Weather', 'Sunny.']));
  onTestFinished(() => search.close());
  const { url, upstream } = await setStage(
    reply((request) =>
      resultsOf(request).length > 0
        ? { text: 'Sunny, says https://weather.test/' }
        : { text: 'I look.', calls: [{ name: 'web_search', input: { query: 'weather' } }] },
    ),
    { WEB_SEARCH: 'searxng', SEARCH_URL: search.url },
  );
  const client = new Anthropic({ baseURL: url, apiKey: 'any', maxRetries: 0 });
  const tools: Anthropic.MessageCreateParams['tools'] = [weather, { type: 'web_search_20250305', name: 'web_search' }];
  const streamed = await client.messages.stream({ ...hello, tools }).finalMessage();
  const whole = await client.messages.create({ ...hello, tools });
  for (const message of [streamed, whole]) {
    expect(message.content.map(({ type }) => type)).toEqual([
      'text',
      'server_tool_use',
      'web_search_tool_result',
      'text',
    ]);
    expect(message.usage.server_tool_use?.web_search_requests).toBe(1);
    const last = message.content.at(-1);
    expect(last?.type === 'text' && last.citations).toMatchObject([{ url: 'https://weather.test/', title: 'Weather' }]);
  }
  const messages: Anthropic.MessageParam[] = [
    ...hello.messages,
    { role: 'assistant', content: streamed.content },
    { role: 'user', content: 'Thanks.' },
  ];
  await client.messages.create({ ...hello, messages, tools });
  const [, second] = upstream.requests;
  const later = upstream.requests.at(-1);
  const before = second === undefined ? [] : messagesOf(second);
  expect(JSON.stringify(later && messagesOf(later).slice(0, before.length))).toBe(JSON.stringify(before));
});
