import { afterEach, expect, test } from 'vitest';
import {
  type AnthropicServer,
  type NativeBehaviour,
  nativeError,
  nativeEvent,
  nativeJson,
  nativeStream,
  nativeTurn,
  startAnthropicServer,
} from '../helpers/anthropicServer.ts';
import { call, message, type Settings, startApp, type TestApp } from '../helpers/startApp.ts';

const TOKEN = 'the-token-of-this-instance';
const SUBSCRIPTION = 'Bearer login-of.the.client';
const KEY = 'plain-words-as-a-key';
/** An answer of Anthropic's count whose number is written so. */
const countOf =
  (number: string): NativeBehaviour =>
  (response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(`{"input_tokens":${number}}`);
/** No limit of the product: how long the test waits for a socket that does not close. */
const GIVE_UP_MS = 3000;

let server: AnthropicServer | undefined;
let app: TestApp | undefined;

afterEach(async () => {
  await app?.close();
  await server?.close();
});

/** An instance for Anthropic itself, as far as its preset is concerned. */
async function start(
  settings: Settings = {},
): Promise<{ url: string; requests: AnthropicServer['requests']; app: TestApp }> {
  server = await startAnthropicServer({
    'claude-opus-5': nativeTurn({ text: 'hi' }),
    refusing: nativeError(401, 'authentication_error', `${KEY} and login-of.the.client are not known`),
    'refusing-later': nativeStream(
      nativeEvent('message_start', { message: {} }),
      nativeEvent('error', { error: { type: 'api_error', message: `${KEY} has expired` } }),
    ),
    counted: nativeJson({ input_tokens: 4321 }),
    'not-counted': nativeError(429, 'rate_limit_error', 'slow down'),
    'wrongly-counted': nativeStream('data: 1\n\n'),
    'counted-in-text': countOf('"12"'),
    'counted-below-zero': countOf('-12'),
    'counted-without-end': countOf('1e308'),
    'counted-in-halves': countOf('12.5'),
    'never-counted': () => {},
    '*': nativeTurn({ text: 'hi' }),
  });
  app = await startApp({
    PROVIDER: 'anthropic',
    OPENAI_BASE_URL: server.url,
    OPENAI_API_KEY: '',
    MAX_RETRIES: '0',
    ...settings,
  });
  return { url: app.url, requests: server.requests, app };
}

const ask = (url: string, model: string, headers: Record<string, string>, stream = false) => {
  const options = message(model, { stream });
  return call(url, { ...options, headers: { ...options.headers, ...headers } });
};

test.each([
  [{ authorization: SUBSCRIPTION }],
  [{ 'x-api-key': KEY }],
  [{ authorization: SUBSCRIPTION, 'x-api-key': KEY }],
])('what the client sent goes on as it came: %j', async (headers: Record<string, string>) => {
  const { url, requests } = await start();
  const answer = await ask(`${url}/v1/messages`, 'claude-opus-5', headers);
  expect(answer.status).toBe(200);
  const received = requests[0]?.headers ?? {};
  expect(received.authorization).toBe(headers['authorization']);
  expect(received['x-api-key']).toBe(headers['x-api-key']);
});

test('A2 the token of the instance never goes on, the other credential does', async () => {
  const { url, requests } = await start({ ANTHROPIC_API_KEY: TOKEN });
  await ask(`${url}/v1/messages`, 'claude-opus-5', { 'x-api-key': TOKEN, authorization: SUBSCRIPTION });
  await ask(`${url}/v1/messages`, 'claude-opus-5', { 'x-api-key': KEY, authorization: `Bearer ${TOKEN}` });
  expect(requests.map(({ headers }) => [headers['x-api-key'], headers.authorization])).toEqual([
    [undefined, SUBSCRIPTION],
    [KEY, undefined],
  ]);
  const alone = await ask(`${url}/v1/messages`, 'claude-opus-5', { 'x-api-key': TOKEN });
  expect(alone.status).toBe(401);
  expect(JSON.parse(alone.text).error.message).toContain('no key for the provider');
  expect(requests).toHaveLength(2);
});

test('R407 a credential that the provider repeats shows nowhere: not in the answer, the log, the health', async () => {
  const { url, app } = await start();
  const headers = { authorization: SUBSCRIPTION, 'x-api-key': KEY };
  const refused = await ask(`${url}/v1/messages`, 'refusing', headers);
  expect(JSON.parse(refused.text).error.message).toBe(
    '**** and **** are not known (the provider rejected the key that the client sent)',
  );
  await ask(`${url}/v1/messages`, 'refusing-later', headers, true);
  const health = await call(`${url}/health`);
  const known = refused.text + health.text + JSON.stringify(app.log) + JSON.stringify(app.services.stats.snapshot());
  expect(known).toContain('has expired');
  expect(known).not.toMatch(/plain-words|login-of/);
});

test('an instance with a key of its own sends that one, in the provider’s header', async () => {
  const { url, requests } = await start({ OPENAI_API_KEY: 'own-key' });
  await ask(`${url}/v1/messages`, 'claude-opus-5', { authorization: SUBSCRIPTION });
  expect(requests[0]?.headers['x-api-key']).toBe('own-key');
  expect(requests[0]?.headers).not.toHaveProperty('authorization');
});

test('an instance of another provider sends its key as that one wants it', async () => {
  const { url, requests } = await start({ PROVIDER: 'kimi-anthropic', OPENAI_API_KEY: 'own-key' });
  await ask(`${url}/v1/messages`, 'claude-opus-5', { 'x-api-key': KEY });
  expect(requests[0]?.headers.authorization).toBe('Bearer own-key');
  expect(requests[0]?.headers).not.toHaveProperty('x-api-key');
});

test('R103 Claude’s own names pass as they are, but for a tier that the user has set', async () => {
  const { url, requests } = await start({ SMALL_MODEL: 'claude-sonnet-5' });
  for (const model of ['claude-sonnet-4-5-20250929', 'claude-opus-5[1m]', 'claude-haiku-4-5-20251001', 'claude-next-1'])
    await ask(`${url}/v1/messages`, model, { 'x-api-key': KEY });
  expect(requests.map(({ body }) => body.model)).toEqual([
    'claude-sonnet-4-5-20250929',
    'claude-opus-5',
    'claude-sonnet-5',
    'claude-next-1',
  ]);
});

test('R513 the settings for the client leave its credentials and models alone', async () => {
  const { url } = await start();
  const { text } = await call(`${url}/env`);
  expect(text).toContain('export ANTHROPIC_BASE_URL=');
  expect(text).not.toMatch(/API_KEY|AUTH_TOKEN|ANTHROPIC_MODEL|WINDOW/);
});

test('a token count is asked of a provider that counts for nothing', async () => {
  const { url, requests } = await start();
  const answer = await ask(`${url}/v1/messages/count_tokens?beta=true`, 'counted', {
    authorization: SUBSCRIPTION,
    'anthropic-beta': 'token-counting-2024-11-01',
  });
  expect(JSON.parse(answer.text)).toEqual({ input_tokens: 4321 });
  expect(requests[0]?.path).toBe('/v1/messages/count_tokens?beta=true');
  expect(requests[0]?.headers).toMatchObject({
    authorization: SUBSCRIPTION,
    'anthropic-beta': 'token-counting-2024-11-01',
    'anthropic-version': '2023-06-01',
  });
});

test('R502 a count that is no whole number is made one', async () => {
  const { url } = await start();
  const answer = await ask(`${url}/v1/messages/count_tokens`, 'counted-in-halves', { 'x-api-key': KEY });
  expect(JSON.parse(answer.text)).toEqual({ input_tokens: 13 });
});

test.each(['not-counted', 'wrongly-counted', 'counted-in-text', 'counted-below-zero', 'counted-without-end'])(
  'R502 a count that the provider does not give (%s) is estimated',
  async (model) => {
    const { url, requests } = await start();
    const answer = await ask(`${url}/v1/messages/count_tokens`, model, { 'x-api-key': KEY });
    expect(answer.status).toBe(200);
    const { input_tokens: count } = JSON.parse(answer.text);
    expect(Number.isSafeInteger(count) && count > 0 && count < 1000, `${count}`).toBe(true);
    expect(requests).toHaveLength(1);
  },
);

test('R502 without a credential a count is estimated, too', async () => {
  const { url, requests } = await start();
  expect(JSON.parse((await ask(`${url}/v1/messages/count_tokens`, 'counted', {})).text).input_tokens).toBeLessThan(100);
  expect(requests).toHaveLength(0);
});

test('R320 a client that goes ends the count', async () => {
  const { url } = await start();
  const arrived = server?.nextRequest();
  const leave = new AbortController();
  const options = message('never-counted');
  const asked = fetch(`${url}/v1/messages/count_tokens`, {
    method: 'POST',
    headers: { ...options.headers, 'x-api-key': KEY },
    body: String(options.body),
    signal: leave.signal,
  });
  const received = await arrived;
  leave.abort();
  await expect(asked).rejects.toThrow();
  // Long before the count would be given up anyway.
  const tooLate = new Promise((resolve) => setTimeout(resolve, GIVE_UP_MS, 'still open').unref());
  expect(await Promise.race([received?.closed, tooLate])).toBeUndefined();
});

test('R502 other native endpoints are not asked for a count', async () => {
  const { url, requests } = await start({ PROVIDER: 'custom-anthropic', OPENAI_API_KEY: 'own', BIG_MODEL: 'counted' });
  expect(JSON.parse((await ask(`${url}/v1/messages/count_tokens`, 'counted', {})).text).input_tokens).toBeLessThan(100);
  expect(requests).toHaveLength(0);
});
