import type { Socket } from 'node:net';
import { MessageReader } from '../../bench/http/messageReader.ts';
import { answerWhole, streamPaced } from '../../bench/upstream/answer.ts';
import { chatDialect } from '../../bench/upstream/chatDialect.ts';
import { findOrder, LONGEST_ORDER } from '../../bench/upstream/order.ts';
import { BYTES_PER_TOKEN } from '../../bench/upstream/serveConnection.ts';
import { findFault } from './fault.ts';
import { playFault } from './playFault.ts';

function answer(socket: Socket, body: Buffer): void {
  const fault = findFault(body);
  if (fault !== undefined) {
    playFault(socket, fault);
    return;
  }
  const at = body.indexOf('[bench: ');
  const order = findOrder(body.toString('latin1', at, at + LONGEST_ORDER)) ?? { deltas: 1, everyMs: 1 };
  const promptTokens = Math.ceil(body.length / BYTES_PER_TOKEN);
  if (body.includes('"stream":true')) streamPaced(socket, chatDialect, order, promptTokens);
  else answerWhole(socket, chatDialect, order, promptTokens);
}

/** Providers close what has been idle for a while; the proxy itself keeps connections for ten minutes. */
const IDLE_MS = 30_000;

/** Answers every request of one connection as its order and its model say. */
export function serveConnection(socket: Socket): void {
  let parts: Buffer[] = [];
  const reader = new MessageReader({
    onHead: () => {
      parts = [];
    },
    onBody: (bytes) => parts.push(bytes),
    onEnd: () => answer(socket, Buffer.concat(parts)),
  });
  socket.setNoDelay(true);
  socket.on('data', (bytes: Buffer) => reader.push(bytes));
  socket.setTimeout(IDLE_MS, () => socket.end());
  // Clients that go away make the proxy cut its connections.
  socket.on('error', () => socket.destroy());
}
