import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { RequestBody } from './requestBody.ts';
import type { Services } from './services.ts';

async function goOnCooperatively<T>(work: Generator<void, T>): Promise<T> {
  for (;;) {
    await yieldToEventLoop();
    const { done, value } = work.next();
    if (done === true) return value;
  }
}

/**
 * Carries out work that pauses, and lets the event loop do everything else in the pauses; undefined when it was over at once, without
 * any.
 */
export function runCooperatively(work: Generator<void>): Promise<void> | undefined {
  return work.next().done === true ? undefined : goOnCooperatively(work);
}

/**
 * Reads the body of a request and goes on with it: at once, but between the pieces of a large one everything else has its turn.
 * @throws ApiError for what is not JSON
 */
export function withBody<T>(
  services: Pick<Services, 'bodies' | 'inFlight'>,
  bytes: Buffer,
  goOn: (body: RequestBody) => Promise<T>,
): Promise<T> {
  const { bodies } = services;
  const reading = bodies.read(bytes);
  const { done, value } = reading.next();
  return done === true ? goOn(new RequestBody(bytes, value, bodies.cache)) : readOn(services, bytes, reading, goOn);
}

async function readOn<T>(
  { bodies, inFlight }: Pick<Services, 'bodies' | 'inFlight'>,
  bytes: Buffer,
  reading: Generator<void, unknown>,
  goOn: (body: RequestBody) => Promise<T>,
): Promise<T> {
  const release = inFlight.begin();
  try {
    const body = new RequestBody(bytes, await goOnCooperatively(reading), bodies.cache);
    await runCooperatively(body.measureInSteps());
    // Not awaited here: what goes on is under way itself by now, and the body is let go.
    return goOn(body);
  } finally {
    release();
  }
}
