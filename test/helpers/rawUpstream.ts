import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

/** The provider's end of one connection. */
export interface Peer {
  readonly socket: Socket;
  /** Resolves when a whole request has arrived. */
  readonly request: Promise<void>;
  /** Resolves when the bytes are on their way. */
  write(bytes: string | Buffer): Promise<void>;
}

/** What a provider does on a connection, from the accept on. */
export type Script = (peer: Peer) => void | Promise<void>;

/** A provider without any manners of HTTP: every byte is the script's. */
export interface RawUpstream {
  readonly port: number;
  /** How many connections came in. */
  connections(): number;
  /** How many of them are still open. */
  open(): number;
  close(): Promise<void>;
}

function wholeRequest(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    let seen = '';
    socket.on('data', (bytes: Buffer) => {
      seen += bytes.toString('latin1');
      const headEnd = seen.indexOf('\r\n\r\n');
      const length = /content-length: (\d+)/i.exec(seen)?.[1];
      if (headEnd >= 0 && seen.length >= headEnd + 4 + Number(length ?? 0)) {
        seen = '';
        resolve();
      }
    });
  });
}

function peerOf(socket: Socket): Peer {
  return {
    socket,
    request: wholeRequest(socket),
    write: (bytes) =>
      new Promise((resolve) => {
        socket.write(bytes, () => resolve());
      }),
  };
}

/** Plays the script on every connection; with `tls` each begins with a handshake. */
export async function startRawUpstream(script: Script, tls?: TlsOptions): Promise<RawUpstream> {
  const open = new Set<Socket>();
  let connections = 0;
  const accept = (socket: Socket) => {
    connections += 1;
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
    void script(peerOf(socket));
  };
  const server: Server = tls === undefined ? createServer(accept) : createTlsServer(tls, accept);
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    open: () => open.size,
    close: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Status line and headers as they go over the wire. */
export function head(status: string, headers: Record<string, string> = {}): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`;
}

/** An event stream that ends with the connection. */
export const EVENTS_HEAD = head('200 OK', { 'content-type': 'text/event-stream', connection: 'close' });

/** One part of a chunked body; an empty one ends the body. */
export function part(bytes: string | Buffer): Buffer {
  const body = Buffer.from(bytes);
  return Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')]);
}

/** A whole answer with its length. */
export function whole(status: string, contentType: string, body: string | Buffer, headers = {}): Buffer {
  const length = String(Buffer.byteLength(body));
  return Buffer.concat([
    Buffer.from(head(status, { 'content-type': contentType, 'content-length': length, ...headers })),
    Buffer.from(body),
  ]);
}

/** Waits for the request, then sends these bytes and nothing more; the connection stays open. */
export function send(...pieces: (string | Buffer)[]): Script {
  return async ({ request, write }) => {
    await request;
    for (const piece of pieces) await write(piece);
  };
}

/** The same, then the end of the connection. */
export function sendAndEnd(...pieces: (string | Buffer)[]): Script {
  return async (peer) => {
    await send(...pieces)(peer);
    peer.socket.end();
  };
}

/** The same bytes, each in a packet of its own. */
export function sendByteWise(bytes: string | Buffer): Script {
  return async ({ socket, request, write }) => {
    await request;
    socket.setNoDelay(true);
    for (const byte of Buffer.from(bytes)) await write(Buffer.of(byte));
    socket.end();
  };
}
