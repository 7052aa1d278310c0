import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { ApiError } from '../core/errors.ts';
import type { Live } from '../gateway/configSwap.ts';
import { mintId } from '../gateway/ids.ts';
import type { ProcessFacts } from '../gateway/introspection.ts';
import { Attempts } from './attempts.ts';
import { decodeBody } from './decodeBody.ts';
import { answerClientError, sendError, toApiError } from './errorHandler.ts';
import { logRefusal } from './refusal.ts';
import { addInformationRoutes } from './routes/information.ts';
import { addMessageRoutes } from './routes/messages.ts';
import { addModelRoutes } from './routes/models.ts';
import { addStatisticsRoutes } from './routes/statistics.ts';
import { addTestConnectionRoute } from './routes/testConnection.ts';
import { addUnsupportedRoutes } from './routes/unsupported.ts';
import { addServing } from './serving.ts';

const HEADERS_TIMEOUT_MS = 10_000;
const BODY_TIMEOUT_MS = 60_000;
/** Longer than clients keep an idle connection, so that the client closes first and never meets a closing socket (R512). */
const KEEP_ALIVE_MS = 75_000;
const TIMEOUT_CHECK_MS = 2_000;

/** Routes that anyone on this machine may ask: whether there is an instance, and which (R504). */
const OPEN_ROUTES = new Set(['/', '/health', '/healthz', '/api/hello']);

function checkCaller(app: FastifyInstance, attempts: Attempts): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const { checkOrigin, authenticator } = request.serving;
    checkOrigin(request.raw);
    // The route as it was matched, never a path rebuilt from the URL, decides who may pass (CVE-2026-49468 elsewhere).
    if (!OPEN_ROUTES.has(request.routeOptions.url ?? '')) {
      const hasToken = authenticator.isTried(request.headers);
      attempts.check(request.ip, hasToken, () => authenticator.check(request.headers));
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
export function createApp(live: Live, facts: ProcessFacts): FastifyInstance {
  const { maxBodyBytes } = live.current.config.limits;
  const app = Fastify({
    logger: false,
    bodyLimit: maxBodyBytes,
    requestTimeout: BODY_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: TIMEOUT_CHECK_MS },
    // A stopping instance still serves what reaches it on open connections (design section 6).
    return503OnClosing: false,
    forceCloseConnections: false,
    exposeHeadRoutes: false,
    genReqId: () => mintId('req_'),
    routerOptions: { ignoreTrailingSlash: true },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => sendError(reply, request, toApiError(error)),
  });
  addServing(app, live);
  const { clock, logger } = live.current;
  checkCaller(app, new Attempts(clock, logger));
  acceptJsonOnly(app, maxBodyBytes);
  answerErrors(app);
  addMessageRoutes(app, live, facts);
  addModelRoutes(app);
  addInformationRoutes(app, facts);
  addStatisticsRoutes(app, facts);
  addTestConnectionRoute(app);
  addUnsupportedRoutes(app);
  return app;
}
