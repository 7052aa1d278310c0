import { expect, test } from 'vitest';
import { dueProviders, runHealthCheck } from '../../src/gateway/healthChecks.ts';
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
  expect(refused.text).toMatch(/could not be reached several times.*the last time: \[test\] connection failed/);
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

test('R410 a server on this machine that is back says what it says at most a second later, whatever BREAKER_SECONDS', async () => {
  let isUp = false;
  const upstream = await startFakeUpstream({
    loads: (response) => {
      if (isUp) response.writeHead(503).end('{"error":{"message":"Loading model"}}');
      else response.destroy();
    },
  });
  const settings = { OPENAI_BASE_URL: upstream.url, BIG_MODEL: 'x', SMALL_MODEL: 'x', MAX_RETRIES: '0' };
  const app = await startApp(settings, { failures: 2, windowMs: 60_000, openMs: 60_000 });
  const ask = async () => (await call(`${app.url}/v1/messages`, message('loads'))).text;
  await ask();
  await ask();
  const refused = await call(`${app.url}/v1/messages`, message('loads'));
  expect(refused.headers['retry-after']).toBe('1');
  isUp = true;
  await expect.poll(ask, { timeout: 5000, interval: 100 }).toContain('Loading model');
  await app.close();
  await upstream.close();
});

test('a single provider is checked as long as its circuit keeps requests away, and is asked again at once when it is back', async () => {
  let isUp = false;
  const upstream = await startFakeUpstream({
    '*': (response, request) => (isUp ? words('fine')(response, request) : void response.destroy()),
  });
  const settings = { OPENAI_BASE_URL: upstream.url, BIG_MODEL: 'x', SMALL_MODEL: 'x', MAX_RETRIES: '0' };
  const app = await startApp(settings, { failures: 1, windowMs: 60_000, openMs: 60_000 });
  const services = {
    ...app.services,
    config: { ...app.services.config, healthCheck: { intervalMs: 1, ask: 'models' as const } },
  };
  const check = () => Promise.all(dueProviders(services).map((due) => runHealthCheck(services, due)));
  expect(dueProviders(services)).toEqual([]);
  await call(`${app.url}/v1/messages`, message('x'));
  await check();
  expect(dueProviders(services)).toHaveLength(1);
  isUp = true;
  await check();
  expect(dueProviders(services)).toEqual([]);
  expect((await call(`${app.url}/v1/messages`, message('x'))).status).toBe(200);
  await app.close();
  await upstream.close();
});
