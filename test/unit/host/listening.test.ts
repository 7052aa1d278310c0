import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { listeningAddresses, parseSocketTable } from '../../../src/host/ports.ts';

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 501 1 0 100 0 0 10 0
   1: 0100007F:1F91 0100007F:D2F0 01 00000000:00000000 00:00000000 00000000  1000        0 502 1 0 20 4 30 10 -1
   2: 00000000000000000000000000000000:1F92 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 503 1
   3: 00000000000000000000000001000000:1F93 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 504 1
`;

test('the kernel’s table of sockets gives those that listen, with their addresses', () => {
  expect(parseSocketTable(TABLE)).toEqual([
    { host: '127.0.0.1', port: 8081, link: 'socket:[501]' },
    { host: '::', port: 8082, link: 'socket:[503]' },
    { host: '0:0:0:0:0:0:0:1', port: 8083, link: 'socket:[504]' },
  ]);
});

test('a process is found by its pid where it listens, until it does no more', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  expect(await listeningAddresses(process.pid)).toContainEqual({ host: '127.0.0.1', port });
  server.close();
  await once(server, 'close');
  expect(await listeningAddresses(process.pid)).not.toContainEqual({ host: '127.0.0.1', port });
});
