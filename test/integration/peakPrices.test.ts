import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { type FakeUpstream, startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { call, message, startApp, type TestApp } from '../helpers/startApp.ts';

let upstream: FakeUpstream;
let app: TestApp;
beforeAll(async () => {
  const usage = { prompt_tokens: 1_000_000, completion_tokens: 1 };
  upstream = await startFakeUpstream({ '*': words('fine', usage) });
  app = await startApp({ PROVIDER: 'deepseek', OPENAI_BASE_URL: upstream.url });
});
afterEach(() => {
  vi.useRealTimers();
});
afterAll(async () => {
  await app.close();
  await upstream.close();
});

test.each([
  ['2026-11-30T02:00:00Z', 1.32],
  ['2026-11-30T12:00:00Z', 0.66],
])('a request at %s costs $%d for a million tokens of input', async (time, cost) => {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date(time) });
  const record = app.nextRecord();
  await call(`${app.url}/v1/messages`, message('deepseek-v4-pro'));
  expect(await record).toMatchObject({ cost: expect.closeTo(cost, 4) });
});
