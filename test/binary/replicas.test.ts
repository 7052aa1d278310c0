import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Behaviour, type FakeUpstream, json, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { call, message } from '../helpers/startApp.ts';
import { type Binary, startBinary } from '../helpers/startBinary.ts';
import { provider } from '../helpers/startProviders.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';
import { waitUntil } from '../helpers/waitUntil.ts';

/** Two processes that know nothing of each other, each with a file of its own that says the same, and a balancer that tosses a coin. */
const NAMES = ['one', 'two', 'three'] as const;
const CONVERSATIONS = Array.from({ length: 40 }, (_, index) => `conversation-${index}`);
const FOLLOW_UPS = 9;
const behaviours = new Map<string, Behaviour>();
let upstreams: FakeUpstream[];
let replicas: Binary[];
let removeFolder: () => void;

beforeAll(async () => {
  const { path, remove } = temporaryFolder();
  removeFolder = remove;
  upstreams = await Promise.all(
    NAMES.map((name) =>
      startFakeUpstream({ '*': (response, request) => (behaviours.get(name) ?? words(name))(response, request) }),
    ),
  );
  const providers = NAMES.map((name, index) => provider(name, upstreams[index]?.url ?? ''));
  replicas = await Promise.all(
    ['first', 'second'].map((name) => {
      const file = join(path, `${name}.json`);
      writeFileSync(file, JSON.stringify({ fallback_strategy: 'round_robin', providers }), { mode: 0o600 });
      return startBinary({
        PROVIDERS_FILE: file,
        BREAKER_FAILURES: '2',
        BREAKER_SECONDS: '1',
        PERMISSION_MODEL: 'off',
      });
    }),
  );
});

afterAll(async () => {
  await Promise.all([...replicas.map((replica) => replica.stop()), ...upstreams.map((upstream) => upstream.close())]);
  removeFolder();
});

let lot = 1;
/** The same coin in each run. */
function toss(): Binary | undefined {
  lot = (lot * 48_271) % 2_147_483_647;
  return replicas[lot % 2];
}

async function ask(conversation: string): Promise<string> {
  const answer = await call(`${toss()?.url}/v1/messages`, {
    ...message('claude-opus-5', { stream: true }),
    headers: { 'content-type': 'application/json', 'x-claude-code-session-id': conversation },
  });
  expect(answer.status).toBe(200);
  return String(answer.headers['x-provider']);
}

/** Asks in each conversation in turn; by whom each was served, in order. */
async function talk(times: number): Promise<Map<string, string[]>> {
  const served = new Map(CONVERSATIONS.map((conversation) => [conversation, [] as string[]]));
  for (let time = 0; time < times; time += 1)
    for (const [conversation, names] of served) names.push(await ask(conversation));
  return served;
}

/** How often the provider of a conversation was not the one before. */
function changes(served: ReadonlyMap<string, readonly string[]>): number {
  const all = [...served.values()].map((names) =>
    names.filter((name, index) => index > 0 && name !== names[index - 1]),
  );
  return all.flat().length;
}

test('no follow-up changes the provider, whichever process gets it; an outage moves only the conversations of its provider, and each once', async () => {
  const calm = await talk(1 + FOLLOW_UPS);
  expect(CONVERSATIONS.length * FOLLOW_UPS).toBe(360);
  expect(changes(calm), 'of 360 follow-ups').toBe(0);
  const home = new Map([...calm].map(([conversation, names]) => [conversation, names[0]]));
  for (const name of NAMES) expect([...home.values()].filter((one) => one === name).length).toBeGreaterThan(4);

  behaviours.set('two', json(503, { error: { message: 'down' } }));
  const outage = await talk(FOLLOW_UPS);
  expect(changes(outage), 'of 320 during the outage').toBe(0);
  for (const [conversation, names] of outage) {
    if (home.get(conversation) === 'two') expect(names[0]).not.toBe('two');
    else expect(names[0]).toBe(home.get(conversation));
  }

  // It is back when it answers and no process keeps its circuit open any more: from then on each has its own conversations again.
  behaviours.delete('two');
  for (const { url } of replicas) {
    await waitUntil('the circuit lets a trial through', async () => {
      const { providers } = JSON.parse((await call(`${url}/health`)).text);
      return providers[1].circuit !== 'open';
    });
  }
  const back = await talk(FOLLOW_UPS);
  expect(changes(back), 'of 320 after the return').toBe(0);
  for (const [conversation, names] of back) expect(names[0]).toBe(home.get(conversation));
});
