import { afterEach, expect, test } from 'vitest';
import { type FakeUpstream, json, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { call, message, type TestApp } from '../helpers/startApp.ts';
import { provider, startProviders } from '../helpers/startProviders.ts';

let upstream: FakeUpstream;
let spare: FakeUpstream;
let app: TestApp;

async function start(settings: Record<string, string> = {}): Promise<void> {
  upstream = await startFakeUpstream({
    best: json(503, { error: { message: 'overloaded' } }),
    good: words('from good'),
    small: words('from small'),
  });
  spare = await startFakeUpstream({ '*': words('from two') });
  app = await startProviders(
    {
      providers: [
        provider('one', upstream.url, { models: { big: ['best', 'good'], small: 'small' }, quirks: { vision: false } }),
        provider('two', spare.url, { priority: 2, models: { big: ['other', 'another'], small: 'tiny' } }),
      ],
    },
    settings,
  );
}

afterEach(async () => {
  await app.close();
  await upstream.close();
  await spare.close();
});

const ask = (model: string, fields: Record<string, unknown> = {}, path = '/v1/messages') =>
  call(`${app.url}${path}`, message(model, { stream: true, ...fields }));
const models = () => [...upstream.requests, ...spare.requests].map(({ body }) => body.model);

test('the next model of the same provider is asked before the next provider', async () => {
  await start();
  const record = app.nextRecord();
  const answer = await ask('claude-opus-5');
  expect(answer.text).toContain('from good');
  expect(answer.headers).toMatchObject({ 'x-provider': 'one', 'x-fallback': '1' });
  expect(models()).toEqual(['best', 'good']);
  expect(await record).toMatchObject({ upstream_model: 'good', fallbacks: [{ from: 'one,best' }] });
});

test('a chat completions client gets the same', async () => {
  await start();
  const answer = await ask('claude-opus-5', { stream: false }, '/v1/chat/completions');
  expect(answer.text).toContain('from good');
  expect(answer.headers['x-fallback']).toBe('1');
});

test('a model that the client names has no spare', async () => {
  await start({ MAX_RETRIES: '0' });
  expect((await ask('claude-test--best')).status).toBe(529);
  expect((await ask('two,another')).text).toContain('from two');
  expect(models()).toEqual(['best', 'another']);
});

test('the model list has the models of all providers by the names that can be asked for', async () => {
  await start();
  const { data } = JSON.parse((await call(`${app.url}/v1/models`)).text);
  const ids = data.map(({ id }: { id: string }) => id);
  expect(ids).toEqual(expect.arrayContaining(['best', 'good', 'two,other', 'claude-test--two,another']));
  expect((await ask('claude-test--two,another')).text).toContain('from two');
  expect(models()).toEqual(['another']);
});

const thinking = { thinking: { type: 'enabled', budget_tokens: 2000 }, max_tokens: 3000 };
const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } };

test.each<[string, Record<string, string>, string, Record<string, unknown>, string, string]>([
  ['background', { ROUTER_BACKGROUND: 'two,tiny' }, 'claude-haiku-4-5', {}, 'tiny', 'background'],
  ['thinking', { ROUTER_THINK: 'good' }, 'claude-opus-5', thinking, 'good', 'think'],
  [
    'a long input',
    { ROUTER_LONG_CONTEXT: 'two,another', LONG_CONTEXT_THRESHOLD: '1k' },
    'claude-opus-5',
    { system: 'word '.repeat(3000) },
    'another',
    'long_context',
  ],
  [
    'images for a model that does not see them',
    { ROUTER_IMAGE: 'two,other' },
    'claude-haiku-4-5',
    { messages: [{ role: 'user', content: [image] }] },
    'other',
    'image',
  ],
])('ROUTER: %s', async (_what, settings, model, fields, expected, intent) => {
  await start(settings);
  const record = app.nextRecord();
  expect((await ask(model, fields)).status).toBe(200);
  expect(models()).toEqual([expected]);
  expect(await record).toMatchObject({ route: intent });
});

test('ROUTER_SUBAGENT goes by the header of the client', async () => {
  await start({ ROUTER_SUBAGENT: 'two,another' });
  const { body } = message('claude-haiku-4-5', { stream: true });
  const headers = { 'content-type': 'application/json', 'x-claude-code-agent-id': 'agent-1' };
  await call(`${app.url}/v1/messages`, { method: 'POST', headers, body });
  expect(models()).toEqual(['another']);
});

test('a target that fails is replaced by the models of the tier', async () => {
  await start({ ROUTER_THINK: 'best' });
  expect((await ask('claude-haiku-4-5', thinking)).text).toContain('from small');
  expect(models()).toEqual(['best', 'small']);
});

const dryRun = async () => JSON.parse((await ask('claude-opus-5', thinking, '/v1/messages/test_conversion')).text);

test('the dry run shows the decision and its candidates, and asks nobody', async () => {
  await start({ ROUTER_THINK: 'two,another' });
  expect(await dryRun()).toMatchObject({
    tier: 'big',
    intent: 'think',
    reason: 'ROUTER_THINK: thinking is asked for',
    provider: 'two',
    model: 'another',
    url: `${spare.url}/chat/completions`,
    request: { model: 'another' },
    candidates: [
      { name: 'two,another', provider: 'two', model: 'another', skipped: null },
      { name: 'best', provider: 'one', model: 'best', skipped: null },
      { name: 'good', provider: 'one', model: 'good', skipped: null },
      { name: 'two,other', provider: 'two', model: 'other', skipped: null },
    ],
  });
  expect(models()).toEqual([]);
});

test('the dry run shows which candidates are skipped, and why', async () => {
  await start({ ROUTER_THINK: 'two,another' });
  const { config, backends } = app.services;
  const { keys } = backends.of(config.providers[1]?.provider ?? config.provider);
  keys.coolDown(
    keys.choose(() => ''),
    60_000,
    'bad key',
  );
  const described = await dryRun();
  expect(described).toMatchObject({ model: 'best', request: { model: 'best' } });
  expect(described.candidates.map(({ skipped }: { skipped: string | null }) => skipped)).toEqual([
    expect.stringMatching(/ rests: bad key$/),
    null,
    null,
    expect.stringMatching(/ rests: bad key$/),
  ]);
});
