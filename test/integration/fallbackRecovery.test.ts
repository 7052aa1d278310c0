import { afterEach, expect, test, vi } from 'vitest';
import { dueProviders, runHealthCheck, startHealthChecks } from '../../src/gateway/healthChecks.ts';
import {
  type Behaviour,
  delta,
  type FakeUpstream,
  frame,
  json,
  openEvents,
  startFakeUpstream,
  words,
} from '../helpers/fakeUpstream.ts';
import { call, message, type Settings, type TestApp } from '../helpers/startApp.ts';
import { provider, startProviders } from '../helpers/startProviders.ts';

let first: FakeUpstream;
let second: FakeUpstream;
let app: TestApp;
/** What the first provider does at the moment. */
let behaviour: Behaviour;

const broken = json(500, { error: { message: 'boom' } });
const BREAKER = { failures: 2, windowMs: 60_000, openMs: 300 };

async function start(
  fields: { readonly one?: Record<string, unknown>; readonly file?: Record<string, unknown> } = {},
  settings: Settings = {},
): Promise<void> {
  behaviour = broken;
  first = await startFakeUpstream({ '*': (response, request) => behaviour(response, request) });
  second = await startFakeUpstream({ '*': words('from two') });
  const providers = [provider('one', first.url, fields.one), provider('two', second.url, { priority: 2 })];
  app = await startProviders({ providers, ...fields.file }, settings, BREAKER);
}

afterEach(async () => {
  await app.close();
  await first.close();
  await second.close();
});

/** A request of a conversation of its own. */
const ask = (conversation: string) =>
  call(`${app.url}/v1/messages`, {
    ...message('claude-opus-5', { stream: true }),
    headers: { 'content-type': 'application/json', 'x-claude-code-session-id': conversation },
  });

const health = async () => JSON.parse((await call(`${app.url}/health`)).text).providers;
const circuit = async () => (await health())[0].circuit;
const servedBy = async (conversation: string) => (await ask(conversation)).headers['x-provider'];

test('5xx opens the circuit where there is another provider, one trial goes through later, and its answer closes it', async () => {
  await start();
  await ask('a');
  await ask('b');
  expect(await circuit()).toBe('open');
  const record = app.nextRecord();
  expect(await servedBy('c')).toBe('two');
  expect(await record).toMatchObject({ attempts: 1, fallbacks: [{ from: 'one,one', reason: 'its circuit is open' }] });
  expect(first.requests).toHaveLength(2);
  expect(app.log.filter((line) => String(line['message']).includes('left alone for a while'))).toHaveLength(1);

  await expect.poll(circuit).toBe('half-open');
  behaviour = words('from one');
  expect(await servedBy('d')).toBe('one');
  expect(await circuit()).toBe('closed');
  expect(app.log.some((line) => line['message'] === 'the provider answers again' && line['provider'] === 'one')).toBe(
    true,
  );
});

test('while the trial is under way the others go to the next provider, and its first event lets them back', async () => {
  await start();
  await ask('a');
  await ask('b');
  await expect.poll(circuit).toBe('half-open');
  const goOn: (() => void)[] = [];
  const held = () => new Promise<void>((resolve) => goOn.push(resolve));
  behaviour = async (response) => {
    await held();
    openEvents(response);
    response.write(frame(delta({ content: 'from' })));
    await held();
    response.end(`${frame(delta({ content: ' one' }, 'stop'))}data: [DONE]\n\n`);
  };
  const trial = servedBy('trial');
  await expect.poll(() => goOn.length).toBe(1);
  expect(await servedBy('other')).toBe('two');
  goOn[0]?.();
  await expect.poll(circuit).toBe('closed');
  behaviour = words('from one');
  expect(await servedBy('third')).toBe('one');
  goOn[1]?.();
  expect(await trial).toBe('one');
});

test('a failed trial goes to the next provider, and the circuit opens again', async () => {
  await start();
  await ask('a');
  await ask('b');
  await expect.poll(circuit).toBe('half-open');
  expect(await servedBy('c')).toBe('two');
  expect(first.requests).toHaveLength(3);
  expect(await circuit()).toBe('open');
});

test('when every circuit is open the client is asked to come back, and nobody is asked', async () => {
  await start();
  await ask('a');
  await ask('b');
  app.services.backends.list().forEach(({ breaker }) => {
    for (let time = 0; time < 2; time += 1) breaker.recordFailure({ waitMs: 0, isTrial: false });
  });
  const before = second.requests.length;
  const answer = await ask('c');
  expect(answer.status).toBe(529);
  expect(answer.headers['retry-after']).toBe('1');
  expect(JSON.parse(answer.text).error.message).toContain('[one] the provider could not be reached several times');
  expect(second.requests).toHaveLength(before);
});

test('a conversation that a quick failure has sent elsewhere is back at its own provider with the next request', async () => {
  await start();
  expect(await servedBy('mine')).toBe('two');
  behaviour = words('from one');
  expect(await servedBy('mine')).toBe('one');
});

