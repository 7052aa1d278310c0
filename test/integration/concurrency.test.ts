import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { FallbackRunner } from '../../src/gateway/fallback/fallbackRunner.ts';
import type { RequestContext } from '../../src/gateway/requestContext.ts';
import { DISCARD } from '../../src/upstream/exchange.ts';
import {
  type Behaviour,
  delta,
  type FakeUpstream,
  frame,
  openEvents,
  startFakeUpstream,
} from '../helpers/fakeUpstream.ts';
import { call, message, open, readEvents, startApp, type TestApp } from '../helpers/startApp.ts';

let upstream: FakeUpstream;
let app: TestApp;
/** Each lets one answer end. */
let finish: (() => void)[] = [];

const held: Behaviour = async (response) => {
  await new Promise<void>((resolve) => finish.push(resolve));
  openEvents(response);
  response.end(`${frame(delta({ content: 'done' }))}${frame(delta({}, 'stop'))}data: [DONE]\n\n`);
};

async function start(settings: Record<string, string>): Promise<void> {
  finish = [];
  upstream = await startFakeUpstream({ held });
  app = await startApp({ OPENAI_BASE_URL: upstream.url, BIG_MODEL: 'held', SMALL_MODEL: 'held', ...settings });
}

afterEach(async () => {
  await app.close();
  await upstream.close();
});

const ask = () => call(`${app.url}/v1/messages`, message('held', { stream: true }));
const queue = async () => JSON.parse((await call(`${app.url}/health`)).text).queue;

async function untilQueue(running: number, waiting: number): Promise<void> {
  await expect.poll(queue).toEqual({ running, waiting });
}

test('L8 MAX_CONCURRENT holds requests back, MAX_QUEUE refuses the rest at once, and nobody is lost', async () => {
  await start({ MAX_CONCURRENT: '1', MAX_QUEUE: '1' });
  const first = ask();
  await untilQueue(1, 0);
  const second = ask();
  await untilQueue(1, 1);
  const refused = await ask();
  expect(refused.status).toBe(529);
  expect(refused.headers['retry-after']).toBe('5');
  expect(JSON.parse(refused.text).error).toEqual({
    type: 'overloaded_error',
    message: '[test] 1 requests are under way (MAX_CONCURRENT) and 1 more are waiting',
  });
  expect(upstream.requests).toHaveLength(1);
  finish[0]?.();
  expect((await first).text).toContain('done');
  await expect.poll(() => finish.length).toBe(2);
  finish[1]?.();
  expect((await second).text).toContain('done');
  await untilQueue(0, 0);
});

test('R321 who waits for a slot is kept waiting by pings', async () => {
  await start({ MAX_CONCURRENT: '1', QUIRK_PING_MS: '100', QUIRK_HEADER_WAIT_MS: '100' });
  const first = ask();
  await untilQueue(1, 0);
  const response = await open(`${app.url}/v1/messages`, message('held', { stream: true }));
  response.setEncoding('utf8');
  let text = '';
  response.on('data', (part: string) => {
    text += part;
    if (text.split('event: ping').length > 2) for (const end of finish) end();
  });
  await once(response, 'end');
  await first;
  expect(
    readEvents(text)
      .slice(0, 2)
      .map(([type]) => type),
  ).toEqual(['ping', 'ping']);
  expect(readEvents(text).at(-1)?.[0]).toBe('message_stop');
});

test('R320 who goes while waiting leaves the queue, and the provider never hears of it', async () => {
  await start({ MAX_CONCURRENT: '1', QUIRK_HEADER_WAIT_MS: '100' });
  const first = ask();
  await untilQueue(1, 0);
  const response = await open(`${app.url}/v1/messages`, message('held', { stream: true }));
  await untilQueue(1, 1);
  const record = app.nextRecord();
  response.destroy();
  expect(await record).toMatchObject({ outcome: 'client_closed', attempts: 0 });
  await untilQueue(1, 0);
  finish[0]?.();
  await first;
  expect(upstream.requests).toHaveLength(1);
});

test('R320 who has gone before the queue is reached does not wait in it', async () => {
  await start({ MAX_CONCURRENT: '1', MAX_QUEUE: '1' });
  const first = ask();
  await untilQueue(1, 0);
  await expect.poll(() => finish.length).toBe(1);
  const { services } = app;
  const { limiter } = services.backends.of(services.config.provider);
  const controller = new AbortController();
  const context = { services, signal: controller.signal, record: {} } as unknown as RequestContext;
  const runner = new FallbackRunner(
    context,
    {
      candidates: [services.config.modelRefs.of('held')],
      conversation: () => '',
      decision: { rule: 'named', tier: 'none', model: services.config.modelRefs.of('held'), reason: '' },
    },
    () => {
      throw new Error('nobody is asked');
    },
  );
  controller.abort();
  expect(await runner.run(DISCARD)).toEqual({ kind: 'aborted' });
  expect(limiter.waiting).toBe(0);
  finish[0]?.();
  await first;
});
