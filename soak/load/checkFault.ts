import type { Reply } from '../../bench/load/reply.ts';
import type { Fault } from '../upstream/fault.ts';

const LAST_EVENT = /event: (\w+)\ndata: [^\n]*\n\n$/;

/** Throws unless the client was informed of the provider's fault: by a status, or where the answer had begun by its last event. */
export function checkFault({ status, body }: Reply, fault: Fault): void {
  const isReported =
    fault === 'refuse'
      ? status === 529 && body.includes('"overloaded_error"')
      : status === 200 && LAST_EVENT.exec(body)?.[1] === 'error' && !body.includes('message_stop');
  if (!isReported)
    throw new Error(`wrong answer to ${fault}: status ${status}, ends with ${JSON.stringify(body.slice(-200))}`);
}
