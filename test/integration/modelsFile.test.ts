import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeUpstream, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { call, message, readEvents, startApp, type TestApp } from '../helpers/startApp.ts';

const folder = mkdtempSync(join(tmpdir(), 'models-'));
let home: FakeUpstream;
let other: FakeUpstream;
let app: TestApp;

beforeAll(async () => {
  home = await startFakeUpstream({ large: words('from home') });
  other = await startFakeUpstream({ 'their-name': words('from the other') });
  const models = `
- model_id: mine
  model_name: their-name
  api_base: ${other.url}
  api_key_name: OTHER_KEY
  can_stream: false
  max_tokens: 50
  extra_headers:
    X-Team: blue
  extra_body:
    seed: 7
`;
  writeFileSync(join(folder, 'models.yaml'), models);
  app = await startApp({
    OPENAI_BASE_URL: home.url,
    BIG_MODEL: 'large',
    SMALL_MODEL: 'custom/mine',
    MODELS_FILE: join(folder, 'models.yaml'),
    OTHER_KEY: 'key-of-the-other',
  });
});

afterAll(async () => {
  await app.close();
  await Promise.all([home.close(), other.close()]);
  rmSync(folder, { recursive: true });
});

test.each(['mine', 'custom/mine', 'claude-haiku-4-5'])(
  '%s is asked for at its own server, in its words, with its key',
  async (model) => {
    const record = app.nextRecord();
    const answer = await call(`${app.url}/v1/messages`, message(model, { stream: true, max_tokens: 32_000 }));
    expect(readEvents(answer.text).at(-1)?.[0]).toBe('message_stop');
    expect(answer.text).toContain('from the other');
    const received = other.requests.at(-1);
    expect(received?.headers).toMatchObject({ authorization: 'Bearer key-of-the-other', 'x-team': 'blue' });
    expect(received?.body).toMatchObject({ model: 'their-name', max_tokens: 50, seed: 7 });
    // The model cannot stream: it is asked for a whole answer, which is streamed to the client.
    expect(received?.body['stream']).toBeUndefined();
    expect(await record).toMatchObject({ model, stream: true, outcome: 'ok' });
  },
);

test('the instance’s own models stay at home, and neither key goes to the other server', async () => {
  await call(`${app.url}/v1/messages`, message('claude-opus-5'));
  expect(home.requests.at(-1)?.headers.authorization).toBe('Bearer key-of-the-provider');
  expect(JSON.stringify(home.requests.map(({ headers }) => headers))).not.toContain('key-of-the-other');
  expect(JSON.stringify(other.requests.map(({ headers }) => headers))).not.toContain('key-of-the-provider');
});

test('the dry run says where a model of the file is asked', async () => {
  const answer = await call(`${app.url}/v1/messages/test_conversion`, message('mine'));
  expect(JSON.parse(answer.text)).toMatchObject({ url: `${other.url}/chat/completions`, model: 'their-name' });
});

test('an OpenAI client reaches it too, and it is in the list of models', async () => {
  const body = JSON.stringify({ model: 'mine', messages: [{ role: 'user', content: 'hi' }] });
  const answer = await call(`${app.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  expect(answer.text).toContain('from the other');
  expect((await call(`${app.url}/v1/models`)).text).toContain('mine');
});

test('the connection test asks the server of the model', async () => {
  const before = home.requests.length;
  const answer = await call(`${app.url}/test-connection`);
  expect(JSON.parse(answer.text)).toMatchObject({ status: 'success', model_used: 'their-name' });
  expect(home.requests).toHaveLength(before);
});
