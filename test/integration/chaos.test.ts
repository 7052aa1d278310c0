import { afterAll, beforeAll, expect, test } from 'vitest';
import { isObject } from '../../src/core/json.ts';
import { createCertificate } from '../helpers/certificate.ts';
import { type Break, type Chaos, type ChaosProxy, startChaosProxy } from '../helpers/chaosProxy.ts';
import { checkEvents, type MessageEvent } from '../helpers/eventGrammar.ts';
import { type Behaviour, delta, type FakeUpstream, frame, json, startFakeUpstream } from '../helpers/fakeUpstream.ts';
import { startRawUpstream } from '../helpers/rawUpstream.ts';
import { type Answer, call, message, startApp, type TestApp } from '../helpers/startApp.ts';

/** A connection to the provider that misbehaves below HTTP, before and after the first byte, at many places of the answer. */
const WORDS = ['Some', ' words', ' of an', ' answer, äöü 你好 😀', ' and its end.'];
const TEXT = WORDS.join('');
const tool = { index: 0, id: 'a', type: 'function', function: { name: 'Read', arguments: '{"file_path":"/a/b"}' } };
const usage = { prompt_tokens: 10, completion_tokens: 5 };

const answer: Behaviour = (response, request) => {
  response.setHeader('connection', 'close');
  if (request.body['stream'] !== true) {
    const { index: _, ...whole } = tool;
    const said = { role: 'assistant', content: TEXT, tool_calls: [whole] };
    return json(200, { choices: [{ index: 0, message: said, finish_reason: 'tool_calls' }], usage })(response, request);
  }
  const chunks = [
    ...WORDS.map((content) => delta({ content })),
    delta({ tool_calls: [tool] }),
    delta({}, 'tool_calls'),
    { choices: [], usage },
  ];
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const chunk of chunks) response.write(frame(chunk));
  response.end('data: [DONE]\n\n');
};

let upstream: FakeUpstream;
let chaos: ChaosProxy;
let app: TestApp;

beforeAll(async () => {
  upstream = await startFakeUpstream({ model: answer });
  chaos = await startChaosProxy(Number(new URL(upstream.url).port));
  app = await startApp({
    OPENAI_BASE_URL: `http://127.0.0.1:${chaos.port}/v1`,
    BIG_MODEL: 'model',
    SMALL_MODEL: 'model',
    MAX_RETRIES: '0',
    REQUEST_TIMEOUT: '2',
    QUIRK_IDLE_TIMEOUT_MS: '500',
    QUIRK_USAGE_WAIT_MS: '100',
  });
});

afterAll(async () => {
  await app.close();
  await chaos.close();
  await upstream.close();
});

interface Ended {
  readonly status: number;
  /** Whether everything came, and a proper end. */
  readonly isWhole: boolean;
}

function deltasOf(events: readonly MessageEvent[], field: string): string {
  return events.map(({ data }) => (isObject(data['delta']) ? (data['delta'][field] ?? '') : '')).join('');
}

function checkBody({ text, status }: Answer): Ended {
  const body = JSON.parse(text);
  if (status === 200) {
    expect(body.content).toMatchObject([{ text: TEXT }, { name: 'Read', input: { file_path: '/a/b' } }]);
    return { status, isWhole: true };
  }
  expect(body).toMatchObject({ type: 'error', error: { type: expect.stringMatching(/_error$/) } });
  return { status, isWhole: false };
}

/** Asks through the chaos and checks that whatever comes is legal: all of the answer, or a beginning of it and an error. */
async function ask(stream: boolean): Promise<Ended> {
  const got = await call(`${app.url}/v1/messages`, message('model', { stream }));
  expect(app.services.inFlight.size).toBe(0);
  if (!stream || got.status !== 200) {
    expect([200, 502, 504, 529]).toContain(got.status);
    return checkBody(got);
  }
  const events = checkEvents(got.text);
  const isWhole = events.at(-1)?.type === 'message_stop';
  const text = deltasOf(events, 'text');
  expect(TEXT.startsWith(text)).toBe(true);
  if (isWhole) {
    expect(text).toBe(TEXT);
    expect(JSON.parse(deltasOf(events, 'partial_json'))).toEqual({ file_path: '/a/b' });
  }
  return { status: 200, isWhole };
}

async function lengthOfAnswer(stream: boolean): Promise<number> {
  chaos.plan({});
  expect(await ask(stream)).toEqual({ status: 200, isWhole: true });
  return chaos.passed();
}

const ways = [true, false];
const breaks = ways.flatMap((stream) => (['reset', 'end'] as const).map((how) => ({ stream, how })));

test.each(breaks)(
  'U3 U6 U7 U8 a connection that breaks with a $how anywhere in the answer (stream $stream)',
  async ({ stream, how }) => {
    const length = await lengthOfAnswer(stream);
    const statuses = new Set<number>();
    for (let at = 0; at < length; at += 23) {
      chaos.plan({ answers: { breakAfter: at, how } });
      const { status } = await ask(stream);
      statuses.add(status);
    }
    // Before the first event there is a status to report it with; after it only the stream itself.
    expect([...statuses]).toContain(529);
    expect(statuses.has(200)).toBe(stream);
    chaos.plan({ answers: { breakAfter: length, how } });
    expect((await ask(stream)).isWhole).toBe(true);
  },
);

test.each(ways)('U4 U5 a connection that goes silent anywhere is given up at its limit (stream %s)', async (stream) => {
  const length = await lengthOfAnswer(stream);
  for (const share of [0, 0.5, 0.8]) {
    chaos.plan({ answers: { breakAfter: Math.floor(length * share), how: 'black hole' } });
    const { status, isWhole } = await ask(stream);
    expect(isWhole).toBe(false);
    expect(share === 0 || !stream ? [504] : [200, 504]).toContain(status);
  }
});

test.each([
  ['requests that go nowhere', 'black hole', 504],
  ['a reset while the request is sent', 'reset', 529],
  ['an end while the request is sent', 'end', 504],
] as const)('U3 U4 %s', async (_name, how: Break, status) => {
  for (const breakAfter of [0, 50]) {
    chaos.plan({ requests: { breakAfter, how } });
    expect(await ask(true)).toEqual({
      status: expect.toSatisfy((seen) => [status, 529].includes(seen)),
      isWhole: false,
    });
  }
});

const slow: Record<string, Chaos> = {
  'single bytes': { sliceBytes: 1 },
  'pieces of seven bytes': { sliceBytes: 7 },
  latency: { latencyMs: 60 },
  'a narrow line': { sliceBytes: 50, bytesPerSecond: 10_000 },
};

test.each(Object.entries(slow).flatMap(([name, way]) => ways.map((stream) => ({ name, way, stream }))))(
  '$name change nothing (stream $stream)',
  async ({ way, stream }) => {
    chaos.plan({ answers: way });
    expect(await ask(stream)).toEqual({ status: 200, isWhole: true });
  },
);

test('U14 a connection that breaks while TLS is agreed on is an error with a status', async () => {
  const server = await startRawUpstream(() => {}, createCertificate('localhost'));
  const line = await startChaosProxy(server.port);
  const secure = await startApp({
    OPENAI_BASE_URL: `https://localhost:${line.port}/v1`,
    BIG_MODEL: 'model',
    SMALL_MODEL: 'model',
    MAX_RETRIES: '0',
  });
  for (const how of ['reset', 'end'] as const) {
    line.plan({ answers: { breakAfter: 100, how } });
    expect((await call(`${secure.url}/v1/messages`, message('model'))).status).toBe(529);
  }
  await secure.close();
  await line.close();
  await server.close();
});
