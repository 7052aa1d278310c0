import { request } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import {
  type Behaviour,
  delta,
  type FakeUpstream,
  frame,
  inTurn,
  json,
  openEvents,
  startFakeUpstream,
  words,
} from '../helpers/fakeUpstream.ts';
import { type Answer, call, message, readEvents, type Settings, type TestApp } from '../helpers/startApp.ts';
import { type ProvidersFile, provider, startProviders } from '../helpers/startProviders.ts';

let first: FakeUpstream;
let second: FakeUpstream;
let app: TestApp;

const limited = (seconds: string) => json(429, { error: { message: 'slow down' } }, { 'retry-after': seconds });
const broken = json(500, { error: { message: 'boom' } });
const silent: Behaviour = () => {};
const opensAndHangs: Behaviour = (response) => openEvents(response);

/** An instance with two providers, `one` before `two`. */
async function start(
  one: Behaviour,
  two: Behaviour,
  settings: Settings = {},
  file: Partial<ProvidersFile> & { readonly one?: Record<string, unknown> } = {},
): Promise<void> {
  first = await startFakeUpstream({ '*': one });
  second = await startFakeUpstream({ '*': two });
  const { one: fields, ...rest } = file;
  const providers = [provider('one', first.url, fields), provider('two', second.url, { priority: 2 })];
  app = await startProviders({ providers, ...rest }, settings);
}

afterEach(async () => {
  await app.close();
  await first.close();
  await second.close();
});

const ask = (stream: boolean, fields: Record<string, unknown> = {}) =>
  call(`${app.url}/v1/messages`, message('claude-opus-5', { stream, ...fields }));

const errorOf = (answer: Answer) => JSON.parse(answer.text).error;
const asked = () => [first.requests.length, second.requests.length];

const failures: readonly (readonly [string, Behaviour])[] = [
  ['a connection that breaks', (response) => void response.destroy()],
  ['429 with a long retry-after', limited('30')],
  ['429 without a retry-after', json(429, { error: { message: 'slow down' } })],
  ['500', broken],
  ['502 with a page', json(502, '<html><title>Bad Gateway</title></html>')],
  ['401', json(401, { error: { message: 'bad key' } })],
  ['402', json(402, { error: { message: 'Insufficient balance' } })],
  ['403', json(403, { error: { message: 'not in your plan' } })],
  ['404 for the model', json(404, { error: { message: 'model not found' } })],
  [
    'an error in the first event',
    (response) => {
      openEvents(response);
      response.end('data: {"error":{"message":"overloaded","code":503}}\n\n');
    },
  ],
  [
    'an end before the first event',
    (response) => {
      openEvents(response);
      response.end();
    },
  ],
];

test.each(failures.flatMap(([what, one]) => [true, false].map((stream) => [what, stream, one] as const)))(
  '%s (stream %s) goes to the next provider at the first try',
  async (_what, stream, one) => {
    await start(one, words('from two'));
    const record = app.nextRecord();
    const answer = await ask(stream);
    expect(answer.status).toBe(200);
    expect(answer.text).toContain('from two');
    expect(answer.headers).toMatchObject({ 'x-provider': 'two', 'x-fallback': '1' });
    expect(asked()).toEqual([1, 1]);
    expect(await record).toMatchObject({
      outcome: 'ok',
      provider: 'two',
      upstream_model: 'two',
      attempts: 2,
      fallbacks: [{ from: 'one,one', reason: expect.stringContaining('[one') }],
    });
    const reported = app.log.filter(({ level, from }) => level === 'warn' && from === 'one,one');
    expect(reported).toEqual([expect.objectContaining({ to: 'two,two', id: answer.headers['request-id'] })]);
  },
);

test('a provider that nobody listens for is passed to the next', async () => {
  await start(words('never'), words('from two'), {}, { one: { base_url: 'http://127.0.0.1:9/v1' } });
  expect((await ask(true)).text).toContain('from two');
  expect(asked()).toEqual([0, 1]);
});

test('429 with a short retry-after is waited for, and the provider keeps its prompt cache', async () => {
  await start(inTurn(limited('0'), words('from one')), words('from two'));
  const answer = await ask(true);
  expect(answer.text).toContain('from one');
  expect(answer.headers['x-fallback']).toBeUndefined();
  expect(asked()).toEqual([2, 0]);
});

test('max_retries of a provider repeats there first', async () => {
  await start(inTurn(broken, broken, words('from one')), words('from two'), {}, { one: { max_retries: 2 } });
  expect((await ask(true)).text).toContain('from one');
  expect(asked()).toEqual([3, 0]);
});

test.each([true, false])(
  'a provider that hangs before its answer is given up after its timeout (stream %s)',
  async (stream) => {
    await start(silent, words('from two'), {}, { one: { timeout: 1 } });
    expect((await ask(stream)).text).toContain('from two');
    expect(asked()).toEqual([1, 1]);
  },
);

test('without a stream the timeout holds alone, and one above FALLBACK_SECONDS leaves no time for the next', async () => {
  await start(silent, words('from two'), { FALLBACK_SECONDS: '1', MAX_RETRIES: '0' }, { one: { timeout: 2 } });
  const answer = await ask(false);
  expect([answer.status, errorOf(answer).message]).toEqual([504, expect.stringContaining('(REQUEST_TIMEOUT)')]);
  expect(asked()).toEqual([1, 0]);
});

