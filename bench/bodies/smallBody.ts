import { type Order, orderText } from '../upstream/order.ts';
import { SERIAL_MARK } from './serialMark.ts';

/** A short question, as a client asks it without tools. */
export function smallBody(order: Order, stream: boolean): string {
  return JSON.stringify({
    model: 'claude-sonnet-5',
    max_tokens: 1024,
    stream,
    system: 'You are a helpful assistant.',
    messages: [{ role: 'user', content: `Session ${SERIAL_MARK}: say hello in one sentence. ${orderText(order)}` }],
  });
}
