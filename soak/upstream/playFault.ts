import type { Socket } from 'node:net';
import { answerBytes, chunk, STREAM_HEAD } from '../../bench/http/writeMessage.ts';
import { chatDialect } from '../../bench/upstream/chatDialect.ts';
import { deltaText } from '../../bench/upstream/deltaText.ts';
import type { Fault } from './fault.ts';

/** Text that comes before the fault, so that the answer has begun. */
const BEGUN = [0, 1, 2].map((index) => chatDialect.delta(deltaText(index, 0), index)).join('');

/** Begins an answer and lets it go wrong; `refuse` does not even begin. */
export function playFault(socket: Socket, fault: Fault): void {
  if (fault === 'refuse') {
    socket.write(answerBytes('503 Service Unavailable', '{"error":{"message":"overloaded"}}'));
    return;
  }
  socket.write(STREAM_HEAD + chunk(chatDialect.opening + BEGUN), () => {
    if (fault === 'reset') socket.resetAndDestroy();
    else if (fault === 'cut') socket.destroy();
    else if (fault === 'garbage') socket.write(chunk('data: {"cut\n\ndata: nonsense\n\ndata: []]\n\n'));
  });
}
