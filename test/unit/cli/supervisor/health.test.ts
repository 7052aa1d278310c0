import { createServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type Server } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { askPort, parseHealth } from '../../../../src/cli/supervisor/health.ts';

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((closed) => server.close(closed))));
});

function listen(server: Server): Promise<number> {
  servers.push(server);
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      done(typeof address === 'object' && address ? address.port : 0);
    });
  });
}

const answering = (handle: RequestListener) => listen(createServer({ keepAlive: false }, handle));
const health = { service: 'claude-code-proxy', instance: 'kimi', pid: 42, state: 'serving', config_hash: 'abc' };

describe('who answers at a port', () => {
  test('an instance', async () => {
    const port = await answering((_request, response) => response.end(JSON.stringify(health)));
    const answer = await askPort('127.0.0.1', port);
    expect(answer).toMatchObject({ kind: 'instance', health: { instance: 'kimi', pid: 42, configHash: 'abc' } });
  });

  test('an instance that drains, with status 503', async () => {
    const body = JSON.stringify({ ...health, state: 'draining' });
    const port = await answering((_request, response) => response.writeHead(503).end(body));
    expect(await askPort('127.0.0.1', port)).toMatchObject({ kind: 'instance', health: { state: 'draining' } });
  });

  test('another web server', async () => {
    const port = await answering((_request, response) => response.end('<html>'));
    expect(await askPort('127.0.0.1', port)).toEqual({ kind: 'stranger' });
  });

  test('another web server without an end', async () => {
    const port = await answering((_request, response) => {
      const writing = setInterval(() => response.write('x'.repeat(50_000)), 1);
      response.on('close', () => clearInterval(writing));
    });
    expect(await askPort('127.0.0.1', port)).toEqual({ kind: 'stranger' });
  });

  test('a server of another kind', async () => {
    const port = await listen(createTcpServer((socket) => socket.resume().end('220 mail.example.com\r\n')));
    expect(await askPort('127.0.0.1', port)).toEqual({ kind: 'stranger' });
  });

  test('one that takes the connection and says nothing', async () => {
    const port = await listen(createTcpServer((socket) => socket.on('error', () => undefined).resume()));
    expect(await askPort('127.0.0.1', port)).toEqual({ kind: 'mute' });
  });

  test('nobody', async () => {
    const port = await listen(createTcpServer());
    await new Promise((closed) => servers.pop()?.close(closed));
    expect(await askPort('127.0.0.1', port)).toEqual({ kind: 'silent' });
  });
});

test.each([
  ['another service', { ...health, service: 'other' }],
  ['no name', { ...health, instance: undefined }],
  ['a pid that is no number', { ...health, pid: '42' }],
])('%s is not an instance', (_what, body) => {
  expect(parseHealth(JSON.stringify(body))).toBeUndefined();
});
