import { setImmediate as nextTurn } from 'node:timers/promises';
import { inTurns } from './inTurns.ts';
import { RequestBody } from './requestBody.ts';
import type { Services } from './services.ts';

/**
 * Reads the body of a request and goes on with it: at once, but between the pieces of a large one all others have their turn.
 * @throws ApiError for what is not JSON
 */
export function withBody<T>(
  { bodies, inFlight }: Pick<Services, 'bodies' | 'inFlight'>,
  bytes: Buffer,
  goOn: (body: RequestBody) => Promise<T>,
): Promise<T> {
  const reading = bodies.read(bytes);
  const first = reading.next();
  if (first.done === true) return goOn(new RequestBody(bytes, first.value));
  // A stop waits for it; there is nothing to cut, as it is over soon.
  const held = { cut: () => {} };
  inFlight.add(held);
  const readOn = async () => {
    for (;;) {
      await nextTurn();
      const { done, value } = reading.next();
      if (done !== true) continue;
      const body = new RequestBody(bytes, value);
      await inTurns(body.measureInSteps());
      return goOn(body);
    }
  };
  return readOn().finally(() => inFlight.remove(held));
}
