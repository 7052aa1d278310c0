import type { FastifyInstance } from 'fastify';
import type { Live } from '../gateway/configSwap.ts';
import type { Services } from '../gateway/services.ts';
import { listModels, type ModelInfo } from '../routing/modelList.ts';
import { type Authenticator, createAuthenticator } from './auth.ts';
import { createOriginCheck } from './origin.ts';

/** One configuration as the server works with it. A request keeps from its first line on what was current then. */
export interface Serving {
  readonly services: Services;
  readonly checkOrigin: ReturnType<typeof createOriginCheck>;
  readonly authenticator: Authenticator;
  readonly models: readonly ModelInfo[];
}

declare module 'fastify' {
  interface FastifyRequest {
    serving: Serving;
  }
}

function createServing(services: Services): Serving {
  const { config } = services;
  return {
    services,
    checkOrigin: createOriginCheck([config.host, ...config.allowedHosts]),
    authenticator: createAuthenticator(config.clientToken),
    models: listModels(config, config.provider.preset.checked),
  };
}

/** Gives each request what it is served with, and keeps that in working order until it is answered. */
export function addServing(app: FastifyInstance, live: Live): void {
  let serving = createServing(live.current);
  app.decorateRequest('serving');
  app.addHook('onRequest', (request, reply, done) => {
    if (serving.services !== live.current) serving = createServing(live.current);
    request.serving = serving;
    reply.raw.once('close', live.hold(serving.services));
    done();
  });
}
