import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { ApiError } from '../core/errors.ts';
import type { ActiveServices } from '../gateway/configSwap.ts';
import type { ProcessFacts } from '../gateway/introspection.ts';
import { createId } from '../gateway/requestContext.ts';
import type { Services } from '../gateway/services.ts';
import { listModels, type ModelInfo } from '../routing/modelList.ts';
import { type Authenticator, createAuthenticator, createOriginCheck, LoginThrottle } from './access.ts';
import { answerClientError, logRefusal, sendError, toApiError } from './errors.ts';
import {
  addInformationRoutes,
  addModelRoutes,
  addStatisticsRoutes,
  addTestConnectionRoute,
  addUnsupportedRoutes,
} from './routes/info.ts';
import { addMessageRoutes } from './routes/messages.ts';

const DECODERS = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
};

/** Decodes a compressed request body; one that grows beyond the limit is refused while it is decoded. */
export async function decodeBody(encoding: string, body: Buffer, maxBytes: number): Promise<Buffer> {
  const name = encoding.toLowerCase();
  if (name === 'identity' || name === '') return body;
  const decode = Object.hasOwn(DECODERS, name) ? DECODERS[name as keyof typeof DECODERS] : undefined;
  if (decode === undefined) {
    throw new ApiError(
      'wrong_content_type',
      `content-encoding ${name.slice(0, 40)} is not known; use gzip, deflate, br, zstd or none`,
    );
  }
  try {
    return await decode(body, { maxOutputLength: maxBytes });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new ApiError('request_too_large', `the decoded body is larger than ${maxBytes} bytes (MAX_BODY_BYTES)`);
    }
    throw new ApiError('invalid_request', `the body is not valid ${name}`);
  }
}

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

const HEADERS_TIMEOUT_MS = 10_000;
const BODY_TIMEOUT_MS = 60_000;
/** Longer than clients keep an idle connection, so that the client closes first and never meets a closing socket. */
const KEEP_ALIVE_MS = 75_000;
const TIMEOUT_CHECK_MS = 2_000;

/** Routes that anyone on this machine may ask: whether there is an instance, and which. */
const OPEN_ROUTES = new Set(['/', '/health', '/healthz', '/api/hello']);

/** Gives each request what it is served with, keeps that in working order until it is answered, and checks who calls. */
export function addServing(app: FastifyInstance, active: ActiveServices): void {
  const { clock, logger } = active.current;
  const throttle = new LoginThrottle(clock, logger);
  let serving = createServing(active.current);
  app.decorateRequest('serving');
  app.addHook('onRequest', (request, reply, done) => {
    if (serving.services !== active.current) serving = createServing(active.current);
    const { services, checkOrigin, authenticator } = serving;
    request.serving = serving;
    reply.raw.once('close', active.lease(services));
    checkOrigin(request.raw);
    // The route as it was matched, never a path rebuilt from the URL, decides who may pass (CVE-2026-49468 elsewhere).
    if (authenticator.isRequired && !OPEN_ROUTES.has(request.routeOptions.url ?? '')) {
      const hasToken = authenticator.hasCredentials(request.headers);
      throttle.check(request.ip, hasToken, () => authenticator.check(request.headers));
    }
    done();
  });
}

function acceptJsonOnly(app: FastifyInstance, maxBytes: number): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request: FastifyRequest, body: Buffer, done) => {
    const encoding = request.headers['content-encoding'];
    // The usual body is there at once: a promise would put it off behind all else that is to be done.
    if (encoding === undefined) done(null, body);
    else decodeBody(encoding, body, maxBytes).then((decoded) => done(null, decoded), done);
  });
}

/** The methods of each path, as the routes are added. */
function knownMethods(app: FastifyInstance): ReadonlyMap<string, readonly string[]> {
  const known = new Map<string, string[]>();
  app.addHook('onRoute', ({ url, method }) => {
    known.set(url, [...(known.get(url) ?? []), ...[method].flat()]);
  });
  return known;
}

function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = toApiError(thrown);
    if (error.code === 'internal') {
      request.serving.services.logger.error('request failed inside the proxy', {
        id: request.id,
        reason: String((thrown as Error).stack),
      });
    }
    logRefusal(request, error);
    return sendError(reply, request, error);
  });
  const known = knownMethods(app);
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]?.replace(/(?<=.)\/$/, '') ?? '';
    const methods = known.get(path) ?? [];
    const error =
      methods.length === 0
        ? new ApiError('unknown_route', 'there is no such endpoint; GET / lists them')
        : new ApiError('wrong_method', `this endpoint takes ${methods.join(' or ')} only`);
    if (methods.length > 0) reply.header('allow', methods.join(', '));
    logRefusal(request, error);
    return sendError(reply, request, error);
  });
}

/** The HTTP face of one instance: checks who calls, and hands the rest to the gateway. */
export function createApp(active: ActiveServices, facts: ProcessFacts): FastifyInstance {
  const { maxBodyBytes } = active.current.config.limits;
  const app = Fastify({
    logger: false,
    bodyLimit: maxBodyBytes,
    requestTimeout: BODY_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: TIMEOUT_CHECK_MS },
    // A stopping instance still serves what reaches it on open connections (decision 0019).
    return503OnClosing: false,
    forceCloseConnections: false,
    exposeHeadRoutes: false,
    genReqId: () => createId('req_'),
    routerOptions: { ignoreTrailingSlash: true },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => sendError(reply, request, toApiError(error)),
  });
  addServing(app, active);
  acceptJsonOnly(app, maxBodyBytes);
  answerErrors(app);
  addMessageRoutes(app, active, facts);
  addModelRoutes(app);
  addInformationRoutes(app, facts);
  addStatisticsRoutes(app, facts);
  addTestConnectionRoute(app);
  addUnsupportedRoutes(app);
  return app;
}
