import type { ServerResponse } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { type NativeBehaviour, nativeEvent, openNative, startAnthropicServer } from '../helpers/anthropicServer.ts';
import { message, open, startApp } from '../helpers/startApp.ts';

const PIECE = nativeEvent('content_block_delta', {
  index: 0,
  delta: { type: 'text_delta', text: 'x'.repeat(16 * 1024) },
});
const PIECES = 3200; // 50 MB
const HEAD = nativeEvent('message_start', { message: {} });
const TAIL = nativeEvent('message_stop');

/** Resolves when more can be written, or never will be. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

test('L6 R323 a client that does not read stops the provider, and then gets every byte', async () => {
  let handedOver = 0;
  const large: NativeBehaviour = async (response) => {
    openNative(response);
    response.write(HEAD);
    for (let index = 0; index < PIECES && !response.destroyed; index += 1) {
      const fits = response.write(PIECE);
      handedOver += PIECE.length;
      if (!fits) await drained(response);
    }
    response.end(TAIL);
  };
  const server = await startAnthropicServer({ '*': large });
  const app = await startApp({
    PROVIDER: 'custom-anthropic',
    OPENAI_BASE_URL: server.url,
    BIG_MODEL: 'large',
    QUIRK_IDLE_TIMEOUT_MS: '500',
  });
  onTestFinished(async () => {
    await app.close();
    await server.close();
  });
  const response = await open(`${app.url}/v1/messages`, message('large', { stream: true }));
  // Nothing shows when every buffer on the way is full but that nothing more is handed over.
  for (let before = -1; before !== handedOver; ) {
    before = handedOver;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  // What was taken from the provider lies in socket buffers and one write; an unbounded proxy would have taken all 50 MB.
  expect(handedOver).toBeLessThan(16 * 1024 * 1024);
  let length = 0;
  for await (const part of response) length += (part as Buffer).length;
  expect(length).toBe(HEAD.length + PIECES * PIECE.length + TAIL.length);
});
