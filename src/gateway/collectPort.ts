import { isObject, parseObject } from '../core/json.ts';
import type { ClientPort } from './clientPort.ts';

export interface CollectedError {
  readonly type: string;
  readonly message: string;
}

/** A first sign of the answer itself: what comes before it says only that it begins. */
const CONTENT = /^event: ?(?:content_block_start|message_delta)$/m;
const MESSAGE_ID = /"id":\s*"(msg_[^"]+)"/;
const ERROR_EVENT = /^event: ?error\r?\ndata: ?(.*)$/m;

/** A client inside the process: keeps what a small streamed answer says of itself. */
export class CollectPort implements ClientPort {
  readonly #now: () => number;
  readonly #decoder = new TextDecoder();
  #text = '';
  #error: CollectedError | undefined;
  #contentAt: number | undefined;
  #onGone: () => void = () => {};
  #isGone = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  get error(): CollectedError | undefined {
    return this.#error ?? readError(ERROR_EVENT.exec(this.#text)?.[1]);
  }

  /** When the answer began to say something, by the given clock. */
  get contentAt(): number | undefined {
    return this.#contentAt;
  }

  get messageId(): string | undefined {
    return MESSAGE_ID.exec(this.#text)?.[1];
  }

  /** Gives up the answer, as a client that hangs up does. */
  leave(): void {
    this.#isGone = true;
    this.#onGone();
  }

  sendJson(_status: number, _headers: Readonly<Record<string, string>>, body: string): void {
    this.#error = readError(body);
  }

  openStream(): void {}

  write(output: string | Uint8Array): boolean {
    this.#text += typeof output === 'string' ? output : this.#decoder.decode(output, { stream: true });
    if (CONTENT.test(this.#text)) this.#contentAt ??= this.#now();
    return true;
  }

  end(output: string | Uint8Array): void {
    this.write(output);
  }

  onDrain(): void {}

  onGone(listener: () => void): void {
    this.#onGone = listener;
    if (this.#isGone) listener();
  }
}

function readError(text: string | undefined): CollectedError | undefined {
  const error = parseObject(text ?? '')?.['error'];
  return isObject(error) ? { type: String(error['type']), message: String(error['message']) } : undefined;
}
