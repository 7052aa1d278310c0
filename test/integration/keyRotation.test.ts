import { afterEach, expect, test } from 'vitest';
import { type Behaviour, type FakeUpstream, json, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { call, message, type TestApp } from '../helpers/startApp.ts';
import { provider, startProviders } from '../helpers/startProviders.ts';

const KEYS = ['key-number-one-0001', 'key-number-two-0002', 'key-number-three-03'];

let upstream: FakeUpstream;
let spare: FakeUpstream;
let app: TestApp;
/** What each key is answered; without an entry it is accepted. */
let refusals: Record<string, Behaviour> = {};

const keyOf = (header: string | undefined) => header?.replace('Bearer ', '') ?? '';

async function start(keys = KEYS, withSpare = false): Promise<void> {
  refusals = {};
  upstream = await startFakeUpstream({
    '*': (response, request) => (refusals[keyOf(request.headers.authorization)] ?? words('fine'))(response, request),
  });
  spare = await startFakeUpstream({ '*': words('from the spare') });
  const [first, ...others] = keys;
  const one = provider('one', upstream.url, { api_key: first, api_keys: others });
  app = await startProviders({ providers: withSpare ? [one, provider('two', spare.url, { priority: 2 })] : [one] });
}

afterEach(async () => {
  await app.close();
  await upstream.close();
  await spare.close();
});

const ask = (conversation: string) =>
  call(`${app.url}/v1/messages`, {
    ...message('claude-opus-5'),
    headers: { 'content-type': 'application/json', 'x-claude-code-session-id': conversation },
  });

const used = () => upstream.requests.map(({ headers }) => keyOf(headers.authorization));

async function keyFor(conversation: string): Promise<string> {
  await ask(conversation);
  return used().at(-1) ?? '';
}

const keyStates = async () => {
  const [one] = JSON.parse((await call(`${app.url}/health`)).text).providers;
  return one.keys as { label: string; state: string; until: string | null; reason: string | null }[];
};

const limited = json(429, { error: { message: 'slow down' } }, { 'retry-after': '30' });

test('a conversation keeps its key, and conversations are shared out among the keys', async () => {
  await start();
  expect(await keyFor('a')).toBe(await keyFor('a'));
  for (let index = 0; index < 20; index += 1) await ask(`conversation ${index}`);
  expect(new Set(used())).toEqual(new Set(KEYS));
  const labels = (await keyStates()).map(({ label }) => label);
  expect(new Set(app.usageRows.map(({ key }) => key))).toEqual(new Set(labels));
});

test.each([
  ['429', limited],
  ['401', json(401, { error: { message: 'bad key' } })],
  ['402', json(402, { error: { message: 'Insufficient balance' } })],
  ['403', json(403, { error: { message: 'not yours' } })],
])('a key that gets %s rests, and the next serves the request at once', async (_what, refusal) => {
  await start();
  const own = await keyFor('a');
  refusals = { [own]: refusal };
  const answer = await ask('a');
  expect(answer.text).toContain('fine');
  expect(used().slice(1)).toEqual([own, expect.not.stringMatching(own)]);
  const other = used().at(-1);
  // The refused key is left alone from now on.
  expect(await keyFor('a')).toBe(other);
  const states = await keyStates();
  expect(states.map(({ label }) => label)).toHaveLength(new Set(states.map(({ label }) => label)).size);
  const [resting, ...rest] = states.filter(({ state }) => state === 'resting');
  expect(rest).toEqual([]);
  expect(resting).toMatchObject({ until: expect.stringMatching(/^20/), reason: expect.stringContaining('[test') });
  expect(JSON.stringify(states)).not.toContain(own);
  expect((await call(`${app.url}/metrics`)).text).toContain('claude_code_proxy_resting_keys{provider="one"} 1\n');
  expect(app.log.filter((line) => String(line['message']).startsWith('a key was refused'))).toHaveLength(1);
});

test('when every key was refused, each is asked once, and the shortest wait is reported', async () => {
  await start();
  refusals = Object.fromEntries(KEYS.map((key) => [key, limited]));
  const answer = await ask('a');
  expect([answer.status, answer.headers['retry-after']]).toEqual([429, '30']);
  expect(used().toSorted()).toEqual(KEYS.toSorted());
});

test('a single key is used although it was refused, and an answer wakes it', async () => {
  await start(['key-number-one-0001']);
  refusals = { 'key-number-one-0001': json(401, { error: { message: 'bad key' } }) };
  expect((await ask('a')).status).toBe(401);
  expect((await ask('a')).status).toBe(401);
  expect((await keyStates())[0]?.state).toBe('resting');
  refusals = {};
  expect((await ask('a')).status).toBe(200);
  expect((await keyStates())[0]?.state).toBe('ready');
});

test('a provider whose only key was refused is passed over for the next provider', async () => {
  await start(['key-number-one-0001'], true);
  refusals = { 'key-number-one-0001': json(401, { error: { message: 'bad key' } }) };
  expect((await ask('a')).text).toContain('from the spare');
  const record = app.nextRecord();
  expect((await ask('b')).headers['x-fallback']).toBe('1');
  expect(upstream.requests).toHaveLength(1);
  expect(await record).toMatchObject({
    attempts: 1,
    fallbacks: [{ from: 'one,one', reason: expect.stringContaining('bad key') }],
  });
});

test('a key that rests for longer than a date can say does not keep /health from answering', async () => {
  await start();
  const { keys, provider } = app.services.backends.of(app.services.config.provider);
  keys.coolDown(provider.key, 1e33, 'slow down');
  const answer = await call(`${app.url}/health`);
  expect(answer.status).toBe(200);
  expect(answer.text).toContain('"until":"+275760-09-13T00:00:00.000Z"');
});
