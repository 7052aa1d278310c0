import type { Socket } from 'node:net';
import { MessageReader } from '../http/messageReader.ts';
import { answerBytes } from '../http/writeMessage.ts';
import { answerWhole, streamAtOnce, streamPaced } from './answer.ts';
import { chatCalls, chatDialect } from './chatDialect.ts';
import type { Dialect } from './dialect.ts';
import { messagesCalls, messagesDialect } from './messagesDialect.ts';
import { RequestScanner } from './requestScanner.ts';
import { responsesDialect } from './responsesDialect.ts';

/** About what a provider would count; the client checks with it that the whole request came through. */
export const BYTES_PER_TOKEN = 4;

const DIALECTS: Readonly<Record<string, Dialect>> = {
  '/v1/chat/completions': chatDialect,
  '/v1/messages': messagesDialect,
  '/v1/responses': responsesDialect,
};

/** The same, for answers that are a tool call. */
const CALL_DIALECTS: Readonly<Record<string, Dialect>> = {
  '/v1/chat/completions': chatCalls,
  '/v1/messages': messagesCalls,
};

/** Below this path every request fails, as at a provider that is down. */
export const DOWN = '/down';

function answer(socket: Socket, path: string, request: RequestScanner): void {
  const promptTokens = Math.ceil(request.bytes / BYTES_PER_TOKEN);
  const order = request.order ?? { deltas: 1, everyMs: 0 };
  const dialect = (order.toolCall ? CALL_DIALECTS : DIALECTS)[path];
  if (path === '/v1/messages/count_tokens') {
    socket.write(answerBytes('200 OK', `{"input_tokens":${promptTokens}}`));
  } else if (path.startsWith(DOWN)) {
    socket.write(answerBytes('500 Internal Server Error', '{"error":{"message":"the provider is down"}}'));
  } else if (dialect === undefined) {
    socket.write(answerBytes('404 Not Found', '{"error":{"message":"no such path"}}'));
  } else {
    const write = request.streamed ? (order.everyMs > 0 ? streamPaced : streamAtOnce) : answerWhole;
    if (order.afterMs === undefined) write(socket, dialect, order, promptTokens);
    else setTimeout(write, order.afterMs, socket, dialect, order, promptTokens);
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
