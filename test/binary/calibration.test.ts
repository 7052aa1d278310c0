import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type FakeUpstream, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { call, message } from '../helpers/startApp.ts';
import { type Binary, startBinary } from '../helpers/startBinary.ts';
import { temporaryFolder } from '../helpers/temporaryFolder.ts';

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const CONVERSATION = { messages: [{ role: 'user', content: 'Some words to be counted. '.repeat(100) }] };

async function countedBy(binary: Binary): Promise<number> {
  const answer = await call(`${binary.url}/v1/messages/count_tokens`, message('model', CONVERSATION));
  return JSON.parse(answer.text).input_tokens;
}

/** A provider that counts the conversation as so many tokens. */
async function upstreamCounting(tokens: number): Promise<FakeUpstream> {
  const upstream = await startFakeUpstream({ model: words('fine', { prompt_tokens: tokens, completion_tokens: 1 }) });
  cleanUps.push(() => upstream.close());
  return upstream;
}

async function instance(name: string, upstream: FakeUpstream, stateDirectory: string): Promise<Binary> {
  const settings = {
    OPENAI_BASE_URL: upstream.url,
    OPENAI_API_KEY: 'key-of-the-provider',
    BIG_MODEL: 'model',
    SMALL_MODEL: 'model',
    STATE_DIR: stateDirectory,
  };
  const binary = await startBinary(settings, name);
  cleanUps.push(() => binary.stop());
  return binary;
}

async function converse(binary: Binary): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await call(`${binary.url}/v1/messages`, message('model', CONVERSATION));
}

async function end(binary: Binary): Promise<void> {
  binary.process.kill('SIGTERM');
  expect(await binary.exited).toBe(0);
}

test('R502 what an instance has learned survives its restart, and is its own', async () => {
  const state = temporaryFolder();
  cleanUps.push(state.remove);
  const [frugal, lavish] = await Promise.all([upstreamCounting(450), upstreamCounting(800)]);
  const [first, second] = await Promise.all([
    instance('first', frugal, state.path),
    instance('second', lavish, state.path),
  ]);
  const untaught = await countedBy(first);
  expect(await countedBy(second)).toBe(untaught);

  await Promise.all([converse(first), converse(second)]);
  const [few, many] = [await countedBy(first), await countedBy(second)];
  expect(few / 450).toBeCloseTo(1, 1);
  expect(many / 800).toBeCloseTo(1, 1);
  expect(few).toBeLessThan(untaught);
  expect(many).toBeGreaterThan(untaught);

  await Promise.all([end(first), end(second)]);
  expect(readdirSync(join(state.path)).filter((name) => name.includes('calibration'))).toEqual([
    'first.calibration.json',
    'second.calibration.json',
  ]);

  const again = await instance('first', frugal, state.path);
  expect(await countedBy(again)).toBe(few);
  expect(await countedBy(await instance('second', lavish, state.path))).toBe(many);
  expect(await countedBy(await instance('third', lavish, state.path))).toBe(untaught);
});
