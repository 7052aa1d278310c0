import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { drained } from '../helpers/drained.ts';
import {
  type Behaviour,
  delta,
  type FakeUpstream,
  frame,
  openEvents,
  startFakeUpstream,
} from '../helpers/fakeUpstream.ts';
import { message, open, startApp, type TestApp } from '../helpers/startApp.ts';

const PIECE = 'x'.repeat(16 * 1024);
const PIECES = 3200; // 50 MB

/** How much the provider could hand over so far. */
let handedOver = 0;

const large: Behaviour = async (response) => {
  openEvents(response);
  const piece = frame(delta({ content: PIECE }));
  for (let index = 0; index < PIECES && !response.destroyed; index += 1) {
    const fits = response.write(piece);
    handedOver += PIECE.length;
    if (!fits) await drained(response);
  }
  response.end(`${frame(delta({}, 'stop'))}data: [DONE]\n\n`);
};

let upstream: FakeUpstream;
let app: TestApp;

beforeAll(async () => {
  upstream = await startFakeUpstream({ large });
  app = await startApp({
    OPENAI_BASE_URL: upstream.url,
    BIG_MODEL: 'large',
    SMALL_MODEL: 'large',
    QUIRK_IDLE_TIMEOUT_MS: '500',
  });
});

afterAll(async () => {
  await app.close();
  await upstream.close();
});

/** Waits until the provider can hand nothing more over, which is when every buffer on the way is full. */
async function untilStill(): Promise<number> {
  for (let before = -1; ; ) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    if (handedOver === before) return handedOver;
    before = handedOver;
  }
}

async function countText(response: IncomingMessage): Promise<number> {
  let length = 0;
  response.setEncoding('utf8');
  for await (const part of response) length += String(part).split('x').length - 1;
  return length;
}

test('L6 R323 a client that does not read stops the provider, and the wait is not the provider’s silence', async () => {
  const response = await open(`${app.url}/v1/messages`, message('large', { stream: true }));
  const held = await untilStill();
  // What was taken from the provider lies in socket buffers and one write; an unbounded proxy would have taken all 50 MB.
  expect(held).toBeLessThan(16 * 1024 * 1024);
  expect(app.services.inFlight.size).toBe(1);
  expect(await countText(response)).toBeGreaterThanOrEqual(PIECES * PIECE.length);
});
