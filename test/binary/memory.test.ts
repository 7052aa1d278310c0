import type { ServerResponse } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { json, startFakeUpstream } from '../helpers/fakeUpstream.ts';
import { call, message } from '../helpers/startApp.ts';
import { startBinary, withNodeOptions } from '../helpers/startBinary.ts';
import { waitUntil } from '../helpers/waitUntil.ts';

const HEAP_MIB = 64;
const BODY_MIB = 3;
/** Twice what there is room for. */
const MOST_REQUESTS = 40;

const answer = json(200, { choices: [{ message: { content: 'fine' }, finish_reason: 'stop' }] });
const large = (index: number) =>
  message('x', { messages: [{ role: 'user', content: `${index} ${'long '.repeat((BODY_MIB * 1024 * 1024) / 5)}` }] });

test('P12 short of memory it refuses requests, goes on with those that it has, and serves again when they are over', async () => {
  const held: (() => void)[] = [];
  const upstream = await startFakeUpstream({
    quick: answer,
    '*': (response: ServerResponse, request) => {
      held.push(() => void answer(response, request));
    },
  });
  const binary = await startBinary(
    {
      OPENAI_BASE_URL: upstream.url,
      OPENAI_API_KEY: 'key-of-the-provider',
      BIG_MODEL: 'x',
      SMALL_MODEL: 'x',
      PERMISSION_MODEL: 'off',
    },
    'test',
    // The limit that the heap reports includes its young part.
    withNodeOptions(`--max-old-space-size=${HEAP_MIB}`, '--max-semi-space-size=1'),
  );
  onTestFinished(async () => {
    await binary.stop();
    await upstream.close();
  });
  const ask = (index: number) => call(`${binary.url}/v1/messages`, large(index));
  const taken: ReturnType<typeof ask>[] = [];
  let refused: Awaited<ReturnType<typeof ask>> | undefined;
  for (let index = 0; refused === undefined && index < MOST_REQUESTS; index += 1) {
    const asked = ask(index);
    const arrived = waitUntil('it arrives at the provider', async () => refused !== undefined || held.length > index);
    const first = await Promise.race([asked, arrived]);
    if (first === undefined) taken.push(asked);
    else refused = first;
  }
  expect(taken.length).toBeGreaterThan(0);
  expect(refused?.status).toBe(529);
  expect(refused?.headers['retry-after']).toBe('5');
  expect(JSON.parse(refused?.text ?? '').error.message).toContain('short of memory');
  for (const release of held.splice(0)) release();
  for (const asked of taken) expect((await asked).status).toBe(200);
  const again = () => call(`${binary.url}/v1/messages`, message('quick'));
  await waitUntil('it serves again', async () => (await again()).status === 200);
  expect(binary.process.exitCode).toBeNull();
});
