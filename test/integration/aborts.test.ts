import { once } from 'node:events';
import { type ClientRequest, request as httpRequest, type ServerResponse } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createGzip } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Behaviour,
  delta,
  type FakeUpstream,
  frame,
  json,
  openEvents,
  startFakeUpstream,
} from '../helpers/fakeUpstream.ts';
import { message, startApp, type TestApp } from '../helpers/startApp.ts';

const LONG = process.env['LONG'] !== undefined;
const ABORTS = LONG ? 10_000 : 200;
const AT_ONCE = 16;
/** Long enough for pools, caches and compiled code to have reached their size. */
const WARM_UP = 2000;
/** No limit of the product: how long the test waits for a socket that does not close. */
const GIVE_UP_MS = 5000;
/** p99, in the long mode (L7). */
const CLOSED_WITHIN_MS = 100;
const HEAP_GROWTH_MAX = 8 * 1024 * 1024;

const half = frame(delta({ content: 'half' }));
const call = { index: 0, id: 'a', type: 'function', function: { name: 'Read', arguments: '{"file_path":"/unfin' } };

const begins =
  (text: string): Behaviour =>
  (response) => {
    openEvents(response);
    response.write(text);
  };
const compressed: Behaviour = (response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' });
  const gzip = createGzip();
  gzip.on('data', (bytes) => response.write(bytes));
  gzip.write(half);
  gzip.flush();
};
const floods: Behaviour = (response) => {
  openEvents(response);
  const more = () => {
    while (!response.destroyed && response.write(half.repeat(100)));
  };
  response.on('drain', more);
  more();
};

const behaviours: Record<string, Behaviour> = {
  'silent-before-headers': () => {},
  'silent-after-headers': begins(''),
  'silent-in-text': begins(half),
  'silent-in-arguments': begins(frame(delta({ tool_calls: [call] }))),
  'silent-after-finish': begins(half + frame(delta({}, 'stop'))),
  compressed,
  floods,
  'waits-to-repeat': json(429, { error: { message: 'wait' } }, { 'retry-after': '5' }),
};

/** When the client goes: with its request still on the way, when the provider has it, or in the middle of the answer. */
type Stage = 'at once' | 'when asked' | 'in the answer';

const plans: readonly (readonly [model: string, stream: boolean, stages: readonly Stage[]])[] = [
  ['silent-before-headers', true, ['at once', 'when asked']],
  ['silent-before-headers', false, ['at once', 'when asked']],
  ['silent-after-headers', true, ['at once', 'when asked']],
  ['silent-in-text', true, ['at once', 'when asked', 'in the answer']],
  ['silent-in-text', false, ['at once', 'when asked']],
  ['silent-in-arguments', true, ['when asked', 'in the answer']],
  ['silent-after-finish', true, ['when asked', 'in the answer']],
  ['compressed', true, ['when asked', 'in the answer']],
  ['floods', true, ['when asked', 'in the answer']],
  ['floods', false, ['when asked']],
  ['waits-to-repeat', true, ['at once', 'when asked']],
];

/** The same pseudo-random numbers in every run (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
const random = createRandom(20_261_120);
const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;

/** What the provider saw of one client, found again by the words of its request. */
interface Seen {
  readonly asked: Promise<void>;
  onAsked: () => void;
  requests: number;
  open: number;
  closedAt: number;
}

const seen = new Map<string, Seen>();

function expectClient(words: string): Seen {
  let onAsked = () => {};
  const asked = new Promise<void>((resolve) => {
    onAsked = resolve;
  });
  const client: Seen = { asked, onAsked, requests: 0, open: 0, closedAt: 0 };
  seen.set(words, client);
  return client;
}

function watch(client: Seen, response: ServerResponse): void {
  client.requests += 1;
  client.open += 1;
  response.on('close', () => {
    client.open -= 1;
    client.closedAt = performance.now();
  });
  client.onAsked();
}

/** All requests and all ends of them, also of clients whose request came through only after they had gone. */
let opened = 0;
let closed = 0;
const observed =
  (behave: Behaviour): Behaviour =>
  (response: ServerResponse, received) => {
    const client = seen.get(String(received.body.messages.at(-1)?.content));
    opened += 1;
    response.on('close', () => {
      closed += 1;
    });
    if (client !== undefined) watch(client, response);
    return behave(response, received);
  };

