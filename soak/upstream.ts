/**
 * The provider of the soak, a process of its own: the benchmark's upstream, and faults where a request asks for one. It listens on
 * a free port, which it sends to its parent, and ends with it.
 */
import { type AddressInfo, createServer } from 'node:net';
import { serveConnection } from './upstream/serveConnection.ts';

const server = createServer(serveConnection);
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  process.send?.((server.address() as AddressInfo).port);
});
process.on('disconnect', () => process.exit(0));
