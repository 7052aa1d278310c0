import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { callDaemon } from '../../../../src/cli/supervisor/pm2.ts';
import { temporaryFolder } from '../../../helpers/temporaryFolder.ts';

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

function socketPath(): string {
  const folder = temporaryFolder();
  cleanUps.push(folder.remove);
  return join(folder.path, 'rpc.sock');
}

/** The message as PM2 frames it. */
function message(...parts: string[]): Buffer {
  const pieces = parts.flatMap((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(Buffer.byteLength(part));
    return [length, Buffer.from(part)];
  });
  return Buffer.concat([Buffer.from([(1 << 4) | parts.length]), ...pieces]);
}

/** A daemon that answers each call by `answer`; gives the path of its socket. */
async function daemon(answer: (socket: Socket, call: Buffer) => void): Promise<string> {
  const path = socketPath();
  const server: Server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (call: Buffer) => answer(socket, call));
  });
  server.listen(path);
  await once(server, 'listening');
  cleanUps.push(() => server.close());
  return path;
}

const call = (path: string) => callDaemon(path, 'getMonitorData', 500);

test('asks as PM2’s command line does', async () => {
  let asked: Buffer = Buffer.alloc(0);
  const path = await daemon((socket, bytes) => {
    asked = bytes;
    socket.write(message('j:{"args":[[]]}', 's:manage:0'));
  });
  await call(path);
  expect(asked).toEqual(message('j:{"type":"call","method":"getMonitorData","args":[{}]}', 's:manage:0'));
});

test('reads an answer that comes byte by byte', async () => {
  const answer = message('j:{"args":[[{"name":"kimi é"}]]}', 's:manage:0');
  const path = await daemon((socket) => {
    socket.setNoDelay(true);
    for (const byte of answer) socket.write(Buffer.from([byte]));
  });
  expect(await call(path)).toEqual({ alive: true, result: [{ name: 'kimi é' }] });
});

test('knows that there is no daemon', async () => {
  expect(await call(socketPath())).toEqual({ alive: false });
});

test.each<[string, (socket: Socket) => void, RegExp]>([
  ['an error', (socket) => socket.write(message('j:{"error":"no such method"}', 's:manage:0')), /no such method/],
  ['another protocol', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'), /protocol/],
  ['another id', (socket) => socket.write(message('j:{"args":[[]]}', 's:other')), /something else/],
  ['no JSON', (socket) => socket.write(message('s:text', 's:manage:0')), /something else/],
  ['nothing', () => {}, /within 500 ms/],
  ['the end of the connection', (socket) => socket.end(), /closed the connection/],
])('says what is wrong when the daemon answers with %s', async (_name, answer, words) => {
  const path = await daemon(answer);
  await expect(call(path)).rejects.toThrow(words);
});
