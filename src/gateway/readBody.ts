import { setImmediate as nextTurn } from 'node:timers/promises';
import { RequestBody } from './requestBody.ts';
import type { Services } from './services.ts';

/**
 * Carries out work that pauses, so that all others have their turn in the pauses; undefined when it was over at once, without any.
 */
export function runCooperatively(work: Generator<void>): Promise<void> | undefined {
  if (work.next().done === true) return undefined;
  const goOn = async () => {
    do await nextTurn();
    while (work.next().done !== true);
  };
  return goOn();
}

/**
 * Reads the body of a request and goes on with it: at once, but between the pieces of a large one all others have their turn.
 * @throws ApiError for what is not JSON
 */
export function withBody<T>(
  { bodies, inFlight }: Pick<Services, 'bodies' | 'inFlight'>,
  bytes: Buffer,
  goOn: (body: RequestBody) => Promise<T>,
): Promise<T> {
  let value: unknown;
  const read = function* () {
    value = yield* bodies.read(bytes);
  };
  const reading = runCooperatively(read());
  if (reading === undefined) return goOn(new RequestBody(bytes, value, bodies.cache));
  const release = inFlight.begin();
  const readOn = async () => {
    try {
      await reading;
      const body = new RequestBody(bytes, value, bodies.cache);
      await runCooperatively(body.measureInSteps());
      // Not awaited here: what goes on is under way itself by now, and the body is let go.
      return goOn(body);
    } finally {
      release();
    }
  };
  return readOn();
}
