import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { whole } from '../helpers/rawUpstream.ts';
import { call, message, startApp } from '../helpers/startApp.ts';

const ANSWER = whole(
  '200 OK',
  'application/json',
  '{"choices":[{"message":{"content":"fine"},"finish_reason":"stop"}]}',
);

/** What a provider does with the request that is so many-th on its connection, of so many connections. */
type Serve = (socket: Socket, request: number, connection: number) => void;

const answers: Serve = (socket) => void socket.write(ANSWER);

/** An instance without retries, whose provider serves each request so. */
async function start(serve: Serve) {
  let connections = 0;
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    connections += 1;
    const connection = connections;
    let request = 0;
    sockets.add(socket.on('error', () => {}));
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      // Whole requests only: their bodies end with the object that they are.
      if (!text.endsWith('}')) return;
      text = '';
      request += 1;
      asked.push(`${connection}.${request}`);
      serve(socket, request, connection);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const app = await startApp({ OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1`, BIG_MODEL: 'x', MAX_RETRIES: '0' });
  onTestFinished(async () => {
    await app.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const ask = async () => (await call(`${app.url}/v1/messages`, message('x', { stream: false }))).status;
  return { ask, asked };
}

const breaks: Readonly<Record<string, (socket: Socket) => void>> = {
  'is closed': (socket) => void socket.end(),
  'is reset': (socket) => void socket.resetAndDestroy(),
  'breaks within the head': (socket) => void socket.write('HTTP/1.1 2', () => socket.resetAndDestroy()),
};

test.each(Object.entries(breaks))(
  'a request whose kept connection %s goes to a new one, also without retries',
  async (_name, breakOff) => {
    const { ask, asked } = await start((socket, request, connection) => {
      if (request === 1) answers(socket, request, connection);
      else breakOff(socket);
    });
    for (let count = 0; count < 3; count += 1) expect(await ask()).toBe(200);
    expect(asked).toEqual(['1.1', '1.2', '2.1', '3.1']);
  },
);

test.each(Object.entries(breaks).slice(0, 2))(
  'on a new connection that %s a request fails',
  async (_name, breakOff) => {
    const { ask, asked } = await start((socket) => breakOff(socket));
    expect(await ask()).toBe(529);
    expect(asked).toEqual(['1.1']);
  },
);

test('a request is sent anew once only', async () => {
  const { ask, asked } = await start((socket, request, connection) => {
    if (connection === 1 && request === 1) answers(socket, request, connection);
    else socket.resetAndDestroy();
  });
  expect([await ask(), await ask()]).toEqual([200, 529]);
  expect(asked).toEqual(['1.1', '1.2', '2.1']);
});

test('a request that the server has begun to answer is not sent anew', async () => {
  const { ask, asked } = await start((socket, request, connection) => {
    if (request === 1) answers(socket, request, connection);
    else socket.write('HTTP/1.1 103 Early Hints\r\n\r\n', () => socket.resetAndDestroy());
  });
  expect([await ask(), await ask()]).toEqual([200, 529]);
  expect(asked).toEqual(['1.1', '1.2']);
});
