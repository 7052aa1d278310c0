import OpenAI from 'openai';
import { expect, test } from 'vitest';
import { type Behaviour, delta, json, stream } from '../helpers/fakeUpstream.ts';
import { callsOf } from '../helpers/received.ts';
import { setStage } from '../helpers/stage.ts';
import { reply, turn } from '../helpers/turn.ts';

const hello = {
  model: 'claude-opus-5-5',
  messages: [{ role: 'user', content: 'Hello' }],
} satisfies OpenAI.ChatCompletionCreateParams;
const weather: OpenAI.ChatCompletionTool = {
  type: 'function',
  function: { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
};
const call = { id: 'call_1', name: 'get_weather', input: { city: 'Kraków' } };

async function connect(behaviour: Behaviour, settings: Record<string, string> = {}) {
  const { url, upstream } = await setStage(behaviour, settings);
  return { client: new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', maxRetries: 0 }), upstream };
}

test('a completion comes whole, from the model of the tier and with the key of the instance', async () => {
  const { client, upstream } = await connect(turn({ text: 'Hi' }), { CUSTOM_HEADER_X_TEAM: 'blue' });
  const completion = await client.chat.completions.create({ ...hello, user: 'me', temperature: 0.3 });
  expect(completion.choices[0]?.message.content).toBe('Hi');
  expect(completion.usage).toMatchObject({ prompt_tokens: 10, completion_tokens: 2 });
  expect(upstream.requests[0]?.body).toEqual({ ...hello, model: 'big', user: 'me', temperature: 0.3 });
  expect(upstream.requests[0]?.headers).toMatchObject({
    authorization: 'Bearer key-of-the-provider',
    'x-team': 'blue',
  });
});

test('a stream comes piece by piece and is folded to the same completion', async () => {
  const { client } = await connect(turn({ text: 'Looking.', calls: [call] }));
  const runner = client.chat.completions.stream({
    ...hello,
    tools: [weather],
    stream_options: { include_usage: true },
  });
  let text = '';
  runner.on('content', (piece) => {
    text += piece;
  });
  const completion = await runner.finalChatCompletion();
  expect(text).toBe('Looking.');
  expect(completion.choices[0]?.finish_reason).toBe('tool_calls');
  expect(completion.choices[0]?.message.tool_calls).toMatchObject([
    { id: 'call_1', function: { name: 'get_weather', arguments: '{"city":"Kraków"}' } },
  ]);
  expect(completion.usage).toMatchObject({ prompt_tokens: 10 });
});

test('nothing of the stream is dropped, fields that nobody knows included', async () => {
  const chunks = [
    delta({ content: 'a', unheard_of: 1 }),
    delta({}, 'stop'),
    { choices: [], usage: { prompt_tokens: 3 } },
  ];
  const { client } = await connect(stream(...chunks));
  const received: unknown[] = [];
  for await (const chunk of await client.chat.completions.create({ ...hello, stream: true })) received.push(chunk);
  expect(received).toEqual(chunks);
});

test('tools run over two requests', async () => {
  const { client, upstream } = await connect(
    reply((request) => (callsOf(request).length > 0 ? { text: 'It rains.' } : { calls: [call] })),
  );
  const first = await client.chat.completions.create({ ...hello, tools: [weather] });
  const message = first.choices[0]?.message;
  expect(message?.tool_calls).toHaveLength(1);
  const second = await client.chat.completions.create({
    ...hello,
    tools: [weather],
    messages: [
      ...hello.messages,
      { role: 'assistant', tool_calls: message?.tool_calls ?? [] },
      { role: 'tool', tool_call_id: 'call_1', content: 'rain' },
    ],
  });
  expect(second.choices[0]?.message.content).toBe('It rains.');
  expect(upstream.requests).toHaveLength(2);
});

const failures = [
  { status: 400, becomes: OpenAI.BadRequestError },
  { status: 401, becomes: OpenAI.AuthenticationError },
  { status: 429, becomes: OpenAI.RateLimitError },
];

test.each(failures)('a $status of the provider becomes the error class of the client', async ({ status, becomes }) => {
  const { client } = await connect(json(status, { error: { message: 'words of the provider' } }));
  const error = await client.chat.completions.create(hello).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(becomes);
  expect(error).toMatchObject({ message: expect.stringContaining('words of the provider') });
});
