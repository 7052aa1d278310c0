import { afterEach, expect, test } from 'vitest';
import {
  type AnthropicServer,
  type NativeBehaviour,
  nativeError,
  nativeTurn,
  startAnthropicServer,
} from '../helpers/anthropicServer.ts';
import { checkEvents } from '../helpers/eventGrammar.ts';
import { type Behaviour, type FakeUpstream, json, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { type Answer, call, message, type TestApp } from '../helpers/startApp.ts';
import { provider, startProviders } from '../helpers/startProviders.ts';

let chat: FakeUpstream;
let native: AnthropicServer;
let app: TestApp;

/** A provider of each protocol; the one that is named is asked first. */
async function start(first: 'chat' | 'native', chatBehaviour: Behaviour, nativeBehaviour: NativeBehaviour) {
  chat = await startFakeUpstream({ '*': chatBehaviour });
  native = await startAnthropicServer({ '*': nativeBehaviour });
  const priority = (name: string) => (name === first ? 1 : 2);
  app = await startProviders(
    {
      providers: [
        provider('chat', chat.url, { priority: priority('chat') }),
        provider('native', native.url, {
          preset: 'custom-anthropic',
          protocol: 'anthropic',
          priority: priority('native'),
        }),
      ],
    },
    { MAX_RETRIES: '0' },
  );
}

afterEach(async () => {
  await app.close();
  await chat.close();
  await native.close();
});

const broken = json(500, { error: { message: 'boom' } });
const overloaded = nativeError(529, 'overloaded_error', 'Overloaded');
const ask = (stream: boolean) => call(`${app.url}/v1/messages`, message('claude-opus-5', { stream }));

function textOf(answer: Answer, stream: boolean): string {
  if (!stream) {
    const { content } = JSON.parse(answer.text);
    return content.map(({ text }: { text: string }) => text).join('');
  }
  checkEvents(answer.text.replaceAll('event: ping\ndata: {"type":"ping"}\n\n', ''));
  return [...answer.text.matchAll(/"text_delta","text":"([^"]*)"/g)].map((match) => match[1]).join('');
}

test.each([true, false])('chat completions first, a Messages API as its spare (stream %s)', async (stream) => {
  await start('chat', broken, nativeTurn({ text: 'from native' }));
  const record = app.nextRecord();
  const answer = await ask(stream);
  expect(textOf(answer, stream)).toBe('from native');
  expect(answer.headers['x-provider']).toBe('native');
  expect(native.requests[0]).toMatchObject({
    body: { model: 'native', messages: [{ role: 'user', content: 'hello' }] },
    headers: { 'x-api-key': 'key-of-native-0001', 'anthropic-version': '2023-06-01' },
  });
  expect(await record).toMatchObject({ outcome: 'ok', provider: 'native', input_tokens: 11, attempts: 2 });
});

test.each([true, false])('a Messages API first, chat completions as its spare (stream %s)', async (stream) => {
  await start('native', words('from chat'), overloaded);
  const record = app.nextRecord();
  const answer = await ask(stream);
  expect(textOf(answer, stream)).toBe('from chat');
  expect(chat.requests[0]).toMatchObject({
    body: { model: 'chat', messages: [{ role: 'user', content: 'hello' }] },
    headers: { authorization: 'Bearer key-of-chat-0001' },
  });
  expect(await record).toMatchObject({ outcome: 'ok', provider: 'chat', input_tokens: 10, attempts: 2 });
});

test('when both fail the client gets one error with the name of the first', async () => {
  await start('native', broken, overloaded);
  const answer = await ask(true);
  expect(answer.status).toBe(529);
  expect(JSON.parse(answer.text).error.message).toBe(
    '[native] Overloaded (2 were tried in turn: native,native; chat,chat)',
  );
});

test('a refusal in the words of a Messages API stays as it is, and nobody else is asked', async () => {
  await start(
    'native',
    words('from chat'),
    nativeError(400, 'invalid_request_error', 'prompt is too long: 5 tokens > 3 maximum'),
  );
  const answer = await ask(true);
  expect([answer.status, JSON.parse(answer.text).error.message]).toEqual([
    400,
    'prompt is too long: 5 tokens > 3 maximum',
  ]);
  expect(chat.requests).toHaveLength(0);
});

test('a chat completions request passes a provider that has none', async () => {
  await start('native', words('from chat'), nativeTurn({ text: 'never' }));
  const answer = await call(`${app.url}/v1/chat/completions`, message('claude-opus-5'));
  expect(JSON.parse(answer.text).choices[0].message.content).toBe('from chat');
  expect(answer.headers['x-provider']).toBe('chat');
  expect(native.requests).toHaveLength(0);
});

test('a token count is of the first candidate', async () => {
  await start('native', words('from chat'), nativeTurn({ text: 'never' }));
  const count = await call(`${app.url}/v1/messages/count_tokens`, message('claude-opus-5'));
  expect(JSON.parse(count.text).input_tokens).toBeGreaterThan(0);
  expect(chat.requests).toHaveLength(0);
});

test('a token count is asked of nobody whose key rests', async () => {
  native = await startAnthropicServer({ '*': nativeTurn({ text: 'never' }) });
  chat = await startFakeUpstream({ '*': words('never') });
  const fields = { preset: 'anthropic', api_keys: ['key-of-native-0002'] };
  app = await startProviders({ providers: [provider('native', native.url, fields)] });
  const { config, backends } = app.services;
  const { keys } = backends.of(config.provider);
  for (const { key } of keys.list()) keys.coolDown(key, 60_000, 'bad key');
  const count = await call(`${app.url}/v1/messages/count_tokens`, message('claude-opus-5'));
  expect(JSON.parse(count.text).input_tokens).toBeGreaterThan(0);
  expect(native.requests).toHaveLength(0);
});

test('what was noted of a candidate that failed is not said of the one that serves', async () => {
  await start('chat', broken, nativeTurn({ text: 'from native' }));
  const record = app.nextRecord();
  await call(`${app.url}/v1/messages`, message('claude-opus-5', { top_k: 5, container: 'x' }));
  const line = await record;
  expect([line['provider'], line['dropped_fields'], line['notes']]).toEqual(['native', undefined, undefined]);
});

test('the dry run passes over who cannot search the web, and says so', async () => {
  const tools = [{ type: 'web_search_20250305', name: 'web_search' }];
  await start('chat', words('never'), nativeTurn({ text: 'never' }));
  const path = `${app.url}/v1/messages/test_conversion`;
  const cannot = 'it cannot search the web';
  const described = JSON.parse((await call(path, message('claude-opus-5', { tools }))).text);
  expect(described).toMatchObject({ provider: 'native', candidates: [{ skipped: cannot }, { skipped: null }] });
  const refused = JSON.parse((await call(path, message('claude-test--chat', { tools }))).text);
  expect(refused).toMatchObject({ candidates: [{ skipped: cannot }] });
  expect(refused.notes).toContain('web search refused');
});

test('R150 a web search goes to the candidate that can search, and is refused where none can', async () => {
  const tools = [{ type: 'web_search_20250305', name: 'web_search' }];
  const search = (model: string) => call(`${app.url}/v1/messages`, message(model, { tools }));
  await start('chat', words('never'), nativeTurn({ text: 'found' }));
  expect((await search('claude-opus-5')).text).toContain('found');
  expect((await search('claude-test--chat')).text).toContain('Web search is not available');
  expect(chat.requests).toHaveLength(0);
});