let upstream: FakeUpstream;
let app: TestApp;

beforeAll(async () => {
  upstream = await startFakeUpstream(
    Object.fromEntries(Object.entries(behaviours).map(([name, behave]) => [name, observed(behave)])),
  );
  app = await startApp({
    OPENAI_BASE_URL: upstream.url,
    BIG_MODEL: 'x',
    SMALL_MODEL: 'x',
    QUIRK_USAGE_WAIT_MS: '60000',
  });
});

afterAll(async () => {
  await app.close();
  await upstream.close();
});

async function goAt(stage: Stage, request: ClientRequest, client: Seen): Promise<void> {
  if (stage === 'at once') {
    await once(request, 'finish');
  } else if (stage === 'when asked') {
    await client.asked;
  } else {
    const [response] = await once(request, 'response');
    await once(response, 'data');
  }
  // Some turns later, so that the abort falls between other events than those that were waited for.
  for (let turns = Math.floor(random() * 4); turns > 0; turns -= 1) await new Promise(setImmediate);
}

/** One client that goes away; gives the time until the provider's socket closed, in ms, where one was open. */
async function abortOne(index: number): Promise<number | undefined> {
  const [model, stream, stages] = pick(plans);
  const words = `client ${index}`;
  const client = expectClient(words);
  const { headers = {}, body } = message(model, { stream, messages: [{ role: 'user', content: words }] });
  const request = httpRequest(`${app.url}/v1/messages`, { method: 'POST', headers, agent: false });
  request.on('error', () => {});
  request.end(body);
  await goAt(pick(stages), request, client);
  const wasOpen = client.open > 0;
  const goneAt = performance.now();
  request.destroy();
  while (client.open > 0) {
    if (performance.now() - goneAt > GIVE_UP_MS)
      throw new Error(`${model} is still open long after its client has gone`);
    await new Promise(setImmediate);
  }
  seen.delete(words);
  expect(client.requests).toBeLessThanOrEqual(1);
  return wasOpen ? client.closedAt - goneAt : undefined;
}

async function abortMany(from: number, to: number): Promise<number[]> {
  const times: number[] = [];
  let next = from;
  const work = async () => {
    while (next < to) {
      const index = next;
      next += 1;
      const time = await abortOne(index);
      if (time !== undefined) times.push(time);
      // What tests keep for their own reading must not be taken for a leak.
      app.log.length = 0;
      upstream.requests.length = 0;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  await untilQuiet();
  return times.sort((one, other) => one - other);
}

/** Resolves when nothing is under way any more, neither here nor at the provider. */
async function untilQuiet(): Promise<void> {
  for (let quiet = 0; quiet < 20; ) {
    await new Promise(setImmediate);
    quiet = closed === opened && app.services.stats.snapshot().inFlight === 0 ? quiet + 1 : 0;
  }
}

async function heapAfterCollection(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 4; round += 1) {
    collect();
    await new Promise(setImmediate);
  }
  return process.memoryUsage().heapUsed;
}

test('L7 R320 every client that goes, at whatever stage, closes the provider’s socket', {
  timeout: 600_000,
}, async () => {
  const warnings: string[] = [];
  const onWarning = (warning: Error) => warnings.push(String(warning));
  process.on('warning', onWarning);

  const warmUp = LONG ? WARM_UP : 0;
  await abortMany(0, warmUp);
  const before = await heapAfterCollection();
  const times = await abortMany(warmUp, warmUp + ABORTS);
  const grown = (await heapAfterCollection()) - before;

  const at = (share: number) => times[Math.floor((times.length - 1) * share)]?.toFixed(1);
  console.info(
    `${ABORTS} aborts, ${times.length} with an open socket: closed after p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ` +
      `at most ${at(1)} ms; heap ${(grown / 1024 / 1024).toFixed(1)} MiB more`,
  );
  expect(times.length).toBeGreaterThan(ABORTS / 3);
  expect(closed).toBe(opened);
  expect(app.services.inFlight.size).toBe(0);
  expect(app.services.stats.snapshot().inFlight).toBe(0);
  if (LONG) {
    expect(grown).toBeLessThan(HEAP_GROWTH_MAX);
    expect(times[Math.floor((times.length - 1) * 0.99)]).toBeLessThanOrEqual(CLOSED_WITHIN_MS);
  }
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});
