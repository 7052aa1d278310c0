import type { Socket } from 'node:net';
import { answerBytes, chunk, LAST_CHUNK, STREAM_HEAD } from '../http/writeMessage.ts';
import { deltaText, monotonicMicros } from './deltaText.ts';
import type { Dialect } from './dialect.ts';
import type { Order } from './order.ts';

/** The chunks of each dialect's deltas that carry no time, made once. */
const ready = new Map<Dialect, Buffer[]>();

function readyDelta(dialect: Dialect, index: number): Buffer {
  const chunks = ready.get(dialect) ?? [];
  ready.set(dialect, chunks);
  const bytes = chunks[index] ?? Buffer.from(chunk(dialect.delta(deltaText(index, 0), index)));
  chunks[index] = bytes;
  return bytes;
}

function openStream(socket: Socket, dialect: Dialect): void {
  socket.write(STREAM_HEAD + chunk(dialect.opening), 'latin1');
}

function closeStream(socket: Socket, dialect: Dialect, promptTokens: number, deltas: number): void {
  socket.write(chunk(dialect.closing(promptTokens, deltas)) + LAST_CHUNK, 'latin1');
}

/** A stream with one write for each delta, as fast as it goes: providers send each delta in a packet of its own. */
export function streamAtOnce(socket: Socket, dialect: Dialect, { deltas }: Order, promptTokens: number): void {
  openStream(socket, dialect);
  for (let index = 0; index < deltas; index += 1) socket.write(readyDelta(dialect, index));
  closeStream(socket, dialect, promptTokens, deltas);
}

/** A stream whose deltas carry the time of their sending. */
export function streamPaced(socket: Socket, dialect: Dialect, order: Order, promptTokens: number): void {
  const { deltas, everyMs } = order;
  let index = 0;
  openStream(socket, dialect);
  const timer = setInterval(() => {
    if (index < deltas && socket.writable) {
      socket.write(chunk(dialect.delta(deltaText(index, monotonicMicros()), index)), 'latin1');
      index += 1;
      return;
    }
    clearInterval(timer);
    closeStream(socket, dialect, promptTokens, deltas);
  }, everyMs);
}

/** One JSON body with the text of all deltas. */
export function answerWhole(socket: Socket, dialect: Dialect, { deltas }: Order, promptTokens: number): void {
  const text = Array.from({ length: deltas }, (_, index) => deltaText(index, 0)).join('');
  socket.write(answerBytes('200 OK', dialect.whole(text, promptTokens, deltas)));
}
