import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { call, message, startApp } from '../helpers/startApp.ts';

async function serve(status: number, headers: Record<string, string>) {
  const seen: { path: string; headers: IncomingHttpHeaders }[] = [];
  const server = createServer((request, response) => {
    if (request.method !== 'HEAD') seen.push({ path: request.url ?? '', headers: request.headers });
    response.writeHead(status, headers).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const cases = ['chat', 'anthropic'].flatMap((protocol) =>
  [301, 302, 303, 307, 308].flatMap((status) => [true, false].map((stream) => ({ protocol, status, stream }))),
);

test.each(cases)('A8 a provider’s redirect is not followed: $protocol, $status, streamed: $stream', async (row) => {
  const target = await serve(200, { 'content-type': 'application/json' });
  const provider = await serve(row.status, { location: `${target.url}/latest/meta-data` });
  const app = await startApp({
    PROVIDER: 'custom',
    PROTOCOL: row.protocol,
    OPENAI_BASE_URL: provider.url,
    OPENAI_API_KEY: 'sk-of-the-provider-alone',
    BIG_MODEL: 'x',
  });
  onTestFinished(() => app.close());
  const answer = await call(`${app.url}/v1/messages`, message('x', { stream: row.stream }));
  expect(target.seen).toEqual([]);
  expect(provider.seen).toHaveLength(1);
  expect(answer.status).toBe(502);
});
