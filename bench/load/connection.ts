import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { MessageReader } from '../http/messageReader.ts';
import type { Reply } from './reply.ts';
import { ReplyCollector } from './replyCollector.ts';

interface Waiting {
  readonly collector: ReplyCollector;
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

/** One keep-alive connection that asks one thing at a time. */
export class Connection {
  readonly #socket: Socket;
  #waiting: Waiting | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const reader = new MessageReader({
      onHead: (startLine) => this.#waiting?.collector.head(startLine),
      onBody: (bytes) => this.#waiting?.collector.body(bytes),
      onEnd: () => this.#settle(({ collector, resolve }) => resolve(collector.end())),
    });
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => reader.push(bytes));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the connection closed before the answer was complete')));
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    return new Connection(socket);
  }

  /** Whether the other side has not closed it. */
  get isOpen(): boolean {
    return !this.#socket.destroyed && this.#socket.readable;
  }

  /** Resolves with the whole answer; rejects where the connection breaks before. */
  ask(request: Buffer, isPaced = false): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#waiting = { collector: new ReplyCollector(isPaced), resolve, reject };
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #fail(error: Error): void {
    this.#settle(({ reject }) => reject(error));
  }

  #settle(settle: (waiting: Waiting) => void): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) settle(waiting);
  }
}
