import { expect, test } from 'vitest';
import { startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { call, message, startApp } from '../helpers/startApp.ts';

test('R410 a provider that cannot be reached is not asked for a while, and then tried with one request', async () => {
  const upstream = await startFakeUpstream({
    flaky: (response) => {
      response.destroy();
    },
    fine: words('fine'),
  });
  const settings = { OPENAI_BASE_URL: upstream.url, BIG_MODEL: 'x', SMALL_MODEL: 'x', MAX_RETRIES: '0' };
  const app = await startApp(settings, { failures: 3, windowMs: 60_000, openMs: 500 });
  const circuit = async () => JSON.parse((await call(`${app.url}/health`)).text).circuit;

  for (let request = 0; request < 3; request += 1) {
    expect((await call(`${app.url}/v1/messages`, message('flaky'))).status).toBe(529);
  }
  expect(await circuit()).toBe('open');
  const refused = await call(`${app.url}/v1/messages`, message('fine'));
  expect(refused.status).toBe(529);
  expect(refused.headers['retry-after']).toBe('1');
  expect(upstream.requests).toHaveLength(3);
  expect(app.log.filter((line) => String(line['message']).includes('cannot be reached'))).toHaveLength(1);

  while ((await circuit()) !== 'half-open') await new Promise((resolve) => setTimeout(resolve, 20));
  expect((await call(`${app.url}/v1/messages`, message('fine'))).status).toBe(200);
  expect(await circuit()).toBe('closed');
  await app.close();
  await upstream.close();
});

test('R410 errors that the provider answers itself never open the circuit', async () => {
  const upstream = await startFakeUpstream({
    broken: (response) => {
      response.writeHead(500).end('{"error":{"message":"boom"}}');
    },
  });
  const settings = { OPENAI_BASE_URL: upstream.url, BIG_MODEL: 'x', SMALL_MODEL: 'x', MAX_RETRIES: '0' };
  const app = await startApp(settings, { failures: 1, windowMs: 60_000, openMs: 60_000 });
  for (let request = 0; request < 2; request += 1) await call(`${app.url}/v1/messages`, message('broken'));
  expect(upstream.requests).toHaveLength(2);
  await app.close();
  await upstream.close();
});