test('where the model is not known a conversation stays with the next provider, and others still ask the first', async () => {
  await start();
  behaviour = json(404, { error: { message: 'The model does not exist', code: 'model_not_found' } });
  expect(await servedBy('mine')).toBe('two');
  behaviour = words('from one');
  expect(await servedBy('mine')).toBe('two');
  expect(await servedBy('new')).toBe('one');
});

test('a provider that has failed after a long wait is not waited for again by the same conversation', async () => {
  await start();
  let passed = 0;
  const { clock } = app.services;
  const monotonic = clock.monotonic.bind(clock);
  vi.spyOn(clock, 'monotonic').mockImplementation(() => monotonic() + passed);
  behaviour = (response, request) => {
    passed += 20_000;
    broken(response, request);
  };
  expect(await servedBy('mine')).toBe('two');
  vi.restoreAllMocks();
  behaviour = words('from one');
  passed = 0;
  expect(await servedBy('mine')).toBe('two');
  expect(await servedBy('new')).toBe('one');
});

test('without a session id the first message identifies the conversation', async () => {
  await start({ file: { fallback_strategy: 'round_robin' } });
  behaviour = words('from one');
  const say = (...texts: string[]) =>
    call(
      `${app.url}/v1/messages`,
      message('claude-opus-5', {
        messages: texts.map((content, index) => ({ role: index % 2 === 0 ? 'user' : 'assistant', content })),
      }),
    );
  const servers = async (...texts: string[]) => (await say(...texts)).headers['x-provider'];
  const begun = [await servers('hello'), await servers('good day')];
  expect(begun.toSorted()).toEqual(['one', 'two']);
  expect([await servers('hello', 'hi', 'how are you?'), await servers('good day', 'hi', 'so?')]).toEqual(begun);
});

/** Runs what has to be checked, once. */
const check = () => Promise.all(dueProviders(app.services).map((due) => runHealthCheck(app.services, due)));

const names = () => dueProviders(app.services).map(({ name }) => name);

test('a health check asks for the models with the key, and closes the circuit when there is an answer', async () => {
  await start();
  await ask('a');
  await ask('b');
  // Only who has not answered is asked.
  expect(names()).toEqual(['one']);
  await check();
  expect(await circuit()).toBe('open');

  // Nobody waits for the circuit to let a request through.
  behaviour = json(200, { data: [] });
  await check();
  expect(await circuit()).toBe('closed');
  expect(first.requests.at(-1)).toMatchObject({
    method: 'GET',
    path: '/v1/models',
    headers: { authorization: 'Bearer key-of-one-0001' },
  });
  expect(names()).toEqual([]);
});

test.each([
  ['404, as of a server without a list', json(404, { error: { message: 'Not Found' } }), 'closed', 'ready'],
  ['401', json(401, { error: { message: 'bad key' } }), 'closed', 'resting'],
  ['500', broken, 'open', 'ready'],
] as const)('a health check that is answered with %s', async (_what, answer, state, key) => {
  await start();
  behaviour = answer;
  await check();
  await check();
  const [one] = await health();
  expect([one.circuit, one.keys[0].state]).toEqual([state, key]);
});

test('a key may be kept from the list of models, and the list does not end the rest of one that is used up', async () => {
  await start();
  behaviour = json(403, { error: { message: 'Missing scopes: api.model.read' } });
  await check();
  const keyState = async () => (await health())[0].keys[0].state;
  expect([await circuit(), await keyState()]).toEqual(['closed', 'ready']);

  behaviour = json(429, { error: { message: 'limit of five hours' } }, { 'retry-after': '9000' });
  await ask('a');
  behaviour = json(200, { data: [] });
  await Promise.all(app.services.config.providers.map((one) => runHealthCheck(app.services, one)));
  expect(first.requests.at(-1)?.path).toBe('/v1/models');
  expect(await keyState()).toBe('resting');
});

test('health_check: request asks for one token in the words of the provider', async () => {
  await start({ file: { health_check: 'request' } });
  behaviour = words('Hi');
  await check();
  expect(first.requests[0]).toMatchObject({
    method: 'POST',
    path: '/v1/chat/completions',
    body: { model: 'one', max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] },
  });
});

test('health checks go on by themselves, and end when they are asked to', async () => {
  await start({ file: { health_check_interval: 1 } });
  const asked = first.nextRequest();
  // A random number of 0 makes the pause shortest: 0.8 s.
  const stop = startHealthChecks(app.live, () => 0);
  expect((await asked).path).toBe('/v1/models');
  stop();
});

test('a connection test begins with the first provider each time, and names who answered', async () => {
  await start();
  const test = async () => JSON.parse((await call(`${app.url}/test-connection`)).text);
  expect(await test()).toMatchObject({ status: 'success', provider: 'two', model_used: 'two' });
  behaviour = words('from one');
  expect(await test()).toMatchObject({ status: 'success', provider: 'one', model_used: 'one' });
});