test.each([
  ['its head', silent],
  ['its first event', opensAndHangs],
])('a provider that hangs before %s is given up while there is time for the next', async (_what, one) => {
  await start(one, words('from two'), { FALLBACK_SECONDS: '2' });
  expect((await ask(true)).headers).toMatchObject({ 'x-provider': 'two', 'x-fallback': '1' });
  expect(asked()).toEqual([1, 1]);
});

test('a provider that hangs before the first event is given up, pings meanwhile, and no event of it is seen', async () => {
  const quirks = { idle_timeout_ms: 600, header_wait_ms: 100, ping_ms: 100 };
  await start(opensAndHangs, words('from two'), {}, { one: { quirks } });
  const answer = await ask(true);
  const types = readEvents(answer.text).map(([type]) => type);
  expect(types[0]).toBe('ping');
  expect(types.filter((type) => type === 'message_start')).toHaveLength(1);
  expect(types.at(-1)).toBe('message_stop');
  // The head was out before anybody knew who would answer.
  expect(answer.headers['x-provider']).toBeUndefined();
});

test('R319 a provider that dies after the first event is not replaced: the answer ends in an error event', async () => {
  await start((response) => {
    openEvents(response);
    response.write(frame(delta({ content: 'half' })), () => response.destroy());
  }, words('from two'));
  const record = app.nextRecord();
  const answer = await ask(true);
  expect(answer.status).toBe(200);
  expect(answer.headers['x-provider']).toBe('one');
  expect(readEvents(answer.text).at(-1)?.[0]).toBe('error');
  expect(answer.text).not.toContain('message_stop');
  expect(asked()).toEqual([1, 0]);
  expect(await record).toMatchObject({ outcome: 'interrupted', provider: 'one' });
});

test.each([
  ['400', json(400, { error: { message: 'no such parameter' } }), 400],
  ['422', json(422, { error: { message: 'no such parameter' } }), 400],
  ['413', json(413, { error: { message: 'too large' } }), 413],
] as const)('a client’s bad request (%s) asks nobody else and disables nothing', async (_what, one, status) => {
  await start(one, words('from two'));
  for (let time = 0; time < 3; time += 1) {
    const answer = await ask(true);
    expect(answer.status).toBe(status);
    expect(errorOf(answer).message).toContain('[one');
  }
  expect(asked()).toEqual([3, 0]);
  const { providers } = JSON.parse((await call(`${app.url}/health`)).text);
  for (const { circuit, keys } of providers) expect([circuit, keys[0].state]).toEqual(['closed', 'ready']);
});

test('a request that cannot be translated asks nobody at all', async () => {
  await start(words('from one'), words('from two'));
  const record = app.nextRecord();
  expect((await ask(true, { messages: [{ role: 'nobody', content: 'x' }] })).status).toBe(400);
  expect(asked()).toEqual([0, 0]);
  expect(await record).toMatchObject({ outcome: 'rejected' });
});

test('when all fail, the client gets the first error, and who was tried', async () => {
  await start(broken, json(503, { error: { message: 'worse' } }), { MAX_RETRIES: '0' });
  const answer = await ask(true);
  expect(answer.status).toBe(529);
  expect(errorOf(answer).message).toBe('[one 500] boom (2 were tried in turn: one,one; two,two)');
});

test('when all are limited, the client gets the shortest wait', async () => {
  await start(limited('40'), limited('20'));
  const answer = await ask(true);
  expect([answer.status, answer.headers['retry-after']]).toEqual([429, '20']);
});

test('when one refuses the key and the other is busy, the client may try again', async () => {
  await start(json(401, { error: { message: 'bad key' } }), broken, { MAX_RETRIES: '0' });
  const answer = await ask(true);
  expect([answer.status, answer.headers['x-should-retry']]).toEqual([529, undefined]);
});

test.each([1, 2, 3])('one failing request makes at most MAX_ATTEMPTS=%i requests to providers', async (most) => {
  await start(broken, broken, { MAX_ATTEMPTS: String(most), MAX_RETRIES: '5' }, { one: { max_retries: 5 } });
  expect((await ask(true)).status).toBe(529);
  expect(first.requests.length + second.requests.length).toBe(most);
});

test('after FALLBACK_SECONDS nobody else is asked', async () => {
  await start(broken, words('from two'), { FALLBACK_SECONDS: '0', MAX_RETRIES: '0' });
  expect((await ask(true)).status).toBe(529);
  expect(asked()).toEqual([1, 0]);
});

test('R320 a client that goes while the second provider is asked ends that request, and nothing counts against it', async () => {
  await start(broken, silent);
  const record = app.nextRecord();
  const client = request(`${app.url}/v1/messages`, message('claude-opus-5', { stream: true }));
  client.on('error', () => {});
  client.end(message('claude-opus-5', { stream: true }).body);
  const received = await second.nextRequest();
  client.destroy();
  await received.closed;
  expect(await record).toMatchObject({ outcome: 'client_closed', attempts: 2, provider: 'two' });
});
