import type { Socket } from 'node:net';
import { MessageReader } from '../http/messageReader.ts';
import { answerBytes } from '../http/writeMessage.ts';
import { answerWhole, streamAtOnce, streamPaced } from './answer.ts';
import { chatDialect } from './chatDialect.ts';
import type { Dialect } from './dialect.ts';
import { messagesDialect } from './messagesDialect.ts';
import { RequestScanner } from './requestScanner.ts';
import { responsesDialect } from './responsesDialect.ts';

/** About what a provider would count; the client checks with it that the whole request came through. */
export const BYTES_PER_TOKEN = 4;

const DIALECTS: Readonly<Record<string, Dialect>> = {
  '/v1/chat/completions': chatDialect,
  '/v1/messages': messagesDialect,
  '/v1/responses': responsesDialect,
};

function answer(socket: Socket, path: string, request: RequestScanner): void {
  const promptTokens = Math.ceil(request.bytes / BYTES_PER_TOKEN);
  const dialect = DIALECTS[path];
  if (path === '/v1/messages/count_tokens') {
    socket.write(answerBytes('200 OK', `{"input_tokens":${promptTokens}}`));
  } else if (dialect === undefined) {
    socket.write(answerBytes('404 Not Found', '{"error":{"message":"no such path"}}'));
  } else {
    const order = request.order ?? { deltas: 1, everyMs: 0 };
    if (!request.streamed) answerWhole(socket, dialect, order, promptTokens);
    else if (order.everyMs > 0) streamPaced(socket, dialect, order, promptTokens);
    else streamAtOnce(socket, dialect, order, promptTokens);
  }
}

/** Answers every request of one connection as its order says. */
export function serveConnection(socket: Socket): void {
  let path = '';
  let request = new RequestScanner();
  const reader = new MessageReader({
    onHead: (startLine) => {
      path = startLine.split(' ')[1]?.split('?', 1)[0] ?? '';
      request = new RequestScanner();
    },
    onBody: (bytes) => request.push(bytes),
    onEnd: () => answer(socket, path, request),
  });
  socket.setNoDelay(true);
  socket.on('data', (bytes: Buffer) => reader.push(bytes));
  // A proxy that is stopped cuts its connections.
  socket.on('error', () => socket.destroy());
}
