import { Server } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { ApiError } from './core/errors.ts';
import type { Services } from './gateway/services.ts';

/** How long open but idle connections may still bring a request after the listener has closed (design section 6). */
const IDLE_GRACE_MS = 1500;
/** How long the last words to clients may take after everything is over. */
const FLUSH_MS = 1000;

/** A turn of the event loop shorter than this leaves hardly time for a connection to come in behind its look at the queue. */
const SHORT_TURN_MS = 0.05;
/** For how long a busy instance looks for such a turn. */
const CALM_TIMEOUT_MS = 500;

/**
 * Takes no new connections from here on. http's own close would also cut those on which a request is just arriving (measured: 1,471
 * failures). The kernel resets what still waits in the queue of a listener that closes, even when others share its port. Each turn of
 * the event loop takes one connection out of the queue, so that the end of a short turn without any is the moment to close.
 */
export async function closeListener({ server }: FastifyInstance): Promise<void> {
  let accepted = 0;
  server.on('connection', () => {
    accepted += 1;
  });
  const deadline = performance.now() + CALM_TIMEOUT_MS;
  for (;;) {
    const before = accepted;
    const startedAt = performance.now();
    await nextTurn();
    const now = performance.now();
    if ((accepted === before && now - startedAt < SHORT_TURN_MS) || now > deadline) break;
  }
  Server.prototype.close.call(server);
}

/**
 * Ends what is under way without breaking an answer (R512), after the listener has closed: answers may end within `drainMs`,
 * what is left gets an error event, then the connections close.
 */
export async function drain(app: FastifyInstance, services: Services): Promise<void> {
  const { inFlight, config } = services;
  const connections = await new Promise<number>((resolve) => {
    app.server.getConnections((_error, count) => resolve(count ?? 0));
  });
  if (connections > 0) await sleep(Math.min(IDLE_GRACE_MS, config.drainMs));
  const deadline = new AbortController();
  await Promise.race([
    inFlight.whenEmpty(),
    sleep(config.drainMs, undefined, { signal: deadline.signal }).catch(() => {}),
  ]);
  deadline.abort();
  inFlight.cutAll(new ApiError('draining', `[${config.instance}] the instance is stopping`));
  await Promise.race([inFlight.whenEmpty(), sleep(FLUSH_MS)]);
  app.server.closeIdleConnections();
}
