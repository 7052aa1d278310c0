import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, test } from 'vitest';
import { startFakeUpstream, words } from '../helpers/fakeUpstream.ts';
import { call, message, startApp } from '../helpers/startApp.ts';

/** A network proxy that tunnels and forwards, and notes who asked for what. */
async function startNetworkProxy() {
  const seen: { target: string; credentials: string | undefined }[] = [];
  const server = createServer((request, response) => {
    seen.push({ target: request.url ?? '', credentials: request.headers['proxy-authorization'] });
    const forward = httpRequest(
      request.url ?? '',
      { method: request.method ?? 'GET', headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    request.pipe(forward);
  });
  server.on('connect', (request, socket, head) => {
    seen.push({ target: request.url ?? '', credentials: request.headers['proxy-authorization'] });
    const [host, port] = (request.url ?? '').split(':');
    const tunnel = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      tunnel.write(head);
      tunnel.pipe(socket).pipe(tunnel);
    });
    for (const end of [tunnel, socket]) end.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, seen, close: () => server.close() };
}

test('a provider is reached through the network proxy of the env file, with its password, but on this machine', async () => {
  const upstream = await startFakeUpstream({ model: words('fine') });
  const proxy = await startNetworkProxy();
  // This machine by a name that does not say so.
  const settings = {
    OPENAI_BASE_URL: upstream.url.replace('127.0.0.1', '0.0.0.0'),
    BIG_MODEL: 'model',
    SMALL_MODEL: 'model',
  };
  const address = `http://user:secret-word@127.0.0.1:${proxy.port}`;

  const through = await startApp({ ...settings, HTTP_PROXY: address });
  expect((await call(`${through.url}/v1/messages`, message('model'))).text).toContain('fine');
  expect(proxy.seen).toHaveLength(1);
  expect(proxy.seen[0]?.target).toContain(new URL(settings.OPENAI_BASE_URL).host);
  expect(proxy.seen[0]?.credentials).toBe(`Basic ${Buffer.from('user:secret-word').toString('base64')}`);
  expect(JSON.stringify(through.log)).not.toContain('secret-word');
  await through.close();

  const around = await startApp({ ...settings, HTTP_PROXY: address, NO_PROXY: '0.0.0.0' });
  expect((await call(`${around.url}/v1/messages`, message('model'))).text).toContain('fine');
  expect(proxy.seen).toHaveLength(1);
  await around.close();

  const local = await startApp({ ...settings, OPENAI_BASE_URL: upstream.url, HTTP_PROXY: address });
  expect((await call(`${local.url}/v1/messages`, message('model'))).text).toContain('fine');
  expect(proxy.seen).toHaveLength(1);
  await local.close();
  proxy.close();
  await upstream.close();
});
