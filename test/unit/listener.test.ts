import dns from 'node:dns';
import { createServer } from 'node:net';
import Fastify from 'fastify';
import { expect, onTestFinished, test, vi } from 'vitest';
import { freePort } from '../../bench/processes/freePort.ts';
import type { Config } from '../../src/config/config.ts';
import { listen } from '../../src/listener.ts';

const worker = { number: 1, isHeld: true, answerWith: () => {} };

function createApp() {
  const app = Fastify();
  app.get('/', () => 'here');
  onTestFinished(() => app.close());
  return app;
}

const configAt = (host: string, port: number) => ({ host, port, file: '/envs/one.env' }) as Config;

test.each([
  ['127.0.0.1', false, 0],
  ['127.0.0.1', true, 0],
  ['localhost', false, 1],
])('on %s (shared: %s) it listens, and only a name is looked up', async (host, isShared, lookups) => {
  const app = createApp();
  const port = await freePort();
  const lookUp = vi.spyOn(dns, 'lookup');
  onTestFinished(() => lookUp.mockRestore());
  const failure = await listen(app, { config: configAt(host, port), worker, isShared, onListening: () => {} });
  expect(failure).toBeUndefined();
  expect(Math.min(lookUp.mock.calls.length, 1)).toBe(lookups);
  expect(app.addresses()).toContainEqual(expect.objectContaining({ port }));
  expect(await (await fetch(`http://${host}:${port}/`)).text()).toBe('here');
});

test('a port that is taken is named, and by whom', async () => {
  const port = await freePort();
  const other = createServer().listen(port, '127.0.0.1');
  onTestFinished(() => void other.close());
  const options = { config: configAt('127.0.0.1', port), worker, isShared: false, onListening: () => {} };
  expect(await listen(createApp(), options)).toEqual({
    reason: expect.stringMatching(`port ${port} is taken by .*; set another PORT in /envs/one.env or stop the other`),
    mayPass: false,
  });
});
