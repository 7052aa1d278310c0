import { MessageAssembler } from '../protocol/anthropic/message.ts';
import type { ClientPort } from './clientPort.ts';

/** The client's side of a request whose answer somebody wants to see: a whole one before it goes out, a streamed one after it. */
export class HookedPort implements ClientPort {
  /** Resolves when a whole answer is out; at once for a stream, which waits for nobody. */
  sent: Promise<void> = Promise.resolve();
  readonly #port: ClientPort;
  readonly #show: (message: string) => Promise<string | undefined>;
  readonly #assembler = new MessageAssembler();

  /** @param show takes a message as JSON text and gives it back if it is changed; never rejects */
  constructor(port: ClientPort, show: (message: string) => Promise<string | undefined>) {
    this.#port = port;
    this.#show = show;
  }

  sendJson(status: number, headers: Readonly<Record<string, string>>, body: string): void {
    this.sent = this.#show(body).then((changed) => this.#port.sendJson(status, headers, changed ?? body));
  }

  openStream(headers?: Readonly<Record<string, string>>): void {
    this.#port.openStream(headers);
  }

  write(output: string | Uint8Array): boolean {
    this.#assembler.push(output);
    return this.#port.write(output);
  }

  end(output: string | Uint8Array): void {
    this.#assembler.push(output);
    this.#port.end(output);
    const message = this.#assembler.end();
    if (message !== undefined) void this.#show(JSON.stringify(message));
  }

  onDrain(listener: () => void): void {
    this.#port.onDrain(listener);
  }

  onGone(listener: () => void): void {
    this.#port.onGone(listener);
  }
}
