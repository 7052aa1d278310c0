import { findOrder, LONGEST_ORDER, type Order } from './order.ts';

const NOTHING = Buffer.alloc(0);

/**
 * Finds in a request what the answer depends on while its bytes pass, without keeping or parsing them: the upstream must not
 * stand still for a large request while it paces other streams.
 */
export class RequestScanner {
  bytes = 0;
  streamed = false;
  order: Order | undefined;
  #tail: Buffer = NOTHING;

  push(bytes: Buffer): void {
    this.bytes += bytes.length;
    if (this.order !== undefined && this.streamed) return;
    const window = this.#tail.length === 0 ? bytes : Buffer.concat([this.#tail, bytes]);
    this.streamed ||= window.includes('"stream":true') || window.includes('"stream": true');
    if (this.order === undefined) {
      const at = window.indexOf('[bench: ');
      if (at >= 0) this.order = findOrder(window.toString('latin1', at, at + LONGEST_ORDER));
    }
    this.#tail = window.subarray(-LONGEST_ORDER);
  }
}
